"""Elementwise float ops: sums, products, and every function of one variable as a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from emberc.ir.op import Op
from emberc.ir.ops.float_unary import Clip, Unary
from emberc.ir.ops.integer_elementwise import Add, Mul, Requantize
from emberc.ir.ops.integer_table import Table, Table16
from emberc.ir.rewrite import splat
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Constant, Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.index import clip_index, lower_index
from emberc.quant.multiplier import halves, multiplier, requantized_sum
from emberc.quant.precision import affine

#: functions of one variable: the float op's own reference fills the table
FUNCTIONS = (
    "f.neg", "f.abs", "f.sign", "f.relu", "f.floor", "f.round", "f.exp", "f.log", "f.sqrt", "f.reciprocal", "f.sin",
    "f.cos", "f.elementary", "f.erf", "f.tanh", "f.sigmoid", "f.silu", "f.softplus", "f.gelu", "f.clip",
    "f.pointwise",
)  # fmt: skip


def requantized(x: Value, out: TensorType, ctx: Lowering, factor: float = 1.0) -> Value:
    """``factor * x`` under the quantization of ``out``; x itself when nothing would change."""
    assert x.type.quant is not None and out.quant is not None
    if (x.type.dtype, x.type.quant) == (out.dtype, out.quant) and factor == 1.0:
        return x
    if x.const is not None:
        real = x.type.quant.dequantize(x.const) * factor
        return Constant(out.quant.quantize(real, out.dtype), x.name, out.quant)
    plan = requantized_sum(
        [factor * x.type.quant.scale[0] / out.quant.scale[0]], [x.type.quant.zero_point], out.quant.zero_point
    )
    (term,) = plan.terms
    result = out.with_shape(x.shape)
    return ctx.emit(Requantize, x, type=result, m=term.m, s=term.s, c=plan.c, frac=plan.frac, dtype=out.dtype.value)


def narrowed(x: Value, ctx: Lowering) -> Value:
    """``x`` in symmetric int8, for kernels that take nothing wider; an int8 value as it is."""
    if x.type.dtype is DType.I8:
        return x
    assert x.type.quant is not None
    lo, hi = (float(v) for v in x.type.quant.dequantize(np.array([-32768, 32767], np.int16)))
    return requantized(x, x.type.with_dtype(DType.I8).with_quant(affine(lo, hi, DType.I8, symmetric=True)), ctx)


@lowering("f.add", "f.sub")
def lower_sum(op: Op, ctx: Lowering) -> Value:
    """x + y, x - y: two terms of one requantized sum."""
    a, b = op.operands
    assert a is not None and b is not None
    out = ctx.type_of(op.result)
    if out.quant is None:
        return lower_index(op, ctx)
    sign = -1.0 if op.opcode == "f.sub" else 1.0
    return sum_of([(ctx.get(a), 1.0), (ctx.get(b), sign)], out, ctx)


def sum_of(terms: list[tuple[Value, float]], out: TensorType, ctx: Lowering) -> Value:
    """The sum of two values, each times its factor, as ``out``."""
    assert out.quant is not None
    if terms[0][0].type.dtype is DType.I8 and terms[1][0].type.dtype is DType.I16:
        terms = terms[::-1]
    quants = [v.type.quant for v, _ in terms]
    assert quants[0] is not None and quants[1] is not None
    plan = requantized_sum(
        [f * q.scale[0] / out.quant.scale[0] for (_, f), q in zip(terms, quants, strict=True) if q is not None],
        [q.zero_point for q in quants if q is not None],
        out.quant.zero_point,
    )
    t1, t2 = plan.terms
    return ctx.emit(
        Add,
        terms[0][0],
        terms[1][0],
        type=out,
        m1=t1.m,
        s1=t1.s,
        m2=t2.m,
        s2=t2.s,
        c=plan.c,
        frac=plan.frac,
        dtype=out.dtype.value,
    )


@lowering("f.mul")
def lower_product(op: Op, ctx: Lowering) -> Value:
    """x * y; with one number a change of scale.

    int8: a multiplier that 16-bit lanes can apply, where one is near enough (``quant.multiplier.halves``).
    """
    a, b = op.operands
    assert a is not None and b is not None
    out = ctx.type_of(op.result)
    if out.quant is None:
        return lower_index(op, ctx)
    for x, c in ((a, b), (b, a)):
        number = splat(c)
        if number is not None and np.isfinite(number) and x.shape == op.result.shape:
            return requantized(ctx.get(x), out, ctx, number)
    x, y = ctx.get(a), ctx.get(b)
    if x.type.dtype is DType.I8 and y.type.dtype is DType.I16:
        x, y = y, x
    qx, qy = x.type.quant, y.type.quant
    assert qx is not None and qy is not None
    spans = _span(x, qx.zero_point), _span(y, qy.zero_point)
    factor = qx.scale[0] * qy.scale[0] / out.quant.scale[0]
    narrow = x.type.dtype is y.type.dtype is out.dtype is DType.I8
    pair = halves(factor, *spans) if narrow else None
    mult = multiplier(pair.m / 2.0**32 if pair else factor, spans[0] * spans[1], at=op.loc)
    return ctx.emit(
        Mul,
        x,
        y,
        type=out,
        zx=qx.zero_point,
        zy=qy.zero_point,
        m=int(mult.m[0]),
        shift=mult.shift,
        zero_point=out.quant.zero_point,
        dtype=out.dtype.value,
    )


def _span(v: Value, zero: int) -> int:
    lo, hi = v.type.dtype.limits
    return max(hi - zero, zero - lo)


@lowering(*FUNCTIONS)
def lower_function(op: Unary, ctx: Lowering) -> Value:
    """int8: 256 entries, requantization included. int16: 513 knots with interpolation between them."""
    x, out = ctx.get(op.x), ctx.type_of(op.y)
    if x.type.quant is None or out.quant is None:
        return clip_index(op, ctx) if isinstance(op, Clip) else lower_index(op, ctx)
    return table_of(op.reference, x, out, op.opcode[2:], ctx)


def table_of(f: Callable[[Array], Any], x: Value, out: TensorType, name: str, ctx: Lowering) -> Value:
    """f(x) as ``out``, f being given reals."""
    quant = x.type.quant
    assert quant is not None
    if x.type.dtype is DType.I8:
        q = np.arange(-128, 128, dtype=np.int8)
        table = _entries(f, quant.dequantize(q), out)
        if out.dtype is DType.I8 and np.array_equal(table, q):
            return x  # a ReLU whose operand was calibrated not to go below zero
        return ctx.emit(Table, x, Constant(table, name), type=out)
    knots = np.arange(-256, 257) * 128
    wide = as_int16(out)
    real = ((knots - quant.zero_point) * quant.scale[0]).astype(np.float32)
    y = ctx.emit(Table16, x, Constant(_entries(f, real, wide), name), type=wide)
    return requantized(y, out, ctx)


def _entries(f: Callable[[Array], Any], real: Array, out: TensorType) -> Array:
    assert out.quant is not None
    with np.errstate(all="ignore"):
        y = np.nan_to_num(np.asarray(f(real), np.float64), nan=0.0)
    return out.quant.quantize(y, out.dtype)


def as_int16(out: TensorType) -> TensorType:
    """The int16 type that spans what ``out`` spans, for a result that is narrowed afterwards."""
    assert out.quant is not None
    if out.dtype is DType.I16:
        return out
    lo, hi = (float(v) for v in out.quant.dequantize(np.array([-128, 127], np.int8)))
    return out.with_dtype(DType.I16).with_quant(affine(lo, hi, DType.I16, symmetric=True))
