"""f.conv_rows and f.pool_rows to integer convolution and pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from emberc.ir.ops import integer_convolution
from emberc.ir.ops.float_windows import ConvRows, PoolRows
from emberc.ir.ops.integer_matmul import accumulator_bounds
from emberc.ir.ops.integer_rows import channel_bound
from emberc.ir.ops.integer_window import Depthwise, PoolMax, PoolMean
from emberc.ir.types import DType, TensorType
from emberc.ir.values import Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.elementwise import requantized
from emberc.passes.lower.linear import in_parts, weight_scales
from emberc.quant.grid import Reals
from emberc.quant.multiplier import multiplier


@lowering("f.conv_rows")
def lower_conv(op: ConvRows, ctx: Lowering) -> Value:
    """Weights int8 symmetric per output channel. Padding is x's zero point, which goes into the bias as in f.linear."""
    w = ctx.real(op.w)
    b = np.zeros(len(w)) if op.bias is None else ctx.real(op.bias)

    def product(w: Reals, b: Reals, out: TensorType) -> tuple[Value, Reals]:
        return _product(op, w, b, out, ctx)

    return in_parts(product, op.w, w, b, ctx.type_of(op.y), ctx)


def _product(op: ConvRows, w: Reals, b: Reals, out: TensorType, ctx: Lowering) -> tuple[Value, Reals]:
    """One q.conv or q.depthwise, and w less the integers that it has."""
    flat = w.reshape(len(w), -1)
    x, sx, zero = ctx.get(op.x), ctx.scale(op.x), ctx.quant(op.x).zero_point
    assert out.quant is not None
    scales = weight_scales(flat, b, sx)
    wq = np.rint(flat / scales[:, None])
    rest = (flat - wq * scales[:, None]).reshape(w.shape)
    bias = np.rint(b / (sx * scales))
    factors = sx * scales / np.asarray(out.quant.scale)
    geometry = {name: op.attrs[name] for name in ("strides", "dilations", "pads")}
    same: dict[str, Any] = {
        "type": out,
        "zx": zero,
        "zero_point": out.quant.zero_point,
        "dtype": out.dtype.value,
        **geometry,
    }
    name, bias_name = op.w.name, op.bias.name if op.bias else None
    if 1 < op.groups == op.x.shape[-1]:
        filters = ctx.const(np.moveaxis(wq.reshape(w.shape[:-1]), 0, -1), DType.I8, name)
        words = ctx.const(bias, DType.I32, bias_name)
        bound = channel_bound(filters.data.reshape(-1, len(w)), words.data, x.type.dtype, zero)
        mult = multiplier(factors, bound, at=op.loc)
        if mult.shift >= 0:
            m = ctx.const(mult.m, DType.I32)
            return ctx.emit(Depthwise, x, filters, words, m, shift=mult.shift, **same), rest
    weights = ctx.const(wq.reshape(w.shape), DType.I8, name)
    words = ctx.const(bias - zero * wq.sum(1), DType.I32, bias_name)
    bound = max(abs(e) for e in accumulator_bounds(wq.astype(np.int8), words.data, x.type.dtype))
    mult = multiplier(factors, bound, at=op.loc)
    m = ctx.const(mult.m, DType.I32)
    y = ctx.emit(integer_convolution.Conv, x, weights, words, m, groups=op.groups, shift=mult.shift, **same)
    return y, rest


@lowering("f.pool_rows")
def lower_pool(op: PoolRows, ctx: Lowering) -> Value:
    """Max keeps x's scale until it is requantized; a mean's divisors are in its multipliers."""
    x, out = ctx.get(op.x), ctx.type_of(op.y)
    quant = ctx.quant(op.x)
    assert out.quant is not None
    geometry = {"kernel_shape": op.kernel, **{name: op.attrs[name] for name in ("strides", "dilations", "pads")}}
    if op.kind == "max":
        return requantized(ctx.emit(PoolMax, x, type=x.type.with_shape(out.shape), **geometry), out, ctx)
    size = op.windows().size
    counts = np.arange(size + 1)
    divisors = np.full(size + 1, size) if op.count_pads else np.maximum(counts, 1)
    lo, hi = x.type.dtype.limits
    bound = size * max(hi - quant.zero_point, quant.zero_point - lo)
    smallest = size if op.count_pads else int(op.windows().valid(op.x.shape).min())
    factors = ctx.scale(op.x) / out.quant.scale[0] / np.maximum(divisors, max(1, smallest))
    mult = multiplier(factors, bound, at=op.loc)
    return ctx.emit(
        PoolMean,
        x,
        ctx.const(mult.m, DType.I32),
        type=out,
        zx=quant.zero_point,
        shift=mult.shift,
        zero_point=out.quant.zero_point,
        dtype=out.dtype.value,
        **geometry,
    )
