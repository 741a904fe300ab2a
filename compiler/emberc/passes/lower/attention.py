"""f.attention to q.attention."""

from __future__ import annotations

from math import log2

import numpy as np

from emberc.errors import UnsupportedError
from emberc.ir.arithmetic import exp2_table
from emberc.ir.ops import integer_attention, integer_biased
from emberc.ir.ops.float_biased import BiasedAttention as FloatBiased
from emberc.ir.ops.float_fused import Attention
from emberc.ir.types import DType
from emberc.ir.values import Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.elementwise import as_int16, narrowed, requantized
from emberc.quant.multiplier import multiplier

#: score steps per octave of exp2, by the type of q: a step of 1/64 is 1.1 % of a weight, its rounding 0.3 % rms
STEPS = {DType.I8: 64, DType.I16: 256}
LOG2_E = 1.4426950408889634


@lowering("f.attention", "f.biased_attention")
def lower_attention(op: Attention, ctx: Lowering) -> Value:
    """The scale goes into the scores' multiplier, the values' scale into c_out; see ``q.attention``."""
    q, k, v = alike([ctx.get(x) for x in (op.q, op.k, op.v)], ctx)
    steps, bits = STEPS[q.type.dtype], 8 * q.type.dtype.size
    kv_heads = op.heads // op.group
    sq = segment_scale(q, op.q_offset, op.heads * op.head_dim, op.loc)
    sk = segment_scale(k, op.k_offset, kv_heads * op.head_dim, op.loc)
    sv = segment_scale(v, op.v_offset, kv_heads * op.head_dim, op.loc)
    wanted = ctx.type_of(op.y)
    out = wanted if bits == 8 else as_int16(wanted)
    assert out.quant is not None
    bound = op.head_dim << 2 * (bits - 1)
    factor = min(op.scale * sq * sk * LOG2_E * steps, largest_factor(bound))
    score = multiplier(factor, bound, at=op.loc)
    keys = k.shape[-2]
    table = exp2_table(top=min(4095, (2**31 - 1) // (128 * keys)), steps=steps)
    ratio = sv / out.quant.scale[0] * 2.0 ** (bits - 8)
    shift_out = _shift_out(ratio)
    operands = [q, k, v, ctx.const(table, DType.I16, f"exp2_{keys}"), ctx.get(op.mask) if op.mask is not None else None]
    cls: type[integer_attention.Attention] = integer_attention.Attention
    if isinstance(op, FloatBiased):
        cls = integer_biased.BiasedAttention
        offsets = np.clip(np.rint(ctx.real(op.bias) * LOG2_E * steps), *DType.I16.limits)
        operands.append(ctx.const(offsets, DType.I16, op.bias.name))
    y = ctx.emit(
        cls,
        *operands,
        type=out,
        heads=op.heads,
        head_dim=op.head_dim,
        m_score=int(score.m[0]),
        shift_score=score.shift,
        c_out=min(2**32 - 1, round(ratio * 2.0 ** (24 - shift_out))),
        shift_out=shift_out,
        zero_point=out.quant.zero_point,
        q_offset=op.q_offset,
        k_offset=op.k_offset,
        v_offset=op.v_offset,
        group=op.group,
        causal=op.causal,
        dtype=out.dtype.value,
    )
    return requantized(y, wanted, ctx)


def alike(values: list[Value], ctx: Lowering) -> list[Value]:
    """``values`` as they are when all are int16; otherwise those that are int16 in int8, which the kernels mix with
    nothing else."""
    if len({v.type.dtype for v in values}) == 1:
        return values
    return [narrowed(v, ctx) for v in values]


def largest_factor(bound: int) -> float:
    """The largest factor with which ``multiplier`` takes accumulators up to ``bound``.

    Scores of thousands (weights that grow from layer to layer, as those made up for NoNorm) ask for more; even there
    one unit of the accumulator is many octaves, and the largest score has all the weight.
    """
    return (1 - 2.0**-20) * 2.0 ** (30 - bound.bit_length())


def _shift_out(ratio: float) -> int:
    """The shift that brings c_out = ratio * 2^(24 - shift) into [2^31, 2^32); positive for int16 results."""
    return max(-24, min(13, int(log2(ratio) // 1) - 7))


def segment_scale(v: Value, start: int, width: int, loc: str) -> float:
    """The one scale of columns start .. start + width. Raises UnsupportedError when they have several."""
    assert v.type.quant is not None
    scales = v.type.quant.scale if v.type.quant.axis is None else v.type.quant.scale[start : start + width]
    if len(set(scales)) != 1 or v.type.quant.zero_point != 0:
        raise UnsupportedError("attention needs one symmetric scale for each of q, k and v", at=loc)
    return scales[0]
