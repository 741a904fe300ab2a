"""Each lowering on its own: the integers against the float op on the very reals that the integers stand for.

The inputs' rounding is thus no part of the difference; what is left is the lowering's own, in output steps.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from emberc.errors import EmberError, UnsupportedError, UsageError, VerifyError
from emberc.ir.graph import Function, Module
from emberc.ir.interpreter import run_function
from emberc.ir.op import Op, operand, result
from emberc.ir.ops.float_fused import Linear
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Constant, Value
from emberc.passes import PassManager, Pipeline, Quantize
from emberc.passes.lower.attention import largest_factor
from emberc.passes.lower.context import LOWERINGS, Lowering
from emberc.quant.calibration import CalibrationData, synthetic_calibration
from emberc.quant.multiplier import multiplier
from tests.quant.modules import module


def text(
    *lines: str, x: str = "f32[4, 6]", y: str = "", outs: str = '%r as "r"', constants: tuple[str, ...] = ()
) -> Module:
    inputs = f"%x : {x}" + (f", {y}" if y else "")
    return module(inputs, *lines, outs=outs, constants=constants)


def quantized(m: Module, **options: str) -> tuple[Function, CalibrationData]:
    data = synthetic_calibration(m.main, samples=6)
    m.calibration = data
    PassManager(Pipeline([Quantize(**options)])).run(m)  # type: ignore[arg-type]
    return m.main, data


def integers(f: Function, sample: Mapping[str, Array]) -> dict[str, Array]:
    out = {}
    for v in f.inputs:
        a = sample[v.name or ""]
        out[v.name or ""] = v.type.quant.quantize(a, v.type.dtype) if v.type.quant else a.astype(v.type.dtype.numpy)
    return out


def worst_steps(build: object, **options: str) -> float:
    """The largest difference over six samples, in steps of the output."""
    float_form, integer_form = build(), build()  # type: ignore[operator]
    f, data = quantized(integer_form, **options)
    worst = 0.0
    for sample in data.samples:
        q = integers(f, sample)
        reals = {v.name or "": v.type.quant.dequantize(q[v.name or ""]) if v.type.quant else sample[v.name or ""]
                 for v in f.inputs}  # fmt: skip
        want, got = run_function(float_form.main, reals), run_function(f, q)
        for name, v in f.outputs.items():
            if v.type.quant is None:
                np.testing.assert_array_equal(got[name], want[name])
                continue
            lo, hi = (float(e) for e in v.type.quant.dequantize(np.array(v.type.dtype.limits)).reshape(-1))
            clipped = np.clip(want[name].astype(np.float64), lo, hi)
            diff = np.abs(v.type.quant.dequantize(got[name]).astype(np.float64) - clipped)
            worst = max(worst, float((diff / v.type.quant.scale[0]).max()))
    return worst


W = "%w : f32[2, 6] = [127, 3, -50, 20, 7, -9, -127, 64, 32, 16, 8, 4]"
B = "%b : f32[2] = [1.5, -2.25]"
WT = "%wt : f32[2, 2, 3] = [127, 3, -50, 20, 7, -9, -127, 64, 32, 16, 8, 4]"
G = "%g : f32[6] = [1, 2, 0.5, -1, 1.5, 0.25]"
KERNEL = "%k : f32[2, 2, 3] = [127, 3, -50, 20, 7, -9, -127, 64, 32, 16, 8, 4]"
TOKENS = "%t : f32[5, 2] = [127, 3, -50, 20, 7, -127, 64, 32, 16, 8]"

#: what is lowered, its float form, and the steps of difference allowed with 8 and with 16 bit outputs.
#: 0.5 is the rounding itself; 16 bits show 15-bit multipliers and, in attention, the 12 bits of its weights.
FAMILIES: dict[str, tuple[object, float, float]] = {
    "add": (lambda: text("%r = f.add %x, %y : f32[4, 6]", y="%y : f32[6]"), 0.6, 1.2),
    "sub": (lambda: text("%r = f.sub %x, %y : f32[4, 6]", y="%y : f32[4, 1]"), 0.6, 1.2),
    "mul": (lambda: text("%r = f.mul %x, %y : f32[4, 6]", y="%y : f32[6]"), 0.6, 0.6),
    "magnitude": (lambda: text("%r = f.magnitude %x, %y : f32[4, 6]", y="%y : f32[4, 6]"), 1.0, 128.0),
    "mul by a number": (lambda: text("%r = f.mul %x, %c : f32[4, 6]", constants=("%c : f32[] = [-0.37]",)), 0.6, 1.2),
    "mul by a row": (lambda: text("%r = f.mul %x, %g : f32[4, 6]", constants=(G,)), 0.6, 1.2),
    "tanh": (lambda: text("%r = f.tanh %x : f32[4, 6]"), 0.6, 0.6),
    "gelu": (lambda: text("%r = f.gelu %x : f32[4, 6]"), 0.6, 0.6),
    "relu": (lambda: text("%r = f.relu %x : f32[4, 6]"), 0.6, 0.6),
    "exp": (lambda: text("%r = f.exp %x : f32[4, 6]"), 0.6, 0.6),
    "atan": (lambda: text('%r = f.elementary %x {kind = "atan"} : f32[4, 6]'), 0.6, 0.6),
    "pointwise": (
        lambda: text('%r = f.pointwise %x {steps = ["0.5", "f.mul 0 1", "f.sin 2", "f.add 3 0"]} : f32[4, 6]'),
        0.6, 0.6),
    "a prescribed rounding": (
        lambda: text('%r = f.fake_quant %x {scale = 0.03, zero_point = 140, dtype = "u8"} : f32[4, 6]'), 1.0, 1.0),
    "linear": (lambda: text("%r = f.linear %x, %w, %b : f32[4, 2]", constants=(W, B)), 0.6, 1.2),
    "matmul by weights": (
        lambda: text("%r = f.matmul %x, %wt : f32[2, 2, 3]", x="f32[2, 2, 2]", constants=(WT,)), 0.6, 0.6),
    "matmul": (lambda: text("%r = f.matmul %x, %y : f32[4, 3]", y="%y : f32[6, 3]"), 0.6, 0.6),
    "softmax": (lambda: text("%r = f.softmax %x {axis = 1} : f32[4, 6]"), 0.6, 0.6),
    "softmax over rows": (lambda: text("%r = f.softmax %x {axis = 0} : f32[4, 6]"), 0.6, 0.6),
    "layer_norm": (lambda: text("%r = f.layer_norm %x, %g, %g {axis = 1} : f32[4, 6]", constants=(G,)), 0.6, 1.2),
    "rms_norm": (lambda: text("%r = f.rms_norm %x, %g {axis = 1} : f32[4, 6]", constants=(G,)), 0.6, 1.2),
    "norm over two axes": (
        lambda: text("%r = f.layer_norm %x, %c, _ {axis = 0} : f32[4, 6]", constants=("%c : f32[1] = [1]",)), 0.6, 1.2),
    "attention": (
        lambda: text("%r = f.attention %x, %k, %v, _ {heads = 2, head_dim = 3, scale = 0.6} : f32[1, 4, 6]",
                     x="f32[1, 4, 6]", y="%k : f32[1, 5, 6], %v : f32[1, 5, 6]"), 0.8, 80.0),
    "attention, masked": (
        lambda: text('%b = f.cast %m {to = "bool"} : bool[1, 1, 1, 5]',
                     "%r = f.attention %x, %k, %v, %b {heads = 2, head_dim = 3, scale = 0.6} : f32[1, 4, 6]",
                     x="f32[1, 4, 6]", y="%k : f32[1, 5, 6], %v : f32[1, 5, 6], %m : i64[1, 1, 1, 5]"), 0.8, 80.0),
    "embed": (lambda: text("%r = f.embed %x, %t : f32[3, 2]", x="i64[3]", constants=(TOKENS,)), 0.6, 0.6),
    "mean": (lambda: text('%r = f.reduce %x {kind = "mean", axes = [0]} : f32[1, 6]'), 0.6, 0.6),
    "sum": (lambda: text('%r = f.reduce %x {kind = "sum", axes = [1], keepdims = false} : f32[4]'), 0.6, 0.6),
    "max": (lambda: text('%r = f.reduce %x {kind = "max", axes = [1]} : f32[4, 1]'), 0.6, 1.2),
    "mean over two axes": (
        lambda: text('%r = f.reduce %x {kind = "mean", axes = [0, 2], keepdims = false} : f32[3]', x="f32[4, 3, 5]"),
        0.6, 0.6),
    "conv": (
        lambda: text('%r = f.conv_rows %x, %k, %b {strides = [2], dilations = [1], pads = [1, 0]} : f32[1, 3, 2]',
                     x="f32[1, 6, 3]", constants=(KERNEL, B)), 0.6, 2.0),  # 0.5, and a bias in whole steps of the sum
    "conv without a bias": (
        lambda: text('%r = f.conv_rows %x, %k, _ {strides = [2], dilations = [1], pads = [1, 0]} : f32[1, 3, 2]',
                     x="f32[1, 6, 3]", constants=(KERNEL,)), 0.6, 0.6),
    "depthwise": (
        lambda: text('%r = f.conv_rows %x, %k, _ {strides = [1, 2], dilations = [1, 1], pads = [1, 0, 0, 1],'
                     " groups = 3} : f32[1, 4, 3, 3]", x="f32[1, 4, 6, 3]",
                     constants=("%k : f32[3, 2, 2, 1] = [127, 3, -50, 20, 7, -9, -127, 64, 32, 127, 8, 4]",)),
        0.6, 1.2),
    "max pool": (
        lambda: text('%r = f.pool_rows %x {kernel = [3], kind = "max", strides = [2], dilations = [1], pads = [1, 1]}'
                     " : f32[1, 3, 3]", x="f32[1, 6, 3]"), 0.6, 1.2),
    "mean pool": (
        lambda: text('%r = f.pool_rows %x {kernel = [3], kind = "mean", strides = [2], dilations = [1], pads = [1, 1]}'
                     " : f32[1, 3, 3]", x="f32[1, 6, 3]"), 0.6, 1.2),
    "mean pool, padding counts": (
        lambda: text('%r = f.pool_rows %x {kernel = [3], kind = "mean", count_pads = true, strides = [1],'
                     " dilations = [1], pads = [2, 0]} : f32[1, 6, 3]", x="f32[1, 6, 3]"), 0.6, 1.2),
    "reflected padding": (
        lambda: text('%r = f.pad %x {pads = [0, 2, 1, 1], mode = "reflect"} : f32[5, 9]'), 0.0, 0.0),
    "where the largest is": (
        lambda: text("%r = f.argmax %x {axis = 1, keepdims = false} : i64[4]"), 0.0, 0.0),
    "where the smallest index is": (
        lambda: text("%r = f.argmax %x {axis = 0, smallest = true, last = true} : i64[1, 6]", x="i64[4, 6]"), 0.0, 0.0),
    "the two smallest": (
        lambda: text("%r, %p = f.topk %x {k = 2, axis = 1, smallest = true} : f32[4, 2], i64[4, 2]"), 0.6, 1.2),
    "min": (lambda: text('%r = f.reduce %x {kind = "min", axes = [1]} : f32[4, 1]'), 0.6, 1.2),
    "larger of two": (lambda: text("%r = f.max %x, %y : f32[4, 6]", y="%y : f32[6]"), 0.6, 1.3),
    "smaller of two": (lambda: text("%r = f.min %x, %y : f32[4, 6]", y="%y : f32[4, 1]"), 0.6, 1.2),
    "a comparison as a number": (
        lambda: text("%b = f.less %x, %y : bool[4, 6]", '%r = f.cast %b {to = "f32"} : f32[4, 6]', y="%y : f32[6]"),
        0.6, 0.6),
    "constant index tuples": (
        lambda: text("%r = f.gather_nd %x, %i : f32[2]", constants=("%i : i64[2, 2] = [3, 5, 0, -1]",)), 0.0, 0.0),
    "matrix and vector": (lambda: text("%r = f.matmul %x, %y : f32[4]", y="%y : f32[6]"), 0.6, 0.6),
    "product with broadcast batches": (
        lambda: text("%r = f.matmul %x, %y : f32[3, 2, 4, 5]", x="f32[3, 1, 4, 6]", y="%y : f32[2, 6, 5]"), 0.6, 0.6),
    "concat": (lambda: text("%r = f.concat %x, %y {axis = 0} : f32[5, 6]", y="%y : f32[1, 6]"), 0.6, 1.2),
    "movement": (
        lambda: text("%a = f.transpose %x {perm = [1, 0]} : f32[6, 4]",
                     "%s = f.reshape %a {shape = [3, 8]} : f32[3, 8]",
                     "%t = f.slice %s {starts = [1], ends = [3], axes = [0], steps = [1]} : f32[2, 8]",
                     "%r = f.expand %t {shape = [2, 2, 8]} : f32[2, 2, 8]"), 0.0, 0.0),
    "where": (
        lambda: text('%b = f.cast %m {to = "bool"} : bool[6]', "%r = f.where %b, %x, %y : f32[4, 6]",
                     y="%y : f32[4, 6], %m : i64[6]"), 0.6, 1.2),
    "masks": (
        lambda: text('%b = f.cast %x {to = "bool"} : bool[6]', "%e = f.equal %x, %one : bool[6]",
                     "%n = f.not %e : bool[6]", "%r = f.xor %b, %n : bool[6]", x="i64[6]",
                     constants=("%one : i64[] = [1]",)), 0.0, 0.0),
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_integers_are_the_float_op_within_steps(family: str) -> None:
    build, _, wide = FAMILIES[family]
    assert worst_steps(build) <= wide, "small outputs have 16 bits"


def test_what_a_convolution_loses_beside_the_rounding_is_its_bias_rounded_to_steps_of_the_sum() -> None:
    """int16 from int8: a step of the sum is more than two of the result, so half of one is more than the rounding."""
    build, _, wide = FAMILIES["conv"]
    f, _ = quantized(build())  # type: ignore[operator]
    x, out = f.inputs[0].type.quant, f.outputs["r"].type.quant
    assert x is not None and out is not None
    step = x.scale[0] / out.scale[0]  # the weights lie on a grid of step 1
    off = max(abs(b / x.scale[0] - np.rint(b / x.scale[0])) for b in (1.5, -2.25))
    assert 0.5 < step * off < worst_steps(build) < 0.6 + step * off <= wide


@pytest.mark.parametrize("family", FAMILIES)
def test_with_8_bits_little_but_the_rounding_is_left(family: str) -> None:
    """A node's override takes its result to int8."""
    build, narrow, _ = FAMILIES[family]

    def located() -> Module:
        m = build()  # type: ignore[operator]
        m.main.ops[-1].loc = "/it"
        return m

    assert worst_steps(located, overrides="/it=i8") <= narrow


@pytest.mark.parametrize(("function", "steps"), [("tanh", 4.0), ("sigmoid", 8.0), ("gelu", 64.0), ("silu", 64.0)])
def test_16_bit_functions_are_interpolated(function: str, steps: float) -> None:
    """513 knots, 128 steps of x apart. The chord is less than a step away from the curve, but in the last segment,
    whose far knot is beyond the calibrated range and saturates: half of that segment's rise, 64 steps at slope 1."""
    assert 0.3 < worst_steps(lambda: text(f"%r = f.{function} %x : f32[4, 6]"), precision="int16") <= steps


def types_of(m: Module, **options: str) -> dict[str, DType]:
    f, _ = quantized(m, **options)
    return {v.name or "": v.type.dtype for v in [*f.inputs, *(r for op in f.ops for r in op.results)]}


def block() -> Module:
    """A residual stream, a norm, a linear that reads it, a wide output."""
    return text(
        "%a = f.add %x, %x : f32[4, 6]", "%n = f.layer_norm %a, %g, _ {axis = 1} : f32[4, 6]",
        '%u = f.linear %n, %w, _ : f32[4, 2] loc "/up"', "%e = f.tanh %u : f32[4, 2]",
        "%s = f.softmax %e {axis = 1} : f32[4, 2]", "%z = f.sigmoid %s : f32[4, 2]", outs='%z as "z"', constants=(G, W),
    )  # fmt: skip


def test_16_bits_go_where_no_product_reads() -> None:
    types = types_of(block())
    assert types == {
        "x": DType.I16,
        "a": DType.I16,
        "n": DType.I8,
        "u": DType.I8,
        "e": DType.I8,
        "s": DType.I8,
        "z": DType.I16,
    }


def test_precision_int16_and_overrides() -> None:
    assert types_of(block(), precision="int16")["n"] is DType.I16
    assert types_of(block(), overrides="/up=i16")["u"] is DType.I16
    assert types_of(block(), precision="int16", overrides="/up=i8")["u"] is DType.I8


@pytest.mark.parametrize("bound", [1, 3, 1 << 19, (1 << 19) - 1, 1 << 35])
def test_the_largest_factor_is_one_that_a_multiplier_takes(bound: int) -> None:
    factor = largest_factor(bound)
    multiplier(factor, bound)
    with pytest.raises(UnsupportedError):
        multiplier(4 * factor, bound)


@pytest.mark.parametrize("precision", ["int8", "int16"])
def test_attention_takes_scores_beyond_all_measure(precision: str) -> None:
    line = "%r = f.attention %x, %x, %x, _ {heads = 2, head_dim = 3, scale = 1e7} : f32[1, 4, 6]"
    function, data = quantized(text(line, x="f32[1, 4, 6]"), precision=precision)
    run_function(function, integers(function, data.samples[0]))


def test_a_vocabulary_of_logits_stays_at_8_bits() -> None:
    wide = module("%x : f32[5000]", "%r = f.add %x, %x : f32[5000]", outs='%r as "r"')
    assert types_of(wide)["r"] is DType.I8


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"precision": "int4"}, "unknown precision 'int4'"),
        ({"observer": "median"}, "unknown observer 'median'"),
        ({"overrides": "/up=i4"}, "override '/up=i4' is not NODE=i8 or NODE=i16"),
        ({"overrides": "/up"}, "override '/up' is not NODE=i8 or NODE=i16"),
        ({"overrides": "/down=i8"}, "override '/down=i8': no op comes from a node '/down'"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError) as e:
        quantized(block(), **options)
    assert says in e.value.message


class Strange(Op):
    """y = x, and nobody knows how in integers."""

    opcode = "test.strange"
    x = operand()
    y = result()

    def infer(self) -> list[TensorType]:
        return [self.x.type]


@pytest.mark.parametrize(
    ("lines", "x", "says"),
    [
        (("%r = test.strange %x : f32[4, 6]",), "f32[4, 6]", "1 kinds of op have no integer form: test.strange"),
        (
            ('%r = f.reduce %x {kind = "prod", axes = [0]} : f32[1, 6]',),
            "f32[4, 6]",
            "reduction 'prod' of f32 values is not compiled",
        ),
        (('%r = f.cast %x {to = "i64"} : i64[4]',), "f32[4]", "a cast from f32 to i64 is left after folding"),
    ],
)
def test_what_has_no_integer_form_is_refused(lines: tuple[str, ...], x: str, says: str) -> None:
    with pytest.raises(EmberError) as e:
        quantized(text(*lines, x=x))
    assert says in e.value.message


@pytest.mark.parametrize(("top", "table"), [(1, False), (12, True)])
def test_integers_become_reals_and_saturate_where_calibration_ends(top: int, table: bool) -> None:
    """A mask is chosen, other counts are looked up."""
    m = text('%r = f.cast %x {to = "f32"} : f32[4]', "%y = f.mul %r, %r : f32[4]", x="i64[4]", outs='%y as "y"')
    seen = {"x": np.array([0, 1, top, top])}
    m.calibration = CalibrationData((seen,) * 32, (seen,))
    PassManager(Pipeline([Quantize()])).run(m)
    assert any(op.opcode == "q.gather" for op in m.main.ops) is table
    (y,) = m.main.outputs.values()
    (got,) = run_function(m.main, {"x": np.array([0, 1, top, 10 * top], np.int32)}).values()
    assert y.type.quant is not None
    real = y.type.quant.dequantize(got)
    np.testing.assert_allclose(real[:3], np.array([0, 1, top]) ** 2, atol=y.type.quant.scale[0] + 0.02 * top**2)
    assert top**2 * 0.95 <= real[3] < 10 * top**2


def test_counts_too_far_apart_for_a_table_are_refused() -> None:
    m = text('%r = f.cast %x {to = "f32"} : f32[4]', "%y = f.mul %r, %r : f32[4]", x="i64[4]", outs='%y as "y"')
    seen = {"x": np.array([0, 1, 2, 100_000])}
    m.calibration = CalibrationData((seen,), (seen,))
    with pytest.raises(EmberError, match="more than the 4096 that a table holds") as e:
        PassManager(Pipeline([Quantize()])).run(m)
    assert e.value.hints


def test_integers_are_clipped() -> None:
    m = text("%y = f.clip %x {lo = -1, hi = 5} : i64[4]", x="i64[4]", outs='%y as "y"')
    f, _ = quantized(m)
    (got,) = run_function(f, {"x": np.array([-9, -1, 3, 70], np.int32)}).values()
    np.testing.assert_array_equal(got, [-1, -1, 3, 5])


def test_a_hidden_number_leaves_the_range_of_a_maximum_alone() -> None:
    """Max pooling over the tokens that a mask shows."""
    lines = (
        "%w = f.where %m, %x, %low : f32[4, 6]",
        '%r = f.reduce %w {kind = "max", axes = [0], keepdims = false} : f32[6]',
    )
    m = text(*lines, y="%m : bool[4, 1]", constants=("%low : f32[] = [-1e9]",))
    f, _ = quantized(m)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 6)).astype(np.float32)
    mask = np.array([[True], [False], [True], [False]])
    (got,) = run_function(f, integers(f, {"x": x, "m": mask})).values()
    (y,) = f.outputs.values()
    assert y.type.quant is not None
    np.testing.assert_allclose(y.type.quant.dequantize(got), x[::2].max(0), atol=0.05)


@pytest.mark.parametrize(("top", "error"), [(1e38, UnsupportedError), (1e-40, UnsupportedError), (1.0, VerifyError)])
def test_a_lowering_that_fails_on_extreme_weights_is_the_models_fault(
    monkeypatch: pytest.MonkeyPatch, top: float, error: type[EmberError]
) -> None:
    def fails(_op: Op, _ctx: Lowering) -> Value:
        return Value(TensorType(DType.I8, (int(np.rint(np.nan)),)))

    x = Value(TensorType(DType.F32, (1, 2)), "x")
    y = Linear(x, Constant(np.array([[top, 1.0]], np.float32), "w"), None, loc="/dense")
    module = Module("m", {"main": Function("main", [x], [y], {"y": y.result})})
    monkeypatch.setitem(LOWERINGS, "f.linear", fails)
    with pytest.raises(error, match="cannot convert float NaN to integer"):
        PassManager(Pipeline((Quantize(),))).run(module)
