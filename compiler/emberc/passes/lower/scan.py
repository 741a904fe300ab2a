"""f.selective_scan and f.causal_conv."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emberc.ir.arithmetic import Ints
from emberc.ir.ops import integer_conv, integer_scan
from emberc.ir.ops.float_scan import CausalConv, SelectiveScan
from emberc.ir.ops.float_unary import sigmoid
from emberc.ir.ops.integer_matmul import Matmul, accumulator_bounds
from emberc.ir.ops.integer_movement import Concat, Slice
from emberc.ir.ops.integer_scan import LOG_BITS, LOG_MASK
from emberc.ir.types import DType, Quant, TensorType
from emberc.ir.values import Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.elementwise import requantized, table_of
from emberc.passes.lower.linear import in_parts, weight_scales
from emberc.passes.lower.rows import depthwise_product
from emberc.quant.conv_curves import silu_curves
from emberc.quant.multiplier import multiplier
from emberc.quant.precision import HEADROOM, affine
from emberc.quant.scan import LEVELS, ScanScales, as_int8, decay_rates, delta_step, own_product, table_deltas

#: steps an octave of the decay's logarithm; a step is 1.1 % of Delta * a, its rounding 0.3 % rms
STEPS = 64
#: powers of two of Delta * a beyond which the decay is 1 and 0 in Q15
SLOWEST, FASTEST = -17, 4

Floats = NDArray[np.float64]


@lowering("f.selective_scan")
def lower_selective_scan(op: SelectiveScan, ctx: Lowering) -> Sequence[Value]:
    """Tables and multipliers from the scales that ``quant.scan`` chose; see ``q.selective_scan``."""
    s = ctx.scans[id(op)]
    x, z = _int8(op.x, ctx), None if op.gate is None else _int8(op.gate, ctx)
    assert x.type.quant is not None
    v = _within(op.delta, s.v, 0, LEVELS - 1, ctx)
    b, c = _within(op.b, s.b, -32767, 32767, ctx), _within(op.c, s.c, -s.c_limit, s.c_limit, ctx)
    wanted = ctx.type_of(op.y)
    out = _symmetric(wanted)
    assert out.quant is not None
    softplus, decay, log_a, d_step = scan_tables(op, s)
    sx, b_step, c_step = np.asarray(x.type.quant.scale), s.b_step, s.c_step
    sy = np.broadcast_to(np.asarray(out.quant.scale), s.channel.shape)
    total = s.total / 32767 if z is not None else sy
    skip = np.zeros(len(s.channel)) if op.skip is None else ctx.real(op.skip)
    gate, mo = (None, None) if z is None else _gate(z, total * np.ones(len(s.channel)) / sy, ctx)
    y, state = ctx.emit_all(
        integer_scan.SelectiveScan,
        x,
        v,
        b,
        c,
        ctx.const(softplus, DType.U32, "softplus"),
        ctx.const(decay, DType.I16, "decay"),
        ctx.const(log_a, DType.U16, op.a.name),
        _multipliers(d_step * sx * b_step * 2.0**15 / s.channel, ctx),
        ctx.const(np.rint(skip * sx / (c_step * s.channel)), DType.I32, op.skip.name if op.skip else None),
        _multipliers(c_step * s.channel / total, ctx),
        z,
        gate,
        mo,
        None if op.initial is None else _initial(op.initial, s, ctx),
        types=[out, ctx.type_of(op.state)],
        zx=x.type.quant.zero_point,
        c_limit=s.c_limit,
        groups=op.groups,
        dtype=out.dtype.value,
    )
    return [requantized(y, wanted, ctx), state]


def _symmetric(wanted: TensorType) -> TensorType:
    """The scan's own output has no zero point: where its reader wants one, it is 16 bits wide in between."""
    quant = wanted.quant
    assert quant is not None
    if quant.zero_point == 0:
        return wanted
    reach = float(np.abs(quant.dequantize(np.array(wanted.dtype.limits))).max())
    return TensorType(DType.I16, wanted.shape, Quant.per_tensor(reach / 32767))


def scan_tables(op: SelectiveScan, s: ScanScales) -> tuple[Ints, Ints, Ints, float]:
    """softplus, decay and log_a of q.selective_scan, and the real value of one step of Delta.

    Logarithms where the decay is 1 or 0 in Q15 whatever it is added to are brought nearer: the decay's table is
    no longer than the part of the curve that can be told apart.
    """
    rates, delta = decay_rates(op), table_deltas(s.v, op.softplus)
    step = delta_step(delta)
    log_a = np.rint(STEPS * np.log2(rates)).astype(np.int64)
    log = np.rint(STEPS * np.log2(delta)).astype(np.int64)
    low = SLOWEST * STEPS - int(log_a.max())
    high = max(low, FASTEST * STEPS - int(log_a.min()))
    log = np.clip(log, low, min(high, low + LOG_MASK))
    first = int(log.min() + log_a.min())
    count = int(log.max() + log_a.max()) - first + 1
    curve = np.exp(-(2.0 ** ((np.arange(count) + first) / STEPS)))
    decay = np.minimum(32767, np.rint(32768 * curve)).astype(np.int64)
    softplus = np.rint(delta / step).astype(np.int64) << LOG_BITS | (log - log.min())
    return softplus, decay, log_a - log_a.min(), step


def _int8(v: Value, ctx: Lowering) -> Value:
    """The value as int8 with one scale."""
    x = ctx.get(v)
    return requantized(x, TensorType(DType.I8, x.shape, as_int8(x.type)), ctx)


def _within(v: Value, quant: Quant, lo: int, hi: int, ctx: Lowering) -> Value:
    """The value as int16 under ``quant`` and inside [lo, hi]: its own product saturates there; others are
    requantized with scales under which they stay inside."""
    x = ctx.get(v)
    if own_product(v) and isinstance(x.producer, Matmul):
        x.producer.attrs.update(lo=max(lo, x.producer.lo), hi=min(hi, x.producer.hi))
        return x
    return requantized(x, TensorType(DType.I16, x.shape, quant), ctx)


def _initial(v: Value, s: ScanScales, ctx: Lowering) -> Value:
    """A constant first state in the state's own steps; a calculated one has them already, or is brought to them."""
    if v.const is not None:
        steps = s.channel[:, None] * s.r
        return ctx.const(np.clip(np.rint(ctx.real(v) / steps), -32768, 32767), DType.I16, v.name)
    x = ctx.get(v)
    return requantized(x, TensorType(DType.I16, x.shape, Quant.per_tensor(float(s.channel[0]))), ctx)


def _gate(z: Value, factor: Floats, ctx: Lowering) -> tuple[Value, Value]:
    """SiLU of every int8 as int16, and the multipliers of the product with it."""
    assert z.type.quant is not None
    reals = z.type.quant.dequantize(np.arange(-128, 128)).astype(np.float64)
    curve = reals * sigmoid(reals)
    step = max(float(np.abs(curve).max()), 1e-12) / 32767
    return ctx.const(np.rint(curve / step), DType.I16, "silu"), _multipliers(factor * step, ctx)


def _multipliers(factors: Floats, ctx: Lowering) -> Value:
    return ctx.const(np.rint(factors * 2.0**32), DType.I32)


@lowering("f.causal_conv")
def lower_causal_conv(op: CausalConv, ctx: Lowering) -> Sequence[Value]:
    """Weights int8 symmetric per channel. With SiLU the sum becomes an index of its curve, finer than 8 bits: one
    rounding to int8 instead of two. The index that stands for 0 goes into the bias."""
    w = ctx.real(op.w)
    bias = np.zeros(w.shape[1]) if op.bias is None else ctx.real(op.bias)
    out = ctx.type_of(op.y)
    alone = op.initial is None and op.x.type.rank == 3
    if alone and out.dtype is ctx.get(op.x).type.dtype is DType.I16:
        return [_wide_conv(op, w, bias, out, ctx), _last_rows(ctx.get(op.x), len(w) - 1, ctx)]
    x = _int8(op.x, ctx)
    y_type = TensorType(DType.I8, out.shape, as_int8(out))
    assert x.type.quant is not None and y_type.quant is not None
    sx, zx = np.asarray(x.type.quant.scale), x.type.quant.zero_point  # one scale, or one a channel
    table, curve, step, zero = None, None, np.asarray(y_type.quant.scale), y_type.quant.zero_point
    if op.silu:
        curves = silu_curves(y_type.quant, *ctx.convs[id(op)])
        several = len(curves.table) > 1
        table = ctx.const(curves.table if several else curves.table[0], DType.I8, "silu")
        curve = ctx.const(curves.channel, DType.U8, "curve") if several else None
        step, zero = curves.step[curves.channel], 0
        bias = bias + step * curves.zero[curves.channel]
    scales = weight_scales(w.T, bias, sx)
    weights = ctx.const(np.rint(w / scales), DType.I8, op.w.name)
    offset = np.rint(bias / (sx * scales)) - zx * weights.data.astype(np.int64).sum(axis=0)
    bias_q = ctx.const(offset, DType.I32, op.bias.name if op.bias else None)
    bound = max(abs(e) for e in accumulator_bounds(weights.data.T, bias_q.data, DType.I8))
    mult = multiplier(sx * scales / step, bound, at=op.loc)
    y, tail = ctx.emit_all(
        integer_conv.CausalConv,
        x,
        weights,
        bias_q,
        ctx.const(mult.m, DType.I32),
        table,
        None if op.initial is None else _rows_before(op.initial, x.type, ctx),
        curve,
        types=[y_type, x.type.with_shape(op.tail.shape)],
        zx=zx,
        shift=mult.shift,
        zero_point=zero,
    )
    return [requantized(y, out, ctx), tail]


def _wide_conv(op: CausalConv, w: Floats, bias: Floats, out: TensorType, ctx: Lowering) -> Value:
    """The whole sequence in int16: a convolution along rows, then the table of its SiLU."""
    inner = out
    if op.silu:
        lo, hi = (HEADROOM["int16"] * edge for edge in ctx.convs[id(op)])
        inner = out.with_quant(affine(float(lo.min()), float(hi.max()), DType.I16, symmetric=True))

    def product(w: Floats, b: Floats, out: TensorType) -> tuple[Value, Floats]:
        geometry = {"before": len(w) - 1, "rows": op.x.shape[1], "dilation": 1}
        return depthwise_product(ctx.get(op.x), w, b, out, ctx, name=op.w.name, **geometry)

    y = in_parts(product, op.w, w, bias, inner, ctx)
    return table_of(lambda x: x * sigmoid(x), y, out, "silu", ctx) if op.silu else y


def _last_rows(x: Value, count: int, ctx: Lowering) -> Value:
    """The last ``count`` of zeros and then x [B, L, D]."""
    batch, rows, width = x.shape
    if count > rows:
        assert x.type.quant is not None
        zeros = ctx.const(np.full((batch, count - rows, width), x.type.quant.zero_point), x.type.dtype)
        return ctx.emit(Concat, [zeros, x], type=x.type.with_shape((batch, count, width)), axis=1)
    type = x.type.with_shape((batch, count, width))
    return ctx.emit(Slice, x, type=type, starts=[rows - count], ends=[rows], axes=[1], steps=[1])


def _rows_before(initial: Value, rows: TensorType, ctx: Lowering) -> Value:
    """The rows before the first at the scale of the rows themselves."""
    return requantized(_int8(initial, ctx), rows.with_shape(initial.shape), ctx)
