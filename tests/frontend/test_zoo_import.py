"""BERTs of both exporters: equal to onnxruntime, and nothing of the exporter's shape arithmetic stays."""

import numpy as np
import onnxruntime
import pytest

from emberc.frontend import import_model
from emberc.ir.interpreter import run_function
from emberc.ir.verifier import verify
from tests.frontend.models import opcodes
from tests.zoo import zoo_model

# Two float32 computations of the same network in another order.
TOLERANCE = 2e-5

VARIANTS = [
    {"exporter": "dynamo", "opset": 18},
    {"exporter": "dynamo", "opset": 23, "attention": "sdpa"},
    {"exporter": "dynamo", "dynamic": True, "inputs": "ids"},
    {"exporter": "dynamo", "form": "external"},
    {"exporter": "dynamo", "form": "functions"},
    {"exporter": "ts", "opset": 14, "dynamic": True},
    {"exporter": "ts", "opset": 17, "attention": "sdpa", "dynamic": True, "inputs": "ids+mask+types"},
    {"exporter": "ts", "opset": 20, "head": "mlm", "act": "gelu_new", "mask_form": "additive"},
]


@pytest.mark.parametrize("options", VARIANTS, ids=lambda o: "-".join(str(v) for v in o.values()))
def test_equals_onnxruntime(options: dict[str, object]) -> None:
    zoo = zoo_model("bert_small_for_tests", **options)
    module = import_model(zoo.path, shapes=zoo.static_shapes)
    verify(module)
    session = onnxruntime.InferenceSession(str(zoo.path))
    for i in (0, 1):  # 1 is padded
        (got,) = run_function(module.main, zoo.sample(i)).values()
        (want,) = session.run(
            None, {k: v for k, v in zoo.sample(i).items() if k in {x.name for x in session.get_inputs()}}
        )
        np.testing.assert_allclose(got, want, atol=TOLERANCE)
    left = set(opcodes(module))
    assert not left & {"f.expand", "f.concat", "f.gather_nd", "f.equal", "f.cumsum", "f.greater_or_equal", "f.max"}


def test_one_shape_settles_the_symbols_of_all_inputs() -> None:
    zoo = zoo_model("bert_small_for_tests", exporter="ts", opset=14, dynamic=True)
    module = import_model(zoo.path, shapes={"input_ids": (1, 5)})
    assert {v.name: v.shape for v in module.main.inputs} == {"input_ids": (1, 5), "attention_mask": (1, 5)}


def test_fixed_input_disappears_and_its_branch_folds() -> None:
    zoo = zoo_model("bert_small_for_tests", exporter="ts", opset=17, inputs="ids+mask+types")
    free = import_model(zoo.path, shapes=zoo.static_shapes)
    fixed = import_model(zoo.path, shapes=zoo.static_shapes, fix={"token_type_ids": 0, "attention_mask": 1})
    assert [v.name for v in fixed.main.inputs] == ["input_ids"]
    assert opcodes(free).count("f.gather") == opcodes(fixed).count("f.gather") + 1
    assert "f.where" not in opcodes(fixed)
    sample = zoo.sample(0)
    sample["token_type_ids"] = np.zeros_like(sample["input_ids"])
    sample["attention_mask"] = np.ones_like(sample["input_ids"])
    (want,) = run_function(free.main, sample).values()
    (got,) = run_function(fixed.main, sample).values()
    np.testing.assert_array_equal(got, want)
