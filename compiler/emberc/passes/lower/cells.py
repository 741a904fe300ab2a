"""f.lstm and f.gru to integer cells."""

from __future__ import annotations

from typing import Any

import numpy as np

from emberc.ir.ops import float_cells, integer_cells
from emberc.ir.ops.integer_cells import GATE_BITS, ONE_BITS
from emberc.ir.ops.integer_matmul import accumulator_bounds
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Constant, Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.elementwise import requantized
from emberc.passes.lower.linear import weight_scales
from emberc.quant.multiplier import multiplier
from emberc.quant.states import hidden_type, state_bits, state_type

ONE = 1 << ONE_BITS


@lowering("f.lstm")
def lower_lstm(op: float_cells.Lstm, ctx: Lowering) -> list[Value]:
    """c's scale is the power of two that leaves it the most bits for what calibration saw of it."""
    span = ctx.type_of(op.span)
    bits = state_bits(span)
    hidden, fields = _common(op, ctx, ONE_BITS)
    cell = state_type(op, bits)
    h0 = requantized(ctx.get(op.h0), hidden, ctx)
    c0 = requantized(ctx.get(op.c0), cell, ctx)
    operands = [*fields.pop("operands"), _table(np.tanh, 0.0, "tanh"), h0, c0]
    types = [ctx.type_of(op.y), cell, hidden]
    y, last, h = ctx.emit_all(integer_cells.Lstm, *operands, types=types, bits=bits, **fields)
    # The states as the cell keeps them: what is lost of them here would add up from call to call.
    return [y, last, h, Constant(np.array(span.dtype.limits, span.dtype.numpy), "span", span.quant)]  # read by nobody


@lowering("f.gru")
def lower_gru(op: float_cells.Gru, ctx: Lowering) -> list[Value]:
    """The state's scale is a power of two."""
    bits = min(state_bits(ctx.type_of(op.y)), state_bits(ctx.get(op.h0).type))
    _, fields = _common(op, ctx, bits)
    state = state_type(op, bits)
    s0 = requantized(ctx.get(op.h0), state, ctx)
    operands = [*fields.pop("operands"), s0]
    types = [ctx.type_of(op.y), state]
    return ctx.emit_all(integer_cells.Gru, *operands, types=types, bits=bits, late=op.late, **fields)


def _common(op: float_cells.Cell, ctx: Lowering, bits: int) -> tuple[TensorType, dict[str, Any]]:
    """The hidden state's type, and the fields that both cells have; h is requantized from steps of 2^-``bits``."""
    x, out = ctx.get(op.x), ctx.type_of(op.results[0])
    assert out.quant is not None
    sx, zero = ctx.scale(op.x), ctx.quant(op.x).zero_point
    hidden = hidden_type(x.type.dtype, op, out)
    assert hidden.quant is not None
    h_scale, y_scale = hidden.quant.scale[0], out.quant.scale[0]
    w, w_shift = _product(op.w, op.w_bias, sx, zero, x.type.dtype, ctx)
    r, r_shift = _product(op.r, op.r_bias, h_scale, 0, x.type.dtype, ctx)
    h, y = (multiplier(2.0**-bits / s, 1 << ONE_BITS, at=op.loc) for s in (h_scale, y_scale))
    tables = [_table(float_cells.sigmoid, op.clip, "sigmoid"), _table(np.tanh, op.clip, "tanh")]
    fields = {
        "operands": [x, *w, *r, *tables],
        "w_shift": w_shift,
        "r_shift": r_shift,
        "h_m": int(h.m[0]),
        "h_shift": h.shift,
        "y_m": int(y.m[0]),
        "y_shift": y.shift,
        "zero_point": out.quant.zero_point,
        "reverse": op.reverse,
        "dtype": out.dtype.value,
    }
    return hidden, fields


def _product(w: Value, bias: Value, scale: float, zero: int, dtype: DType, ctx: Lowering) -> tuple[list[Constant], int]:
    """Weights, bias and multipliers of a product of values of that scale and zero point, in steps of the gates."""
    real, b = ctx.real(w), ctx.real(bias)
    scales = weight_scales(real, b, scale)
    wq = np.rint(real / scales[:, None])
    bq = np.rint(b / (scale * scales)) - zero * wq.sum(1)
    weights, words = ctx.const(wq, DType.I8, w.name), ctx.const(bq, DType.I32, bias.name)
    bound = max(abs(e) for e in accumulator_bounds(weights.data, words.data, dtype))
    mult = multiplier(scale * scales * 2.0**GATE_BITS, bound, at=ctx.at())
    return [weights, words, ctx.const(mult.m, DType.I32)], mult.shift


def _table(f: Any, clip: float, name: str) -> Constant:
    """513 entries of f over +-16 in steps of 2^-15; what goes in is clipped first where ``clip`` > 0."""
    v: Array = np.arange(-256, 257) * 128 / 2.0**GATE_BITS
    v = np.clip(v, -clip, clip) if clip > 0 else v
    return Constant(np.clip(np.rint(f(v) * ONE), 1 - ONE, ONE - 1).astype(np.int16), name)
