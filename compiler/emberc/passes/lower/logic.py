"""Truth values and comparisons: masks, computed from the ids that the model takes."""

from __future__ import annotations

from emberc.errors import UnsupportedError
from emberc.ir.op import Op
from emberc.ir.ops.integer_compare import Compare, Logical, Nonzero, Where
from emberc.ir.types import DType
from emberc.ir.values import Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.elementwise import requantized
from emberc.passes.lower.index import as_index

COMPARE = {
    "f.equal": "eq", "f.less": "lt", "f.less_or_equal": "le", "f.greater": "gt", "f.greater_or_equal": "ge",
}  # fmt: skip


@lowering("f.cast")
def lower_cast(op: Op, ctx: Lowering) -> Value:
    """To bool: not zero. Between index types: nothing. A number made of a truth value has no integer form here."""
    (source,) = op.operands
    assert source is not None
    x, out = ctx.get(source), ctx.type_of(op.result)
    if out.dtype is DType.BOOL and x.type.quant is None:
        return x if x.type.dtype is DType.BOOL else ctx.emit(Nonzero, x, type=out)
    if x.type.dtype is out.dtype and (out.quant is None) == (x.type.quant is None):
        return x
    if x.type.dtype is DType.BOOL and out.dtype is DType.I32:
        return as_index(x, ctx)
    raise UnsupportedError(
        f"a cast from {source.type.dtype.value} to {op.result.type.dtype.value} is left after folding",
        at=op.loc,
        hints=["if it belongs to a mask that no fusion recognised, fix that input: --fix attention_mask=1"],
    )


@lowering(*COMPARE)
def lower_compare(op: Op, ctx: Lowering) -> Value:
    """Comparisons of indices or truth values."""
    x, y = (ctx.get(v) for v in op.operands if v is not None)
    if x.type.dtype is not y.type.dtype or x.type.quant != y.type.quant:
        raise UnsupportedError("a comparison of values with two scales is not compiled", at=op.loc)
    return ctx.emit(Compare, x, y, type=ctx.type_of(op.result), kind=COMPARE[op.opcode])


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
