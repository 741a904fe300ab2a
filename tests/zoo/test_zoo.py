"""The zoo's own promises: models that mean something, files as the two exporters write them."""

import numpy as np
import onnx
import onnxruntime
import pytest

from tests.zoo import zoo_model
from tests.zoo.build import ZooModel

SMALL = "bert_small_for_tests"


def run(model: ZooModel) -> np.ndarray:
    """Outputs for the first 16 samples, stacked [16, ...]."""
    session = onnxruntime.InferenceSession(model.path)
    return np.concatenate([session.run(None, model.sample(i))[0] for i in range(16)])


@pytest.fixture(scope="module")
def reference() -> np.ndarray:
    return run(zoo_model(SMALL, exporter="ts"))


@pytest.mark.parametrize(
    "options",
    [
        {"exporter": "ts", "opset": 14},
        {"exporter": "ts", "opset": 17, "dynamic": True},
        {"exporter": "ts", "attention": "sdpa"},
        {"exporter": "ts", "mask_form": "additive"},
        {"exporter": "ts", "form": "functions"},
        {"exporter": "ts", "form": "external"},
        {"exporter": "dynamo"},
    ],
    ids=lambda options: " ".join(map(str, options.values())),
)
def test_every_way_to_write_a_model_answers_alike(reference: np.ndarray, options: dict[str, object]) -> None:
    # Two exporters reorder float32 sums; logits are of order one.
    np.testing.assert_allclose(run(zoo_model(SMALL, **options)), reference, atol=1e-5)


def test_the_model_reads_its_words_and_its_padding_does_not_count() -> None:
    model = zoo_model(SMALL, exporter="ts")
    assert run(model).std(axis=0).min() > 0.1
    short = model.sample(1)
    session = onnxruntime.InferenceSession(model.path)
    padded_otherwise = short | {"input_ids": np.where(short["attention_mask"] == 1, short["input_ids"], 63)}
    np.testing.assert_array_equal(session.run(None, short)[0], session.run(None, padded_otherwise)[0])


def test_attention_is_not_flat() -> None:
    model = zoo_model(SMALL, exporter="ts")
    proto = onnx.load(model.path)
    name = next(node.output[0] for node in proto.graph.node if node.op_type == "Softmax")
    proto.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    rows = session.run([name], model.sample(0))[0].reshape(-1, model.spec.sequence)
    assert rows.max(axis=1).mean() > 2.0 / model.spec.sequence


def test_samples_hold_a_full_a_short_and_padded_sentences() -> None:
    model = zoo_model(SMALL, exporter="ts", inputs="ids+mask+types")
    used = model.samples["attention_mask"].sum(axis=1)
    assert (used[0], used[1]) == (8, 3)
    assert len(set(used.tolist())) > 3
    assert np.array_equal(model.samples["input_ids"] == 0, model.samples["attention_mask"] == 0)
    assert model.samples["token_type_ids"].max() == 1


def test_local_functions_nest_and_pass_attributes() -> None:
    proto = onnx.load(zoo_model(SMALL, exporter="ts", form="functions").path)
    assert {f.name for f in proto.functions} == {"LayerNormalization", "NormalCdf", "Gelu"}
    assert sum(node.domain == "zoo.local" for node in proto.graph.node) == 7


def test_external_data_lies_beside_the_file() -> None:
    model = zoo_model(SMALL, exporter="ts", form="external")
    assert (model.path.parent / "model.onnx.data").stat().st_size > 4 * 64 * 16


def test_symbolic_sizes_have_names_and_the_shapes_to_give_them() -> None:
    model = zoo_model(SMALL, exporter="ts", dynamic=True)
    sizes = onnx.load(model.path).graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param for d in sizes] == ["batch", "sequence"]
    assert model.static_shapes == {"input_ids": (1, 8), "attention_mask": (1, 8)}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("bart", {}, "no zoo model 'bart': there are bert_small_for_tests, bert_2mb, bert_tiny"),
        (SMALL, {"exporter": "dynamo", "opset": 17}, "the dynamo exporter writes opsets 18 to 23, not 17"),
        (SMALL, {"exporter": "ts", "opset": 23}, "the ts exporter writes opsets 14 to 20, not 23"),
        (SMALL, {"head": "qa"}, "head='qa': choose from"),
        (SMALL, {"length": 9}, "8 positions, length is 9"),
        (SMALL, {"depth": 3}, "options are the fields of BuildSpec"),
    ],
)
def test_what_can_not_be_built_is_refused(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        zoo_model(name, **options)
