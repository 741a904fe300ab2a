"""Scans in integers against float: whole Mambas, and every way in which a scan's neighbours may be no products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from emberc.errors import EmberError
from emberc.firmware import integer_inputs
from emberc.ir.builder import Builder
from emberc.ir.graph import Function, Module
from emberc.ir.interpreter import run_function
from emberc.ir.op import op_class
from emberc.ir.ops.integer_scan import SelectiveScan
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Value
from emberc.passes import PassManager, default_pipeline
from emberc.quant.calibration import CalibrationData, synthetic_calibration
from tests.mamba import Config, mamba


def quantized(module: Module, samples: int = 24) -> CalibrationData:
    data = synthetic_calibration(module.main, samples=samples)
    module.calibration = data
    PassManager(default_pipeline()).run(module)
    return data


def sqnr(build: Callable[[], Module], output: str = "y") -> float:
    """Signal to noise in dB over samples that calibration did not see; a row's mean is no signal."""
    float_form, integer_form = build(), build()
    quantized(integer_form)
    signal = noise = 0.0
    for sample in synthetic_calibration(float_form.main, samples=3, seed=7).samples:
        want = run_function(float_form.main, sample)[output].astype(np.float64)
        got = run_function(integer_form.main, integer_inputs(integer_form.main, sample))[output]
        quant = integer_form.main.outputs[output].type.quant
        assert quant is not None
        rows = [a - a.mean(axis=-1, keepdims=True) for a in (want, quant.dequantize(got).astype(np.float64))]
        signal, noise = signal + (rows[0] ** 2).sum(), noise + ((rows[1] - rows[0]) ** 2).sum()
    return float(10 * np.log10(signal / noise))


#: configuration -> dB; the seeds' worst is 3 dB better than each bound
MODELS = {
    "every step": (Config(head="", classes=8), 30),
    "pooled": (Config(), 30),
    "states 16, long": (Config(states=16, length=96, head="", classes=8), 30),
    "one state, odd sizes": (Config(d=12, inner=21, states=1, taps=3, rank=1, head="", classes=5), 27),
    "Mamba-2: a decay a head": (Config(inner=32, heads=4, states=8, head="", classes=8), 30),
}


@pytest.mark.parametrize("name", MODELS)
def test_models(name: str) -> None:
    config, bound = MODELS[name]
    assert sqnr(lambda: mamba(config)) >= bound


def scan_alone(gate: bool = True, softplus: bool = True, groups: int = 1, state: bool = False) -> Module:
    """A scan whose neighbours are the model's own inputs and outputs: nothing can be folded anywhere."""
    rng, length, d, n = np.random.default_rng(5), 12, 6, 4
    shapes = {"x": (1, length, d), "delta": (1, length, 2), "b": (1, length, groups * n), "c": (1, length, groups * n)}
    if gate:
        shapes["z"] = (1, length, d)
    if state:
        shapes["h"] = (1, d, n)
    inputs = {name: Value(TensorType(DType.F32, shape), name) for name, shape in shapes.items()}
    builder = Builder(fold=False)
    a, skip = -rng.uniform(0.5, 4, (2, n)).astype(np.float32), rng.standard_normal(d).astype(np.float32)
    delta = inputs["delta"] if softplus else builder.emit(op_class("f.abs"), inputs["delta"])
    y, h = builder.add(
        op_class("f.selective_scan"), inputs["x"], delta, builder.const(a), inputs["b"], inputs["c"],
        builder.const(skip), inputs.get("z"), inputs.get("h"), softplus=softplus, groups=groups,
    )  # fmt: skip
    outputs = {"y": y, "state": h} if state else {"y": y}
    return Module("scan", {"main": Function("main", list(inputs.values()), builder.ops, outputs)})


@pytest.mark.parametrize("options", [{}, {"gate": False}, {"softplus": False}, {"groups": 2}, {"state": True}], ids=str)
def test_no_neighbour_folds(options: dict[str, Any]) -> None:
    assert sqnr(lambda: scan_alone(**options)) >= 27


def test_an_explicit_state_has_one_scale_and_goes_round() -> None:
    module = scan_alone(state=True)
    data = quantized(module)
    f = module.main
    h_in = next(v for v in f.inputs if v.name == "h")
    assert h_in.type == f.outputs["state"].type
    assert h_in.type.quant is not None
    assert sqnr(lambda: scan_alone(state=True), "state") >= 35
    inputs = integer_inputs(f, data.samples[0])
    first = run_function(f, inputs)
    inputs["h"] = first["state"]
    assert not np.array_equal(run_function(f, inputs)["y"], first["y"])


def scans(module: Module) -> list[SelectiveScan]:
    return [op for op in module.ops() if isinstance(op, SelectiveScan)]


def test_products_write_what_the_scan_wants() -> None:
    """No op stands between the projections and the scan, and each projection saturates where the scan's proof ends."""
    module = mamba(Config())
    quantized(module)
    for op in scans(module):
        makers = [v.producer for v in (op.x, op.v, op.b, op.c, op.z) if v is not None]
        assert [m.opcode for m in makers if m is not None] == ["q.causal_conv"] + ["q.matmul"] * 4
        assert makers[1] is not None
        assert makers[3] is not None
        assert (makers[1].attrs["lo"], makers[1].attrs["hi"]) == (0, op.softplus.type.elements - 1)
        assert (makers[3].attrs["lo"], makers[3].attrs["hi"]) == (-op.attrs["c_limit"], op.attrs["c_limit"])
        assert op.y.type.dtype is DType.I16
        conv = makers[0]
        assert conv is not None and conv.operands[0] is not None and conv.operands[0].type.quant is not None
        assert len(set(conv.operands[0].type.quant.scale)) > 1, "a scale a channel"


def test_extreme_inputs_saturate_and_nothing_more() -> None:
    """Far outside the calibrated range everything still runs: indices and sums stay inside what was proved."""
    module = scan_alone()
    quantized(module)
    for value in (-128, 127):
        inputs: dict[str, Array] = {
            v.name or "": np.full(v.shape, value, v.type.dtype.numpy) for v in module.main.inputs
        }
        assert run_function(module.main, inputs)["y"].shape == (1, 12, 6)


def test_a_growing_state_is_refused() -> None:
    module = scan_alone()
    (op,) = [op for op in module.ops() if op.opcode == "f.selective_scan"]
    op.operands[2].data.setflags(write=True)  # type: ignore[union-attr]
    op.operands[2].data[0] = 1.0  # type: ignore[union-attr]
    with pytest.raises(EmberError, match="state grows") as raised:
        quantized(module)
    assert "exp(A_log)" in str(raised.value.hints)


def test_nothing_seen_still_has_scales() -> None:
    """Weights that are all zero give zeros, not divisions by zero."""
    module = mamba(Config(layers=1, head="", classes=4))
    for op in module.ops():
        if op.opcode == "f.linear" and op.operands[1] is not None and "x_proj" in (op.operands[1].name or ""):
            op.operands[1].data.setflags(write=True)  # type: ignore[union-attr]
            op.operands[1].data[:] = 0  # type: ignore[union-attr]
    quantized(module)
    assert len(scans(module)) == 1


def conv_after(scale: float) -> Module:
    """A causal convolution whose rows before the first come in at another scale than its own rows."""
    rng = np.random.default_rng(5)
    x, before = Value(TensorType(DType.F32, (1, 3, 4)), "x"), Value(TensorType(DType.F32, (1, 2, 4)), "before")
    builder = Builder(fold=False)
    rows = builder.emit(op_class("f.mul"), x, builder.const(np.asarray(scale, np.float32)))
    w, bias = rng.standard_normal((3, 4)).astype(np.float32), rng.standard_normal(4).astype(np.float32)
    y, _ = builder.add(op_class("f.causal_conv"), rows, builder.const(w), builder.const(bias), before, silu=True)
    return Module("m", {"main": Function("main", [x, before], builder.ops, {"y": y})})


def test_rows_before_the_first_take_the_scale_of_the_others() -> None:
    assert sqnr(lambda: conv_after(4.0)) >= 30


def scan_behind_a_reshape() -> Module:
    """The product that reads the scan does so through a reshape, so that it can't take in a scale a channel."""
    rng, length, d, n = np.random.default_rng(5), 12, 6, 4
    shapes = {"x": d, "delta": 2, "b": n, "c": n, "z": d}
    inputs = {name: Value(TensorType(DType.F32, (1, length, width)), name) for name, width in shapes.items()}
    b = Builder(fold=False)
    a, skip = -rng.uniform(0.5, 4, (2, n)).astype(np.float32), rng.standard_normal(d).astype(np.float32)
    x, delta, gb, gc, z = inputs.values()
    y, _ = b.add(op_class("f.selective_scan"), x, delta, b.const(a), gb, gc, b.const(skip), z, None)
    rows = b.emit(op_class("f.reshape"), y, shape=[length, d])
    out = b.emit(op_class("f.linear"), rows, b.const(rng.standard_normal((5, d)).astype(np.float32)), None)
    return Module("m", {"main": Function("main", list(inputs.values()), b.ops, {"y": out})})


def test_a_reader_that_wants_a_zero_point_gets_one() -> None:
    assert sqnr(scan_behind_a_reshape) >= 24
