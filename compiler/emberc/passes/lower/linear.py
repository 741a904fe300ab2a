"""f.linear and f.matmul to integer products."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from emberc.ir.op import Op
from emberc.ir.ops.float_fused import Linear
from emberc.ir.ops.integer_matmul import BatchMatmul, Matmul, accumulator_bounds
from emberc.ir.ops.integer_movement import Expand, Reshape
from emberc.ir.types import DType, Quant, TensorType
from emberc.ir.values import Constant, Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.elementwise import as_int16, requantized, sum_of
from emberc.quant.grid import Reals, symmetric_steps, tensor_grid
from emberc.quant.multiplier import multiplier
from emberc.quant.precision import affine

#: biases stay below this many accumulator steps, so that sum and bias fit 32 bits together
BIAS_LIMIT = 2.0**29


@lowering("f.linear")
def lower_linear(op: Linear, ctx: Lowering) -> Value:
    """Weights int8 symmetric per output channel, or the sum of two such; x's zero point goes into the bias.

    s_w[n] = max|W[n]| / 127;  bias[n] = b[n] / (s_x s_w[n]) - z_x sum_k W[n, k];  m[n] = s_x s_w[n] / s_y
    """
    w = ctx.real(op.weight)
    b = np.zeros(len(w)) if op.bias is None else ctx.real(op.bias)
    x, out = ctx.get(op.x), ctx.type_of(op.y)
    steps = np.asarray(ctx.quant(op.x).scale)
    w = w * (steps / steps.max())  # a scale of its own for every column of x goes into the weights
    if id(op.weight) not in ctx.forms and not (symmetric_steps(w) > 0).all():
        shared = tensor_grid(w)
        if shared is not None and shared[1]:
            return _off_center(op, x, w, b, shared, ctx)

    def product(w: Reals, b: Reals, out: TensorType) -> tuple[Value, Reals]:
        return _product(op, x, w, b, out, ctx)

    return in_parts(product, op.weight, w, b, out, ctx)


def in_parts(
    product: Callable[[Reals, Reals, TensorType], tuple[Value, Reals]],
    weight: Value,
    w: Reals,
    b: Reals,
    out: TensorType,
    ctx: Lowering,
) -> Value:
    """A product with int8 weights, or with 16-bit ones: W = hi + lo, both int8.

    ``product(w, b, out)`` lowers one and says what rounding its weights left: at most half a step, and so int8 of a
    scale 254 times finer. Both are exact and rounded to int16 once, before they are added: 16-bit weights from the
    int8 kernels of every core, for W's bytes and products a second time.
    """
    if id(weight) not in ctx.wide:
        return product(w, b, out)[0]
    inner = as_int16(out)
    high, rest = product(w, b, inner)
    low, _ = product(rest, np.zeros_like(b), inner)
    return sum_of([(high, 1.0), (low, 1.0)], out, ctx)


def _product(op: Linear, x: Value, w: Reals, b: Reals, out: TensorType, ctx: Lowering) -> tuple[Value, Reals]:
    """One q.matmul, and w less the integers that it has."""
    assert out.quant is not None
    sx = float(np.max(ctx.quant(op.x).scale))
    scales = weight_scales(w, b, sx)
    weights = ctx.weights(w / scales[:, None], op.weight)
    bias = np.rint(b / (sx * scales)) - ctx.quant(op.x).zero_point * weights.data.astype(np.float64).sum(1)
    bias_q = ctx.const(bias, DType.I32, op.bias.name if op.bias else None)
    bound = max(abs(e) for e in accumulator_bounds(weights.data, bias_q.data, x.type.dtype))
    sy = np.broadcast_to(np.asarray(out.quant.scale), (len(w),))
    dead = ~weights.data.any(axis=1) & (bias == 0)  # always 0, whatever it is multiplied by
    mult = multiplier(np.where(dead, 0.0, sx * scales / sy), bound, at=op.loc)
    y = ctx.emit(
        Matmul,
        x,
        weights,
        bias_q,
        ctx.const(mult.m, DType.I32),
        type=out,
        shift=mult.shift,
        zero_point=out.quant.zero_point,
        dtype=out.dtype.value,
    )
    return y, w - weights.data * scales[:, None]


def _off_center(op: Linear, x: Value, w: Reals, b: Reals, grid: tuple[float, int], ctx: Lowering) -> Value:
    """Weights of a quantized model whose zero point leaves no room in int8: a product that takes it off as it sums.

    The bias comes after, on an int16 sum that is 2^8 times finer than an int8 result.
    """
    out, qx, (step, center) = ctx.type_of(op.y), ctx.quant(op.x), grid
    assert out.quant is not None
    lo, hi = (float(v) for v in out.quant.dequantize(np.array(out.dtype.limits)).reshape(-1))
    top = max(-lo, hi) + float(np.abs(b).max(initial=0.0))
    fine = out.with_dtype(DType.I16).with_quant(affine(-top, top, DType.I16, symmetric=True))
    assert fine.quant is not None
    weights = ctx.const(np.rint(w / step) - center, DType.I8, op.weight.name)
    bound = x.shape[-1] * _span(x, qx.zero_point) * 255
    mult = multiplier(ctx.scale(op.x) * step / fine.quant.scale[0], bound, at=op.loc)
    y = ctx.emit(
        BatchMatmul,
        x,
        weights,
        type=fine,
        za=qx.zero_point,
        zb=-center,
        m=int(mult.m[0]),
        shift=mult.shift,
        transpose_b=True,
        dtype=fine.dtype.value,
    )
    if op.bias is None:
        return requantized(y, out, ctx)
    return sum_of([(y, 1.0), (ctx.get(op.bias), 1.0)], out, ctx)


def weight_scales(w: Reals, b: Reals, sx: float | Reals) -> Reals:
    """Scale per output channel: that of the 8-bit grid on which the weights lie already (a quantized model), else
    max|w| / 127. A channel whose bias dwarfs its weights gets a coarser one, so the bias fits."""
    grid = symmetric_steps(w)
    scales = np.where(grid > 0, grid, np.abs(w).max(axis=1, initial=0.0) / 127)
    scales = np.maximum(scales, np.abs(b) / (sx * BIAS_LIMIT))
    out: Reals = np.where(scales > 0, scales, 1.0)
    return out


@lowering("f.matmul")
def lower_matmul(op: Op, ctx: Lowering) -> Value:
    """A product of two activations; the right one is int8, or the sum of two int8 ones where it is int16."""
    a, b = op.operands
    assert a is not None and b is not None
    out, right = ctx.type_of(op.result), _right(b, ctx)
    if right.type.dtype is DType.I8:
        return _batch_product(op, right, out, ctx)
    inner = as_int16(out)
    high, low = (_batch_product(op, part, inner, ctx) for part in _halves(right, ctx))
    return sum_of([(high, 1.0), (low, 1.0)], out, ctx)


def _batch_product(op: Op, right: Value, out: TensorType, ctx: Lowering) -> Value:
    a = op.operands[0]
    assert a is not None
    qa = ctx.quant(a)
    aq, bq = _matrices(ctx.get(a), right, ctx)
    qb = bq.type.quant
    assert out.quant is not None and qb is not None
    bound = a.shape[-1] * _span(aq, qa.zero_point) * _span(bq, qb.zero_point)
    mult = multiplier(ctx.scale(a) * qb.scale[0] / out.quant.scale[0], bound, at=op.loc)
    y = ctx.emit(
        BatchMatmul,
        aq,
        bq,
        type=out.with_shape([*aq.shape[:-1], bq.shape[-1]]),
        za=qa.zero_point,
        zb=qb.zero_point,
        m=int(mult.m[0]),
        shift=mult.shift,
        zero_point=out.quant.zero_point,
        dtype=out.dtype.value,
    )
    return y if y.shape == out.shape else ctx.emit(Reshape, y, type=out, shape=list(out.shape))


def _matrices(a: Value, b: Value, ctx: Lowering) -> tuple[Value, Value]:
    """Operands as q.batch_matmul has them: a vector as a row or a column, leading axes alike, or b's absent."""
    if a.type.rank < 2:
        a = ctx.emit(Reshape, a, type=a.type.with_shape([1, a.shape[0]]), shape=[1, a.shape[0]])
    if b.type.rank < 2:
        b = ctx.emit(Reshape, b, type=b.type.with_shape([b.shape[0], 1]), shape=[b.shape[0], 1])
    if a.shape[:-2] == b.shape[:-2] or (prod(b.shape[:-2]) == 1 and b.type.rank <= a.type.rank):
        return a, b
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    wide = []
    for v in (a, b):
        shape = [*lead, *v.shape[-2:]]
        wide.append(v if list(v.shape) == shape else ctx.emit(Expand, v, type=v.type.with_shape(shape), shape=shape))
    return wide[0], wide[1]


def _right(v: Value, ctx: Lowering) -> Value:
    """``v`` as the right operand of a product: a constant is int8."""
    if v.const is not None and ctx.get(v).type.dtype is not DType.I8:
        real = ctx.real(v)
        top = float(np.abs(real).max(initial=0.0))
        quant = affine(-top, top, DType.I8, symmetric=True)
        return Constant(quant.quantize(real, DType.I8), v.name, quant)
    return ctx.get(v)


def _halves(v: Value, ctx: Lowering) -> tuple[Value, Value]:
    """int16 ``v`` as int8 hi + lo: hi in 256 steps of v, lo what that leaves, exact below 127 * 256 + 128."""
    assert v.type.quant is not None
    step = v.type.quant.scale[0]
    parts = [v.type.with_dtype(DType.I8).with_quant(Quant.per_tensor(s)) for s in (256 * step, step)]
    high = requantized(v, parts[0], ctx)
    return high, sum_of([(v, 1.0), (high, -1.0)], parts[1], ctx)


def _span(v: Value, zero: int) -> int:
    lo, hi = v.type.dtype.limits
    return max(hi - zero, zero - lo)
