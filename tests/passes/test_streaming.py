"""Step by step gives the bits of the whole sequence; what looks ahead is refused."""

from __future__ import annotations

import numpy as np
import pytest

from emberc.errors import UnsupportedError, UsageError
from emberc.golden import step_inputs
from emberc.ir.builder import Builder
from emberc.ir.graph import Function, Module
from emberc.ir.interpreter import run_function, run_steps
from emberc.ir.op import op_class
from emberc.ir.types import DType, TensorType
from emberc.ir.values import Value
from emberc.ir.verifier import verify
from emberc.passes import PassManager, Quantize, default_pipeline
from emberc.passes.streaming import stream, streaming_pipeline
from emberc.quant.calibration import synthetic_calibration
from tests.mamba import Config, mamba
from tests.quant.modules import module as text


def quantized(module: Module, precision: str = "int8") -> Module:
    """The integer module, before rows are tiled."""
    data = synthetic_calibration(module.main, samples=4)
    module.calibration = data
    PassManager(streaming_pipeline(default_pipeline(Quantize(precision=precision)))).run(module)
    return module


def same_bits(module: Module, precision: str = "int8") -> Function:
    """Checks every row of a module whose output has one for every step, or the last of one that has not."""
    module = quantized(module, precision)
    steps = stream(module)
    verify(steps)
    rng = np.random.default_rng(3)
    inputs = {}
    for v in module.main.inputs:
        lo, hi = (0, 9) if v.type.quant is None else v.type.dtype.limits
        inputs[v.name or ""] = rng.integers(lo, hi, v.shape).astype(v.type.dtype.numpy)
    want = run_function(module.main, inputs)
    rows = list(run_steps(steps.main, step_inputs(module.main, inputs)))
    for name, whole in want.items():
        if whole.ndim > 1 and whole.shape[1] == len(rows):
            got = np.concatenate([r[name] for r in rows], 1)
            np.testing.assert_array_equal(got, whole)
        else:
            np.testing.assert_array_equal(rows[-1][name].reshape(whole.shape), whole)
    return steps.main


@pytest.mark.parametrize("head", ["", "rms", "mean", "last"])
def test_mamba(head: str) -> None:
    config = Config(layers=2, length=12, head=head)
    step = same_bits(mamba(config))
    assert [s.name.split("_")[0] for s in step.states[:4]] == ["conv", "scan", "conv", "scan"]
    assert all(v.shape[:2] in ((1, 1), (1, 3), (1, 32)) for v in step.inputs)


def test_sixteen_bits() -> None:
    """A scan reads int8 whatever the precision: its scales follow from that, not from the wider value before it."""
    same_bits(mamba(Config(layers=1, length=6, head="")), "int16")
    same_bits(decoder(), "int16")
    same_bits(decoder(positions=False), "int16")


def test_mamba_2() -> None:
    same_bits(mamba(Config(layers=1, length=9, head="", heads=4, states=5)))


def decoder(causal: bool = True, positions: bool = True, length: int = 7) -> Module:
    """A block of a GPT: learned positions, a packed projection, causal attention over two heads, a tied head."""
    rng, b, d = np.random.default_rng(4), Builder(fold=False), 8

    def const(*shape: int) -> Value:
        return b.const(rng.standard_normal(shape).astype(np.float32) / 2)

    def emit(code: str, *operands: object, **attrs: object) -> Value:
        return b.emit(op_class(code), *operands, **attrs)

    b.loc = "/h.0"
    ids = Value(TensorType(DType.I64, (1, length)), "ids")
    where = b.const(np.arange(length, dtype=np.int64)[None])
    x = emit("f.embed", [ids, where, const(10, d), const(length, d)] if positions else [ids, const(10, d)])
    qkv = emit("f.linear", x, const(3 * d, d), const(3 * d))
    y = emit(
        "f.attention", qkv, qkv, qkv, heads=2, head_dim=d // 2, scale=0.5, k_offset=d, v_offset=2 * d, causal=causal
    )
    x = emit("f.add", emit("f.linear", y, const(d, d), None), x)
    x = emit("f.mul", x, const(1, length, d))  # rows that differ, as rotary angles do
    return Module("gpt", {"main": Function("main", [ids], b.ops, {"y": emit("f.linear", x, const(10, d), None)})})


def test_decoder() -> None:
    step = same_bits(decoder())
    assert sorted(s.name.split("_")[0] for s in step.states) == ["cache", "cache", "position"]
    shapes = {v.name: v.shape for v in step.inputs}
    assert [s for n, s in shapes.items() if n and n.startswith("cache")] == [(1, 7, 8), (1, 7, 8)]
    same_bits(decoder(positions=False))


def test_a_step_too_many_is_an_error() -> None:
    step = stream(quantized(decoder())).main
    with pytest.raises(UsageError, match="full: the model has room for 7 steps"):
        list(run_steps(step, iter([{"ids": np.zeros((1, 1), np.int32)}] * 8)))


def test_a_dilated_causal_convolution() -> None:
    module = text(
        "%x : f32[1, 9, 2]",
        "%r = f.depthwise_rows %x, %w, %b {before = 4, dilation = 2} : f32[1, 9, 2]",
        "%s = f.tanh %r : f32[1, 9, 2]",
        outs='%s as "s"',
        constants=("%w : f32[3, 2] = [1, 2, 3, 4, 5, 6]", "%b : f32[2] = [0.5, -1]"),
    )
    assert [s.name for s in same_bits(module).states] == ["rows_0"]


@pytest.mark.parametrize("pads", [(4, 0), (4, 4)], ids=["zeros before the first", "both ends, the last rows cut off"])
def test_a_causal_convolution_as_models_write_it(pads: tuple[int, int]) -> None:
    before, after = pads if pads[1] else (0, 0)
    module = text(
        "%x : f32[1, 9, 2]",
        f"%p = f.pad %x {{pads = [0, {4 - before}, 0, 0, 0, 0]}} : f32[1, {13 - before}, 2]",
        f"%t = f.transpose %p {{perm = [0, 2, 1]}} : f32[1, 2, {13 - before}]",
        f"%c = f.conv %t, %w, _ {{strides = [1], dilations = [2], pads = [{before}, {after}]}} : "
        f"f32[1, 2, {9 + after}]",
        "%s = f.slice %c {starts = [0], ends = [9], axes = [2], steps = [1]} : f32[1, 2, 9]",
        "%r = f.transpose %s {perm = [0, 2, 1]} : f32[1, 9, 2]",
        outs='%r as "r"',
        constants=("%w : f32[2, 2, 3] = [1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6]",),
    )
    assert [s.name for s in same_bits(module).states] == ["rows_0"]


def test_channels_before_time() -> None:
    """[1, C, L], as torch's convolutions take it: a call has one column."""
    module = text(
        "%x : f32[1, 2, 9]",
        "%c = f.conv %x, %w, _ {strides = [1], dilations = [1], pads = [2, 0]} : f32[1, 2, 9]",
        "%s = f.add %c, %x : f32[1, 2, 9]",
        "%r = f.transpose %s {perm = [0, 2, 1]} : f32[1, 9, 2]",
        outs='%r as "r"',
        constants=("%w : f32[2, 2, 3] = [1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6]",),
    )
    step = same_bits(module)
    assert step.inputs[0].shape == (1, 2, 1) and step.outputs["r"].shape == (1, 1, 2)


REFUSED = {
    "attention looks at steps to come": lambda: decoder(causal=False),
    "its window looks ahead": lambda: text(
        "%x : f32[1, 9, 2]",
        "%r = f.depthwise_rows %x, %w, _ {before = 1, after = 1} : f32[1, 9, 2]",
        outs='%r as "r"',
        constants=("%w : f32[3, 2] = [1, 2, 3, 4, 5, 6]",),
    ),
    "it takes other steps than the last": lambda: text(
        "%x : f32[1, 9, 2]",
        "%r = f.slice %x {starts = [0], ends = [1], axes = [1], steps = [1]} : f32[1, 1, 2]",
        outs='%r as "r"',
    ),
    "a maximum over time": lambda: text(
        "%x : f32[1, 9, 2]",
        '%r = f.reduce %x {kind = "max", axes = [1], keepdims = false} : f32[1, 2]',
        outs='%r as "r"',
    ),
    "mixes all steps": lambda: text(
        "%x : f32[1, 9]",
        "%r = f.linear %x, %w, _ : f32[1, 2]",
        outs='%r as "r"',
        constants=("%w : f32[2, 9] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]",),
    ),
    "has no form for single steps": lambda: text(
        "%x : f32[1, 4, 4], %i : i64[1, 4]",
        "%r = f.matmul %x, %x : f32[1, 4, 4]",
        outs='%r as "r"',
    ),
}


@pytest.mark.parametrize("problem", REFUSED)
def test_refuses_with_the_way_out(problem: str) -> None:
    with pytest.raises(UnsupportedError, match=problem) as raised:
        stream(quantized(REFUSED[problem]()))
    assert "compile without --streaming" in " ".join(raised.value.hints)


def test_an_input_without_steps_is_given_at_every_call() -> None:
    """A speaker, added to every frame after a product of its own."""
    module = text(
        "%x : f32[1, 9, 2], %speaker : f32[1, 1, 3]",
        "%s = f.linear %speaker, %w, _ : f32[1, 1, 2]",
        "%a = f.add %x, %s : f32[1, 9, 2]",
        "%y = f.tanh %a : f32[1, 9, 2]",
        outs='%y as "y"',
        constants=("%w : f32[2, 3] = [1, 2, 3, 4, 5, 6]",),
    )
    step = same_bits(module)
    assert [v.shape for v in step.inputs] == [(1, 1, 2), (1, 1, 3)]
    assert "'speaker' has no steps" in stream(module).notes[-1]
