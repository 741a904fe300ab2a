"""Recurrences of every form that exporters write: recovered, and equal to onnxruntime within float rounding."""

from __future__ import annotations

from itertools import takewhile

import numpy as np
import onnxruntime
import pytest

from emberc.errors import ModelError, UnsupportedError
from emberc.frontend import import_model
from emberc.ir.graph import Module
from emberc.ir.interpreter import run_function
from emberc.ir.values import Value
from emberc.passes import PassManager, default_pipeline, parse_pipeline
from emberc.passes.equivalence import equal_on_random
from emberc.quant.calibration import synthetic_calibration
from tests.ir.test_rewrite import function
from tests.zoo.family import FamilyModel, family_model

# Two float32 computations of the same network in another order.
TOLERANCE = 2e-5


FLOAT_PASSES = ",".join(takewhile(lambda name: name != "fuse-attention", default_pipeline().names()))


def recovered(model: FamilyModel, passes: str = "recover-recurrence") -> Module:
    module = import_model(model.path)
    PassManager(parse_pipeline(passes)).run(module)
    return module


def equals_onnxruntime(model: FamilyModel, module: Module) -> None:
    session = onnxruntime.InferenceSession(str(model.path))
    for i in range(2):
        sample = {name: array[i : i + 1] for name, array in model.samples.items()}
        got = run_function(module.main, sample)
        for name, want in zip([o.name for o in session.get_outputs()], session.run(None, sample), strict=True):
            np.testing.assert_allclose(got[name], want, atol=TOLERANCE * max(1.0, float(np.abs(want).max())))


def count(module: Module, opcode: str) -> int:
    return sum(op.opcode == opcode for op in module.main.ops)


@pytest.mark.parametrize(
    ("name", "exporter", "scans"),
    [
        ("mamba", "dynamo", 2),
        ("mamba", "ts", 2),
        ("mamba_3", "ts", 2),
        ("mamba_17", "ts", 2),
        ("mamba_129", "ts", 2),
        ("mamba_causal", "ts", 2),
        ("mamba_base2", "ts", 2),
        ("mamba_base4", "ts", 4),
        ("scan_unrolled", "dynamo", 1),
    ],
)
def test_the_unrolled_form_is_recovered(name: str, exporter: str, scans: int) -> None:
    model = family_model(name, exporter)
    module = recovered(model)
    assert count(module, "f.recurrence") == scans
    assert len(module.main.ops) < 70 * scans, "no step is left"
    assert not module.notes
    equals_onnxruntime(model, module)


@pytest.mark.parametrize(
    ("name", "exporter", "scans"),
    [
        ("mamba", "dynamo", 2),
        ("mamba_17", "ts", 2),
        ("mamba_base2", "ts", 2),
        ("mamba_base4", "ts", 4),
        ("scan_unrolled", "dynamo", 1),
        ("scan", "dynamo", 1),
        ("scan_129", "dynamo", 1),
        ("scan_while_loop", "dynamo", 1),
        ("scan_scripted", "ts", 1),
        ("scan_associative", "dynamo", 1),
        ("scan_step", "dynamo", 1),
        ("scan_step", "ts", 1),
    ],
)
def test_a_block_becomes_one_selective_scan(name: str, exporter: str, scans: int) -> None:
    model = family_model(name, exporter)
    module = recovered(model, FLOAT_PASSES)
    assert count(module, "f.selective_scan") == scans
    found = [op for op in module.main.ops if op.opcode == "f.selective_scan"]
    assert all(op.attrs["softplus"] and op.operands[5] is not None and op.operands[6] is not None for op in found)
    left = {op.opcode for op in module.main.ops}
    assert not left & {"f.recurrence", "f.exp", "f.softplus", "f.matmul", "f.transpose", "f.where"}
    assert not module.notes
    equals_onnxruntime(model, module)


def test_size_does_not_grow_with_the_length() -> None:
    short, long = (recovered(family_model(name, "ts")) for name in ("mamba_3", "mamba_129"))
    assert len(short.main.ops) == len(long.main.ops)


def test_one_step_is_no_recurrence() -> None:
    model = family_model("mamba_1", "ts")
    module = recovered(model)
    assert count(module, "f.recurrence") == 0
    equals_onnxruntime(model, module)


def test_values_are_compared_on_random_numbers() -> None:
    f = function("%a = f.add %x, %y", "%b = f.add %y, %x", "%r = f.sub %x, %y", outs='%a as "a", %b as "b", %r as "r"')
    a, b, r = f.outputs.values()
    assert equal_on_random([a], [b], f.inputs)
    assert not equal_on_random([a], [r], f.inputs)
    assert [v.name for v in f.inputs] == ["x", "y"], "names come back"


def test_what_lies_above_the_leaves_is_not_computed() -> None:
    """y * 2 and y * 1 differ, but not where both are taken as given; a division by 0 proves nothing."""
    f = function("%a = f.mul %x, %two", "%b = f.tanh %a", "%r = f.log %x", outs='%b as "b", %r as "r"')
    b, r = f.outputs.values()
    leaf: Value = f.ops[0].result
    assert equal_on_random([b], [b], [leaf])
    assert not equal_on_random([r], [r], f.inputs), "log of a negative number"


@pytest.mark.parametrize(("name", "groups"), [("mamba2", 2), ("mamba2_one_group", 1), ("mamba2_padded", 2)])
def test_the_chunked_form_is_recovered(name: str, groups: int) -> None:
    """Also where the last chunk is filled up with zeros, and where all heads share one B and C."""
    model = family_model(name, "dynamo")
    module = recovered(model, FLOAT_PASSES)
    found = [op for op in module.main.ops if op.opcode == "f.selective_scan"]
    assert [op.attrs["groups"] for op in found] == [groups, groups]
    assert all(op.operands[5] is not None and op.operands[6] is not None for op in found), "skip and gate"
    assert not {op.opcode for op in module.main.ops} & {"f.pad", "f.cumsum", "f.exp", "f.matmul", "f.recurrence"}
    equals_onnxruntime(model, module)


def test_sums_over_chunks_of_anything_else_are_refused_in_integers() -> None:
    module = import_model(family_model("mamba2", "dynamo").path)
    running = [op for op in module.main.ops if op.opcode == "f.exp"]
    for op in running[-1:]:  # one decay of the second layer is another function now
        assert op.operands[0] is not None
        op.results[0].replace_by(op.operands[0])
    module.calibration = synthetic_calibration(module.main, samples=4)
    with pytest.raises(UnsupportedError, match="a running sum of activations has no integer form") as e:
        PassManager(default_pipeline()).run(module)
    assert "cumsum" in (e.value.at or "") and e.value.hints


def test_the_broken_file_of_the_older_exporter_is_named() -> None:
    with pytest.raises(ModelError, match=r"perm \[0, -2, -1, 1\] does not permute") as e:
        import_model(family_model("mamba2", "ts").path)
    assert "Transpose" in (e.value.at or "") and e.value.hints
