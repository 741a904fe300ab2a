"""Truth values and comparisons: masks, computed from the ids that the model takes."""

from __future__ import annotations

import numpy as np

from emberc.errors import UnsupportedError
from emberc.ir.op import Op
from emberc.ir.ops.integer_compare import Compare, Logical, Nonzero, Where
from emberc.ir.ops.integer_index import Index
from emberc.ir.ops.integer_movement import Gather
from emberc.ir.types import DType, TensorType
from emberc.ir.values import Constant, Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.elementwise import requantized
from emberc.passes.lower.index import as_index, lower_index
from emberc.quant.precision import affine

COMPARE = {
    "f.equal": "eq", "f.less": "lt", "f.less_or_equal": "le", "f.greater": "gt", "f.greater_or_equal": "ge",
}  # fmt: skip


#: entries of the table that makes reals of integers
_MOST_COUNTS = 4096


@lowering("f.cast")
def lower_cast(op: Op, ctx: Lowering) -> Value:
    """To bool: not zero. Between index types: nothing. A truth value as a real: 1 or 0, chosen; a count: looked up."""
    (source,) = op.operands
    assert source is not None
    x, out = ctx.get(source), ctx.type_of(op.result)
    if out.dtype is DType.BOOL and x.type.quant is None:
        return x if x.type.dtype is DType.BOOL else ctx.emit(Nonzero, x, type=out)
    if x.type.dtype is out.dtype and (out.quant is None) == (x.type.quant is None):
        return x
    if x.type.dtype is DType.BOOL and out.dtype is DType.I32:
        return as_index(x, ctx)
    if x.type.dtype is DType.I32 and out.quant is not None:
        return _count(x, out, ctx)
    if x.type.dtype is DType.BOOL and out.quant is not None:
        one, zero = (Constant(out.quant.quantize(np.array(n), out.dtype), quant=out.quant) for n in (1.0, 0.0))
        return ctx.emit(Where, x, one, zero, type=out)
    raise UnsupportedError(
        f"a cast from {source.type.dtype.value} to {op.result.type.dtype.value} is left after folding",
        at=op.loc,
        hints=["if it belongs to a mask that no fusion recognised, fix that input: --fix attention_mask=1"],
    )


def _count(x: Value, out: TensorType, ctx: Lowering) -> Value:
    """Integers as reals: ``out`` says between which calibration saw them; others saturate."""
    assert out.quant is not None
    lo, hi = (float(end) for end in out.quant.dequantize(np.array(out.dtype.limits)))
    first, last = int(np.ceil(lo)), int(np.floor(hi))
    if (first, last) == (0, 1):
        one, zero = (Constant(out.quant.quantize(np.array(n), out.dtype), quant=out.quant) for n in (1.0, 0.0))
        return ctx.emit(Where, ctx.emit(Nonzero, x, type=x.type.with_dtype(DType.BOOL)), one, zero, type=out)
    if last - first >= _MOST_COUNTS:
        raise UnsupportedError(
            f"integers from {first} to {last} become reals, more than the {_MOST_COUNTS} that a table holds",
            at=ctx.at(),
            hints=["give the model that input as floats, or scaled to fewer values"],
        )
    reals = Constant(out.quant.quantize(np.arange(first, last + 1.0), out.dtype), quant=out.quant)
    for kind, number in (("max", first), ("min", last), ("sub", first)):
        x = ctx.emit(Index, x, ctx.const(np.array(number), DType.I32), type=x.type, kind=kind)
    return ctx.emit(Gather, reals, x, type=out, axis=0)


@lowering(*COMPARE)
def lower_compare(op: Op, ctx: Lowering) -> Value:
    """Comparisons of indices or truth values."""
    x, y = (ctx.get(v) for v in op.operands if v is not None)
    if (
        x.type.quant is not None
        and y.type.quant is not None
        and (x.type.dtype, x.type.quant)
        != (
            y.type.dtype,
            y.type.quant,
        )
    ):
        common = _common(x.type, y.type)
        x, y = requantized(x, common, ctx), requantized(y, common, ctx)
    if x.type.dtype is not y.type.dtype or x.type.quant != y.type.quant:
        raise UnsupportedError("a comparison of values of two kinds is not compiled", at=op.loc)
    return ctx.emit(Compare, x, y, type=ctx.type_of(op.result), kind=COMPARE[op.opcode])


def _common(a: TensorType, b: TensorType) -> TensorType:
    """The int16 type that spans what ``a`` and ``b`` span."""
    ends = [t.quant.dequantize(np.array(t.dtype.limits)) for t in (a, b) if t.quant is not None]
    top = float(np.abs(np.concatenate(ends)).max())
    return a.with_dtype(DType.I16).with_quant(affine(-top, top, DType.I16, symmetric=True))


@lowering("f.max", "f.min")
def lower_extreme(op: Op, ctx: Lowering) -> Value:
    """Both operands at the result's scale, compared, and the larger or smaller one taken."""
    x, y = (ctx.get(v) for v in op.operands if v is not None)
    out = ctx.type_of(op.result)
    if out.quant is None:
        return lower_index(op, ctx)
    x, y = requantized(x, out, ctx), requantized(y, out, ctx)
    kind = "gt" if op.opcode == "f.max" else "lt"
    first = ctx.emit(Compare, x, y, type=TensorType(DType.BOOL, out.shape), kind=kind)
    return ctx.emit(Where, first, x, y, type=out)


@lowering("f.and", "f.or", "f.xor", "f.not")
def lower_logical(op: Op, ctx: Lowering) -> Value:
    """And, or, xor, not."""
    operands = [ctx.get(v) for v in op.operands if v is not None]
    return ctx.emit(Logical, *operands, type=ctx.type_of(op.result), kind=op.opcode[2:])


@lowering("f.where")
def lower_where(op: Op, ctx: Lowering) -> Value:
    """Both branches are brought to the result's scale first."""
    c, x, y = (ctx.get(v) for v in op.operands if v is not None)
    out = ctx.type_of(op.result)
    if out.quant is not None:
        x, y = requantized(x, out, ctx), requantized(y, out, ctx)
    return ctx.emit(Where, c, x, y, type=out)
