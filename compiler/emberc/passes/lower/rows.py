"""f.depthwise_rows to q.depthwise_rows."""

from __future__ import annotations

import numpy as np

from emberc.ir.ops import integer_rows
from emberc.ir.ops.float_rows import DepthwiseRows
from emberc.ir.types import DType, TensorType
from emberc.ir.values import Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.linear import in_parts, weight_scales
from emberc.quant.grid import Reals
from emberc.quant.multiplier import multiplier


@lowering("f.depthwise_rows")
def lower_depthwise_rows(op: DepthwiseRows, ctx: Lowering) -> Value:
    """Weights int8 symmetric per channel; padding is the zero point, so it stays out of the bias."""
    w = ctx.real(op.w)
    b = np.zeros(w.shape[1]) if op.bias is None else ctx.real(op.bias)

    def product(w: Reals, b: Reals, out: TensorType) -> tuple[Value, Reals]:
        geometry = {"before": op.before, "rows": op.y.shape[1], "dilation": op.dilation}
        return depthwise_product(ctx.get(op.x), w, b, out, ctx, name=op.w.name, **geometry)

    return in_parts(product, op.w, w, b, ctx.type_of(op.y), ctx)


def depthwise_product(
    x: Value, w: Reals, b: Reals, out: TensorType, ctx: Lowering, *, name: str | None, **geometry: int
) -> tuple[Value, Reals]:
    """One q.depthwise_rows, and w [K, C] less the integers that it has. ``geometry``: before, rows, dilation."""
    assert out.quant is not None and x.type.quant is not None
    (sx,), zx = set(x.type.quant.scale), x.type.quant.zero_point
    scales = weight_scales(w.T, b, sx)
    weights = ctx.const(np.rint(w / scales), DType.I8, name)
    bias = ctx.const(np.rint(b / (sx * scales)), DType.I32, None)
    bound = integer_rows.channel_bound(weights.data, bias.data, x.type.dtype, zx)
    mult = multiplier(sx * scales / out.quant.scale[0], bound, at=ctx.at())
    y = ctx.emit(
        integer_rows.DepthwiseRows,
        x,
        weights,
        bias,
        ctx.const(mult.m, DType.I32),
        type=out,
        zx=zx,
        shift=mult.shift,
        zero_point=out.quant.zero_point,
        dtype=out.dtype.value,
        **geometry,
    )
    return y, w - weights.data * scales
