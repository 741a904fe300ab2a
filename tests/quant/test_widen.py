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
from emberc.quant.calibration import CalibrationData, observe
from emberc.quant.noise import Meter, Place, at_most
from emberc.quant.observers import Statistics
from emberc.quant.precision import Policy, choose_types, parse_precision
from emberc.quant.widen import INT8_DB, choose, too_noisy, value_candidates, weight_candidates
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


def cancelling() -> Module:
    """What is left of two numbers that are all but equal: 8 bits of x are too few."""
    return module(
        "%x : f32[3, 8]",
        "%a = f.linear %x, %difference, _ : f32[3, 4]",
        "%r = f.linear %a, %second, _ : f32[3, 8]",
        outs='%r as "r"',
        constants=(
            "%difference : f32[4, 8] = [1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 1, -1, 0, 0, 0, 0, "
            "0, 0, 0, 0, 1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 1, -1]",
            f"%second : f32[8, 4] = [{', '.join(NUMBERS.split(', ')[:32])}]",
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


def test_the_default_widens_what_costs_too_much_and_says_so() -> None:
    """x, the cause, not the products that come after it; and nothing where int8 is enough."""
    near = RNG.normal(size=(12, 3, 4)).repeat(2, axis=2) + RNG.normal(size=(12, 3, 8)) / 50
    samples = tuple({"x": x.astype(np.float32)} for x in near)
    m = cancelling()
    m.calibration = CalibrationData(samples, samples)
    PassManager(Pipeline([Quantize()])).run(m)
    assert [(c.op, c.what) for c in m.choices if c.dtype == "i16"] == [("input", "value")]
    assert m.main.inputs[0].type.dtype is DType.I16
    (note,) = m.notes
    assert f"below the default's {INT8_DB:.0f}" in note
    fine = quantized("int8")
    assert not fine.choices and not fine.notes


def test_noise_is_measured_over_ranges_that_the_sample_had_no_say_in() -> None:
    """The largest of four samples clips in the range of the other three, and only there."""
    function = chain().main
    x = function.inputs[0]
    samples = [{"x": np.full((3, 8), top, np.float32)} for top in (1, 2, 9, 3)]
    left_out: list[dict[int, Statistics]] = [{} for _ in range(2)]
    whole = observe(function, tuple(samples), histograms=False, left_out=left_out)
    assert whole[id(x)].hi == 9 and [s[id(x)].hi for s in left_out] == [9, 9]
    left_out = [{} for _ in samples]
    observe(function, tuple(samples), histograms=False, left_out=left_out)
    assert [s[id(x)].hi for s in left_out] == [9, 9, 3, 9]
    assert [s[id(x)].rows for s in left_out] == [9] * 4
    apart = [choose_types(function, s, Policy()) for s in left_out]
    types = choose_types(function, whole, Policy())
    place = next(c.place for c in value_candidates(function, types, (), apart) if id(x) in c.keys)
    errors = [abs(float(place.roundings[id(x)](s["x"], i)[0, 0]) - s["x"][0, 0]) for i, s in enumerate(samples)]
    step = types[id(x)].quant.scale[0]  # type: ignore[union-attr]
    assert errors[2] > 10 * step and max(errors[:2] + errors[3:]) < step


def test_other_samples_may_be_worse_by_as_much_as_samples_differ() -> None:
    alike = np.array([[1.0, 100.0]] * 8)
    assert at_most(alike) == pytest.approx(0.01)
    powers = np.column_stack([RNG.gamma(9, size=2000), RNG.normal(size=2000) + 99])
    below = [
        at_most(powers[i : i + 8]) > float(powers[i + 8 : i + 16, 0].sum() / powers[i + 8 : i + 16, 1].sum())
        for i in range(0, 1984, 16)
    ]
    assert 0.88 < float(np.mean(below)) < 0.99
    assert at_most(powers[:1]) == powers[0, 0] / powers[0, 1]


def test_what_is_measured_is_what_rounding_does() -> None:
    function = chain().main
    x = function.inputs[0]
    step = 0.05

    def rounding(a: Array, _: int = 0) -> Array:
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


def test_the_default_does_not_double_many_weights() -> None:
    """All 8 weights, asked for 0 noise, and one of them where it may double an eighth of the bytes."""
    m = module(
        "%x : f32[3, 8]",
        *[f"%x{i + 1} = f.linear %{f'x{i}' if i else 'x'}, %w{i}, _ : f32[3, 8]" for i in range(8)],
        outs='%x8 as "r"',
        constants=tuple(f"%w{i} : f32[8, 8] = [{NUMBERS}]" for i in range(8)),
    )
    types = {id(op.result): op.result.type.with_quant(Quant.per_tensor(1.0)) for op in m.main.ops}
    candidates = weight_candidates(m.main, types, ())
    for share, count in ((1.0, 8), (1 / 8, 1), (0.1, 0)):
        keys, choices = choose(Meter(m.main, SAMPLES), candidates, 0.0, share=share)
        assert len(keys) == count == sum(c.dtype == "i16" for c in choices)


@pytest.mark.parametrize(
    ("after", "does", "hint"), [(22.5, True, False), (21.0, True, True), (15.0, False, True)], ids=str
)
def test_what_the_default_does_is_said(after: float, does: bool, hint: bool) -> None:
    note = too_noisy(0.1, 10 ** (-after / 10), 22)
    assert note.startswith("int8 alone may leave the outputs at 10.0 dB")
    assert (does, hint) == ("what costs them most has 16 bits" in note, "--precision mixed:22dB" in note)
