"""f.reduce: pooling over one axis."""

from __future__ import annotations

from emberc.errors import UnsupportedError
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
    if len(op.axes) != 1 or op.kind not in ("sum", "mean", "max") or x.type.quant is None or out.quant is None:
        raise UnsupportedError(
            f"reduction '{op.kind}' over axes {op.axes} is not compiled",
            at=op.loc,
            hints=["sum, mean and max over one axis are"],
        )
    axis, n = op.axes[0], op.x.shape[op.axes[0]]
    if op.kind == "max":
        y = ctx.emit(ReduceMax, x, type=x.type.with_shape(out.shape), axis=axis, keepdims=op.keepdims)
        return requantized(y, out, ctx)
    zero = x.type.quant.zero_point
    lo, hi = x.type.dtype.limits
    factor = x.type.quant.scale[0] / out.quant.scale[0] / (n if op.kind == "mean" else 1)
    mult = multiplier(factor, n * max(hi - zero, zero - lo), at=op.loc)
    return ctx.emit(
        ReduceSum,
        x,
        type=out,
        axis=axis,
        keepdims=op.keepdims,
        zx=zero,
        m=int(mult.m[0]),
        shift=mult.shift,
        zero_point=out.quant.zero_point,
        dtype=out.dtype.value,
    )
