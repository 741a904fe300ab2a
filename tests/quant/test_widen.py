"""Which weights and values get 16 bits: what is measured, what is chosen, and what the two halves of a weight give."""

from __future__ import annotations

import numpy as np
import pytest

from emberc.errors import UsageError
from emberc.ir.graph import Function, Module
from emberc.ir.interpreter import run_function
from emberc.ir.types import Array, DType, Quant
from emberc.passes import PassManager, Pipeline, Quantize
from emberc.quant import noise
from emberc.quant.calibration import CalibrationData
from emberc.quant.noise import Meter, Place
from emberc.quant.precision import parse_precision
from emberc.quant.widen import weight_candidates
from tests.quant.modules import module

RNG = np.random.default_rng(0)
NUMBERS = ", ".join(f"{n:.6f}" for n in RNG.normal(size=8 * 8) ** 3)
SAMPLES = tuple({"x": RNG.normal(size=(3, 8)).astype(np.float32)} for _ in range(6))


def chain() -> Module:
    """Two linears: the first is scaled down to nothing beside x, so that only the second matters."""
    return module(
        "%x : f32[3, 8]",
        "%a = f.linear %x, %first, _ : f32[3, 8]",
        "%b = f.mul %a, %small : f32[3, 8]",
        "%c = f.add %b, %x : f32[3, 8]",
        "%r = f.linear %c, %second, _ : f32[3, 8]",
        outs='%r as "r"',
        constants=(
            f"%first : f32[8, 8] = [{NUMBERS}]",
            f"%second : f32[8, 8] = [{NUMBERS}]",
            "%small : f32[] = [1e-4]",
        ),
    )


def quantized(precision: str) -> Module:
    m = chain()
    m.calibration = CalibrationData(SAMPLES, SAMPLES)
    PassManager(Pipeline([Quantize(precision=precision)])).run(m)
    return m


def sqnr(f: Function) -> float:
    """Decibels of the output over all samples."""
    signal = error = 0.0
    for sample in SAMPLES:
        want = run_function(chain().main, sample)["r"].astype(np.float64)
        (x,) = f.inputs
        (out,) = f.outputs.values()
        assert x.type.quant is not None and out.type.quant is not None
        got = out.type.quant.dequantize(run_function(f, {"x": x.type.quant.quantize(sample["x"], x.type.dtype)})["r"])
        signal, error = signal + float((want**2).sum()), error + float(((got - want) ** 2).sum())
    return 10 * float(np.log10(signal / error))


def test_only_the_weight_that_matters_gets_16_bits() -> None:
    m = quantized("int16")
    by_bits = {c.dtype: c for c in m.choices}
    assert [c.what for c in m.choices] == ["weight", "weight"]
    assert by_bits["i16"].alone_db is not None and by_bits["i8"].alone_db is not None
    assert by_bits["i16"].alone_db < 48 < 100 < by_bits["i8"].alone_db
    assert by_bits["i16"].bytes == 64
    assert sum(op.opcode == "q.matmul" for op in m.ops()) == 3
    assert sqnr(m.main) > 70


@pytest.mark.parametrize("target", [20, 30, 40, 50])
def test_a_target_is_reached_and_not_by_far(target: int) -> None:
    m = quantized(f"mixed:{target}dB")
    assert sqnr(m.main) > target - 1
    wide = sum(c.dtype == "i16" for c in m.choices)
    assert wide == 0 if target == 20 else wide > 0 if target == 50 else True


def test_what_is_measured_is_what_rounding_does() -> None:
    function = chain().main
    x = function.inputs[0]
    step = 0.05

    def rounding(a: Array) -> Array:
        return (np.rint(a / step) * step).astype(a.dtype)

    (got,) = Meter(function, SAMPLES).measure([Place({id(function.ops[0].operands[0]): rounding})])
    signal = error = 0.0
    for sample in SAMPLES:
        want, other = (run_function(function, {"x": a})["r"] for a in (sample["x"], rounding(sample["x"])))
        signal, error = signal + float((want**2).sum()), error + float(((other - want) ** 2).sum())
    assert x is function.ops[0].operands[0]
    assert got == pytest.approx(error / signal, rel=1e-4)


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half the work: places are measured together and share what they cost; the same every time."""
    function = chain().main
    types = {id(op.result): op.result.type.with_quant(Quant.per_tensor(1.0)) for op in function.ops}
    places = [c.place for c in weight_candidates(function, types, ())]
    whole = Meter(function, SAMPLES)
    apart = whole.measure(places)
    monkeypatch.setattr(noise, "WORK", sum(whole._work(p) for p in places) / 2)
    shared = Meter(function, SAMPLES[:1]).measure(places)
    assert len(places) == 2 and shared[0] == shared[1] and apart[0] != apart[1]


def test_precisions_are_parsed() -> None:
    assert parse_precision("int8") == ("int8", None)
    assert parse_precision("mixed:32.5dB") == ("mixed", 32.5)
    for wrong in ("int4", "mixed", "mixed:", "mixed:loud", "int16:3"):
        with pytest.raises(UsageError, match="unknown precision"):
            parse_precision(wrong)


def test_values_that_matter_are_wide_and_others_are_not() -> None:
    """The input matters; what is scaled down to nothing keeps 8 bits whatever the target."""
    narrow, wide = quantized("int8").main, quantized("mixed:60dB").main
    assert (narrow.inputs[0].type.dtype, wide.inputs[0].type.dtype) == (DType.I8, DType.I16)
    assert any(r.type.dtype is DType.I8 for op in wide.ops for r in op.results)
