"""f.reduce: sums, means and maxima over one axis or several."""

from __future__ import annotations

from math import prod

from emberc.errors import UnsupportedError
from emberc.ir.op import OPS
from emberc.ir.ops.float_reduce import Reduce
from emberc.ir.ops.integer_reduce import ReduceMax, ReduceSum
from emberc.ir.values import Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.elementwise import requantized
from emberc.quant.multiplier import multiplier


@lowering("f.reduce")
def lower_reduce(op: Reduce, ctx: Lowering) -> Value:
    """Sum and mean with their divisor in the multiplier; max keeps the operand's scale until it is requantized."""
    x, out = ctx.get(op.x), ctx.type_of(op.result)
    if op.kind not in ("sum", "mean", "max") or x.type.quant is None or out.quant is None:
        raise UnsupportedError(
            f"reduction '{op.kind}' over axes {op.axes} is not compiled",
            at=op.loc,
            hints=["sum, mean and max of quantized values are"],
        )
    x, axis = _one_axis(x, sorted(a % op.x.type.rank for a in op.axes), ctx)
    quant = x.type.quant
    assert quant is not None
    n, shape = x.shape[axis], tuple(s for i, s in enumerate(x.shape) if i != axis)
    if op.kind == "max":
        y = ctx.emit(ReduceMax, x, type=x.type.with_shape(shape), axis=axis, keepdims=False)
        return _shaped(requantized(y, out.with_shape(shape), ctx), out.shape, ctx)
    zero = quant.zero_point
    lo, hi = x.type.dtype.limits
    factor = quant.scale[0] / out.quant.scale[0] / (n if op.kind == "mean" else 1)
    mult = multiplier(factor, n * max(hi - zero, zero - lo), at=op.loc)
    y = ctx.emit(
        ReduceSum,
        x,
        type=out.with_shape(shape),
        axis=axis,
        keepdims=False,
        zx=zero,
        m=int(mult.m[0]),
        shift=mult.shift,
        zero_point=out.quant.zero_point,
        dtype=out.dtype.value,
    )
    return _shaped(y, out.shape, ctx)


def _one_axis(x: Value, axes: list[int], ctx: Lowering) -> tuple[Value, int]:
    """x with ``axes`` made one, and where that is; axes that are not neighbours go to the end first."""
    if not axes:
        return _shaped(x, (1, *x.shape), ctx), 0
    if axes != list(range(axes[0], axes[-1] + 1)):
        perm = [i for i in range(x.type.rank) if i not in axes] + axes
        x = ctx.emit(OPS["q.transpose"], x, type=x.type.with_shape([x.shape[i] for i in perm]), perm=perm)
        axes = list(range(x.type.rank - len(axes), x.type.rank))
    first, last = axes[0], axes[-1] + 1
    shape = (*x.shape[:first], prod(x.shape[first:last]), *x.shape[last:])
    return _shaped(x, shape, ctx), first


def _shaped(x: Value, shape: tuple[int, ...], ctx: Lowering) -> Value:
    if x.shape == shape:
        return x
    return ctx.emit(OPS["q.reshape"], x, type=x.type.with_shape(shape), shape=list(shape))
