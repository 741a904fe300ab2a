"""f.depthwise_rows to q.depthwise_rows."""

from __future__ import annotations

import numpy as np

from emberc.ir.ops import integer_rows
from emberc.ir.ops.float_rows import DepthwiseRows
from emberc.ir.types import DType
from emberc.ir.values import Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.linear import weight_scales
from emberc.quant.multiplier import multiplier


@lowering("f.depthwise_rows")
def lower_depthwise_rows(op: DepthwiseRows, ctx: Lowering) -> Value:
    """Weights int8 symmetric per channel; padding is the zero point, so it stays out of the bias."""
    w = ctx.real(op.w)
    b = np.zeros(w.shape[1]) if op.bias is None else ctx.real(op.bias)
    x, sx, out = ctx.get(op.x), ctx.scale(op.x), ctx.type_of(op.y)
    assert out.quant is not None
    zx = ctx.quant(op.x).zero_point
    scales = weight_scales(w.T, b, sx)
    weights = ctx.const(np.rint(w / scales), DType.I8, op.w.name)
    bias = ctx.const(np.rint(b / (sx * scales)), DType.I32, op.bias.name if op.bias else None)
    bound = integer_rows.channel_bound(weights.data, bias.data, x.type.dtype, zx)
    mult = multiplier(sx * scales / out.quant.scale[0], bound, at=op.loc)
    return ctx.emit(
        integer_rows.DepthwiseRows,
        x,
        weights,
        bias,
        ctx.const(mult.m, DType.I32),
        type=out,
        before=op.before,
        rows=op.y.shape[1],
        dilation=op.dilation,
        zx=zx,
        shift=mult.shift,
        zero_point=out.quant.zero_point,
        dtype=out.dtype.value,
    )
