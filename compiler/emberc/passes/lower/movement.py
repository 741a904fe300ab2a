"""Movement: elements change place, their integers stay."""

from __future__ import annotations

from emberc.ir.op import OPS, Op
from emberc.ir.values import Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.elementwise import requantized


@lowering("f.reshape", "f.transpose", "f.slice", "f.expand", "f.gather", "f.gather_nd")
def lower_move(op: Op, ctx: Lowering) -> Value:
    """The q twin of the op, with the operand's quantization."""
    first = op.operands[0]
    assert first is not None
    x = ctx.get(first)
    result = ctx.type_of(op.result).with_quant(x.type.quant).with_dtype(x.type.dtype)
    rest = [ctx.get(v) for v in op.operands[1:] if v is not None]
    return ctx.emit(OPS["q." + op.opcode[2:]], x, *rest, type=result, **op.attrs)


@lowering("f.concat")
def lower_concat(op: Op, ctx: Lowering) -> Value:
    """Operands are brought to the result's scale first."""
    out = ctx.type_of(op.result)
    parts = [requantized(ctx.get(v), out, ctx) if out.quant else ctx.get(v) for v in op.operands if v is not None]
    return ctx.emit(OPS["q.concat"], parts, type=out, **op.attrs)


@lowering("f.pad")
def lower_pad(op: Op, ctx: Lowering) -> Value:
    """The fill value becomes an integer of the operand's scale."""
    first = op.operands[0]
    assert first is not None
    x = ctx.get(first)
    value = op.attrs["value"]
    assert isinstance(value, float | int)
    fill = value
    if x.type.quant is not None:
        lo, hi = x.type.dtype.limits
        fill = min(hi, max(lo, round(value / x.type.quant.scale[0]) + x.type.quant.zero_point))
    out = ctx.type_of(op.result).with_quant(x.type.quant).with_dtype(x.type.dtype)
    return ctx.emit(OPS["q.pad"], x, type=out, **{**op.attrs, "value": int(fill)})
