"""f.reduce: sums, means and extremes over axes; f.argmax and f.topk."""

from __future__ import annotations

from math import prod

from emberc.errors import UnsupportedError
from emberc.ir.ops.float_reduce import ArgMax, Reduce, TopK
from emberc.ir.ops.integer_movement import Reshape, Transpose
from emberc.ir.ops.integer_reduce import ReduceMax, ReduceSum
from emberc.ir.ops.integer_reduce import TopK as IntegerTopK
from emberc.ir.types import DType, Quant, TensorType
from emberc.ir.values import Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.elementwise import requantized
from emberc.passes.lower.index import as_index
from emberc.quant.multiplier import multiplier


@lowering("f.reduce")
def lower_reduce(op: Reduce, ctx: Lowering) -> Value:
    """Sum and mean with their divisor in the multiplier; max keeps the operand's scale until it is requantized, and
    min is the max of what is negated. Several axes are laid side by side first."""
    x, out = ctx.get(op.x), ctx.type_of(op.result)
    if op.kind not in ("sum", "mean", "max", "min") or x.type.quant is None or out.quant is None:
        raise UnsupportedError(
            f"reduction '{op.kind}' of {op.x.type.dtype.value} values is not compiled",
            at=op.loc,
            hints=["sum, mean, max and min of reals are"],
        )
    x, axis = _one_axis(x, op.axes, ctx)
    flat = out.with_shape([n for i, n in enumerate(x.shape) if i != axis])
    y = _extreme(op, x, axis, flat, ctx) if op.kind in ("max", "min") else _sum(op, x, axis, flat, ctx)
    return y if y.shape == out.shape else ctx.emit(Reshape, y, type=out, shape=list(out.shape))


def _one_axis(x: Value, axes: list[int], ctx: Lowering) -> tuple[Value, int]:
    """x with ``axes`` as one, and where that one is."""
    if len(axes) == 1:
        return x, axes[0]
    first = min(axes)
    rest = [i for i in range(x.type.rank) if i not in axes]
    order = [i for i in rest if i < first] + sorted(axes) + [i for i in rest if i > first]
    moved = [x.shape[i] for i in order]
    if order != sorted(order):
        x = ctx.emit(Transpose, x, type=x.type.with_shape(moved), perm=order)
    shape = [*moved[:first], prod(moved[first : first + len(axes)]), *moved[first + len(axes) :]]
    return ctx.emit(Reshape, x, type=x.type.with_shape(shape), shape=shape), first


def _extreme(op: Reduce, x: Value, axis: int, out: TensorType, ctx: Lowering) -> Value:
    quant = x.type.quant
    assert quant is not None
    sign = 1.0
    if op.kind == "min":  # -x on the mirrored grid is exact
        sign = -1.0
        mirrored = Quant(quant.scale, -1 - quant.zero_point)
        x = requantized(x, x.type.with_quant(mirrored), ctx, sign)
    y = ctx.emit(ReduceMax, x, type=x.type.with_shape(out.shape), axis=axis, keepdims=False)
    return requantized(y, out, ctx, sign)


def _sum(op: Reduce, x: Value, axis: int, out: TensorType, ctx: Lowering) -> Value:
    assert x.type.quant is not None and out.quant is not None
    n, zero = x.shape[axis], x.type.quant.zero_point
    lo, hi = x.type.dtype.limits
    factor = x.type.quant.scale[0] / out.quant.scale[0] / (n if op.kind == "mean" else 1)
    mult = multiplier(factor, n * max(hi - zero, zero - lo), at=op.loc)
    return ctx.emit(
        ReduceSum,
        x,
        type=out,
        axis=axis,
        keepdims=False,
        zx=zero,
        m=int(mult.m[0]),
        shift=mult.shift,
        zero_point=out.quant.zero_point,
        dtype=out.dtype.value,
    )


@lowering("f.argmax")
def lower_argmax(op: ArgMax, ctx: Lowering) -> Value:
    """The positions of the one largest element: larger reals have larger integers, so nothing is rescaled."""
    out = ctx.type_of(op.result)
    _, positions = _top(op.x, ctx, k=1, axis=op.axis, smallest=op.smallest, last=op.last)
    return positions if positions.shape == out.shape else ctx.emit(Reshape, positions, type=out, shape=list(out.shape))


@lowering("f.topk")
def lower_topk(op: TopK, ctx: Lowering) -> list[Value]:
    values, positions = _top(op.x, ctx, k=op.k, axis=op.axis, smallest=op.smallest)
    out = ctx.type_of(op.values)
    return [values if out.quant is None else requantized(values, out, ctx), positions]


def _top(x: Value, ctx: Lowering, *, k: int, axis: int, smallest: bool, last: bool = False) -> list[Value]:
    held = ctx.get(x)
    if held.type.quant is None:
        held = as_index(held, ctx)
    shape = [k if i == axis else n for i, n in enumerate(held.shape)]
    types = [held.type.with_shape(shape), TensorType(DType.I32, tuple(shape))]
    return ctx.emit_all(IntegerTopK, held, types=types, k=k, axis=axis, smallest=smallest, last=last)
