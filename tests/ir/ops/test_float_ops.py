"""Float ops against independent formulas, and the shape rules that their inference enforces."""

import math
from typing import Any

import numpy as np
import pytest

import emberc.ir.ops  # noqa: F401 (registers the ops)
from emberc.errors import UsageError, VerifyError
from emberc.ir.op import OPS, Op, op_class
from emberc.ir.ops.float_unary import erf
from emberc.ir.values import Constant

SIZES = [1, 3, 7, 17, 129]
EXTREMES = [0.0, -0.0, 1e-30, -1e-30, 1e30, -1e30, np.inf, -np.inf, np.nan]


def evaluate(opcode: str, *arrays: Any, **attrs: Any) -> np.ndarray:
    """The reference of one op on arrays, with the result type checked."""
    op = op_class(opcode)(*[None if a is None else Constant(np.asarray(a)) for a in arrays], **attrs)
    with np.errstate(all="ignore"):
        (out,) = op.run(*[None if a is None else np.asarray(a) for a in arrays])
    assert out.shape == op.result.shape
    return out


def values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


UNARY = {
    "f.erf": math.erf,
    "f.tanh": math.tanh,
    "f.sigmoid": sigmoid,
    "f.silu": lambda x: x * sigmoid(x),
    "f.softplus": lambda x: math.log1p(math.exp(-abs(x))) + max(x, 0),
    "f.gelu": lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2))),
    "f.exp": math.exp,
    "f.relu": lambda x: max(x, 0.0),
    "f.floor": math.floor,
    "f.round": round,  # ties to even in both
    "f.sign": lambda x: (x > 0) - (x < 0),
}


@pytest.mark.parametrize("opcode", UNARY)
@pytest.mark.parametrize("size", SIZES)
def test_unary(opcode: str, size: int) -> None:
    x = np.concatenate([4 * values(size), [0.5, -0.5, 1.5, 2.5]]).astype(np.float32)
    want = [UNARY[opcode](float(v)) for v in x]
    np.testing.assert_allclose(evaluate(opcode, x), want, rtol=3e-7, atol=1e-7)


def test_extremes() -> None:
    x = np.array(EXTREMES, np.float32)
    np.testing.assert_array_equal(evaluate("f.sigmoid", x), [0.5, 0.5, 0.5, 0.5, 1, 0, 1, 0, np.nan])
    np.testing.assert_array_equal(evaluate("f.erf", x)[4:], [1, -1, 1, -1, np.nan])
    np.testing.assert_array_equal(evaluate("f.softplus", x)[4:], [np.float32(1e30), 0, np.inf, 0, np.nan])
    np.testing.assert_array_equal(evaluate("f.isnan", x), [False] * 8 + [True])
    np.testing.assert_array_equal(
        evaluate("f.relu", x), [0, 0, np.float32(1e-30), 0, np.float32(1e30), 0, np.inf, 0, np.nan]
    )


def test_erf_is_exact_to_a_billionth() -> None:
    x = np.linspace(-7, 7, 20001)
    assert np.abs(erf(x) - [math.erf(v) for v in x]).max() < 1e-9


def test_gelu_tanh() -> None:
    x = values(129)
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    np.testing.assert_allclose(evaluate("f.gelu", x, approximate="tanh"), 0.5 * x * (1 + np.tanh(inner)), atol=1e-6)


@pytest.mark.parametrize(("a", "b", "want"), [(7, 2, 3), (-7, 2, -3), (7, -2, -3), (-7, -2, 3), (6, -2, -3), (0, 5, 0)])
def test_integers_divide_toward_zero(a: int, b: int, want: int) -> None:
    assert evaluate("f.div", np.int64(a), np.int64(b)) == want


@pytest.mark.parametrize(("fmod", "want"), [(False, [1, 2, -2, -1]), (True, [1, -1, 1, -1])])
def test_remainder(fmod: bool, want: list[int]) -> None:
    got = evaluate("f.mod", np.array([7, -7, 7, -7]), np.array([3, 3, -3, -3]), fmod=fmod)
    np.testing.assert_array_equal(got, want)


def test_softmax_of_a_masked_row_is_not_a_number_and_others_sum_to_one() -> None:
    x = np.array([[-np.inf] * 3, [0, -np.inf, 0], [1e30, -1e30, 0]], np.float32)
    got = evaluate("f.softmax", x, axis=1)
    assert np.isnan(got[0]).all()
    np.testing.assert_array_equal(got[1:], [[0.5, 0, 0.5], [1, 0, 0]])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_norms_over_the_last_axes(axis: int) -> None:
    x, scale, bias = 3 + values(2, 3, 17), values(17), values(17, seed=1)
    axes = tuple(range(axis, 3))
    d = x - x.mean(axis=axes, keepdims=True)
    want = d / np.sqrt(x.var(axis=axes, keepdims=True) + 1e-3) * scale + bias
    np.testing.assert_allclose(evaluate("f.layer_norm", x, scale, bias, axis=axis, eps=1e-3), want, atol=1e-5)
    want = x / np.sqrt((x * x).mean(axis=axes, keepdims=True) + 1e-3) * scale
    np.testing.assert_allclose(evaluate("f.rms_norm", x, scale, axis=axis, eps=1e-3), want, atol=1e-5)


@pytest.mark.parametrize(
    ("groups", "stride", "dilation", "pads"), [(1, 1, 1, (0, 0)), (3, 2, 1, (1, 0)), (1, 3, 2, (4, 2))]
)
@pytest.mark.parametrize("kernel", [1, 3])
def test_conv_is_its_sum(groups: int, stride: int, dilation: int, pads: tuple[int, int], kernel: int) -> None:
    x, w, bias = values(2, 6, 17), values(9, 6 // groups, kernel, seed=1), values(9, seed=2)
    attrs = {"groups": groups, "strides": [stride], "dilations": [dilation], "pads": list(pads)}
    got = evaluate("f.conv", x, w, bias, **attrs)
    padded = np.pad(x, ((0, 0), (0, 0), pads))
    for n, m, p in [(0, 0, 0), (1, 8, got.shape[2] - 1), (0, 4, got.shape[2] // 2)]:
        g = m // (9 // groups)
        total = float(bias[m])
        for c in range(6 // groups):
            for k in range(kernel):
                total += float(padded[n, g * (6 // groups) + c, p * stride + k * dilation]) * float(w[m, c, k])
        assert got[n, m, p] == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize(
    ("start", "end", "step"), [(0, 5, 1), (4, -1, -1), (3, 0, -2), (1, 5, 3), (2, 2, 1), (0, 1, 9)]
)
def test_slice_takes_its_range(start: int, end: int, step: int) -> None:
    x = values(2, 5)
    got = evaluate("f.slice", x, axes=[1], starts=[start], ends=[end], steps=[step])
    np.testing.assert_array_equal(got, x[:, list(range(start, end, step))])


def test_gather_counts_from_the_end_and_refuses_what_is_outside() -> None:
    x = values(5, 3)
    np.testing.assert_array_equal(evaluate("f.gather", x, np.array([[4, -5]]), axis=0), x[[[4, 0]]])
    for outside in (5, -6):
        with pytest.raises(UsageError, match=f"index {outside} is outside the table of 5 rows"):
            evaluate("f.gather", x, np.array([0, outside]), axis=0)


def test_gather_nd_within_batches() -> None:
    x = values(2, 3, 4)
    ids = np.array([[[2], [0]], [[1], [1]]])
    np.testing.assert_array_equal(evaluate("f.gather_nd", x, ids, batch_dims=1), [x[0, [2, 0]], x[1, [1, 1]]])


def test_cumsum_forms() -> None:
    x = np.array([[1, 2, 4]])
    for exclusive, reverse, want in [(0, 0, [1, 3, 7]), (1, 0, [0, 1, 3]), (0, 1, [7, 6, 4]), (1, 1, [6, 4, 0])]:
        got = evaluate("f.cumsum", x, axis=1, exclusive=bool(exclusive), reverse=bool(reverse))
        np.testing.assert_array_equal(got, [want])


def test_reduce_over_nothing_is_the_identity_of_its_kind() -> None:
    x = np.zeros((2, 0), np.float32)
    for kind, want in [("sum", 0), ("prod", 1), ("max", -np.inf), ("min", np.inf)]:
        np.testing.assert_array_equal(evaluate("f.reduce", x, kind=kind, axes=[1]), np.full((2, 1), want))


def test_topk_of_equals_takes_the_first() -> None:
    x = np.array([3, 1, 3, 2], np.float32)
    op = op_class("f.topk")(Constant(x), k=3, axis=0)
    np.testing.assert_array_equal(op.run(x)[1], [0, 2, 3])
    op = op_class("f.topk")(Constant(x), k=2, axis=0, smallest=True)
    np.testing.assert_array_equal(op.run(x)[1], [1, 3])


WRONG: list[tuple[str, list[tuple[int, ...]], dict[str, Any], str]] = [
    ("f.add", [(2, 3), (4,)], {}, "do not broadcast"),
    ("f.matmul", [(2, 3), (4, 2)], {}, "does not fit"),
    ("f.matmul", [(2, 2, 3), (3, 3, 2)], {}, "does not fit"),
    ("f.reshape", [(2, 3)], {"shape": [5]}, "changes the size"),
    ("f.transpose", [(2, 3)], {"perm": [0, 0]}, "does not permute"),
    ("f.slice", [(2, 3)], {"axes": [1], "starts": [0], "ends": [4], "steps": [1]}, "which has 3"),
    ("f.slice", [(2, 3)], {"axes": [2], "starts": [0], "ends": [1], "steps": [1]}, "no axis 2"),
    ("f.concat", [(2, 3), (2, 3, 1)], {"axis": 0}, "does not fit"),
    ("f.concat", [(2, 3), (3, 4)], {"axis": 0}, "does not fit"),
    ("f.expand", [(2, 3)], {"shape": [2, 4]}, "does not broadcast"),
    ("f.pad", [(2, 3)], {"pads": [1, 1, -1, 0]}, "do not fit"),
    ("f.softmax", [(2, 3)], {"axis": 2}, "no axis 2"),
    ("f.layer_norm", [(2, 3), (4,)], {"axis": 1}, "does not fit"),
    ("f.reduce", [(2, 3)], {"kind": "median", "axes": [0]}, "no kind 'median'"),
    ("f.reduce", [(2, 3)], {"kind": "sum", "axes": [0, 0]}, "do not fit"),
    ("f.conv", [(1, 4, 5), (2, 3, 3)], {"strides": [1], "dilations": [1], "pads": [0, 0]}, "does not fit"),
    ("f.conv", [(1, 3, 2), (2, 3, 3)], {"strides": [1], "dilations": [1], "pads": [0, 0]}, "larger than"),
    ("f.topk", [(2, 3)], {"k": 4, "axis": 1}, "does not fit"),
]


@pytest.mark.parametrize(("opcode", "shapes", "attrs", "says"), WRONG)
def test_what_does_not_fit_is_refused(
    opcode: str, shapes: list[tuple[int, ...]], attrs: dict[str, Any], says: str
) -> None:
    operands: list[Any] = [Constant(np.zeros(s, np.float32)) for s in shapes]
    if opcode == "f.concat":
        operands = [operands]
    with pytest.raises(VerifyError, match=says):
        op_class(opcode)(*operands, **attrs)


def test_costs_count_products() -> None:
    def cost(op: Op) -> int:
        return op.cost().macs

    def zeros(*shape: int) -> Constant:
        return Constant(np.zeros(shape, np.float32))

    assert cost(OPS["f.matmul"](zeros(2, 3, 5), zeros(5, 7))) == 2 * 3 * 5 * 7
    geometry = {"strides": [1], "dilations": [1], "pads": [1, 1]}
    assert cost(OPS["f.conv"](zeros(1, 6, 9), w=zeros(4, 3, 3), groups=2, **geometry)) == 4 * 9 * 3 * 3
    assert cost(OPS["f.reshape"](zeros(2, 3), shape=[6])) == 0


def test_bits_of_integers() -> None:
    a, b = np.array([12, -12, 127], np.int8), np.array([10, 2, 1], np.int8)
    for kind, want in [("and", [8, 0, 1]), ("or", [14, -10, 127]), ("xor", [6, -10, 126]), ("right", [0, -3, 63])]:
        np.testing.assert_array_equal(evaluate("f.bitwise", a, b, kind=kind), want)
    bits = evaluate("f.bitcast", np.array([1.0, -2.0], np.float32), to="i32")
    np.testing.assert_array_equal(bits, [2**30 - 2**23, -(2**30)])


def test_quantization_saturates_rounds_ties_to_even_and_comes_back() -> None:
    x = np.array([-100, -1.5, -0.5, 0.25, 0.5, 1.5, 100], np.float32)
    scale, zero = np.array(1.0, np.float32), np.array(128, np.uint8)
    q = evaluate("f.quantize", x, scale, zero, to="u8")
    np.testing.assert_array_equal(q, [28, 126, 128, 128, 128, 130, 228])
    np.testing.assert_array_equal(evaluate("f.dequantize", q, scale, zero), [-100, -2, 0, 0, 0, 2, 100])
    both = evaluate("f.fake_quant", 3 * x, scale=1.0, zero_point=128, dtype="u8")
    np.testing.assert_array_equal(both[[0, -1]], [-128, 127])
    rows = evaluate("f.dequantize", np.array([[1, 2], [1, 2]], np.int8), np.array([0.5, 2], np.float32), None, axis=0)
    np.testing.assert_array_equal(rows, [[0.5, 1], [2, 4]])


def test_an_expression_is_its_steps() -> None:
    x = values(17)
    steps = ["0.5", "f.mul 0 1", "0.0", "f.less 0 3", "f.where 4 2 0", 'f.clip 5 {"hi": 1.0}']
    np.testing.assert_array_equal(evaluate("f.pointwise", x, steps=steps), np.minimum(np.where(x < 0, x / 2, x), 1))


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([], "without steps"),
        (["f.exp 1"], "reads a later one"),
        (["f.less 0 0"], "gives bool"),
        (["nonsense"], "no number and no op"),
        (['f.clip 0 {"lo"'], "no number and no op"),
    ],
)
def test_what_is_no_expression_is_refused(steps: list[str], says: str) -> None:
    with pytest.raises(VerifyError, match=says):
        op_class("f.pointwise")(Constant(values(3)), steps=steps).verify()
