"""Movement: elements change place, their integers stay."""

from __future__ import annotations

from math import prod

import numpy as np

from emberc.errors import UnsupportedError
from emberc.ir.op import OPS, Op
from emberc.ir.ops.float_movement import GatherND
from emberc.ir.types import DType
from emberc.ir.values import Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.elementwise import requantized


@lowering("f.reshape", "f.transpose", "f.slice", "f.expand", "f.gather")
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
    """The fill value becomes an integer of the operand's scale; a reflected or repeated edge is gathered."""
    first = op.operands[0]
    assert first is not None
    x = ctx.get(first)
    if op.attrs["mode"] != "constant":
        return _pad_by_gathering(x, op, ctx)
    value = op.attrs["value"]
    assert isinstance(value, float | int)
    fill = value
    if x.type.quant is not None:
        if not np.isfinite(value):
            raise UnsupportedError("padding with infinity outside a mask that is recognised", at=op.loc)
        lo, hi = x.type.dtype.limits
        fill = min(hi, max(lo, round(value / x.type.quant.scale[0]) + x.type.quant.zero_point))
    out = ctx.type_of(op.result).with_quant(x.type.quant).with_dtype(x.type.dtype)
    return ctx.emit(OPS["q.pad"], x, type=out, **{**op.attrs, "value": int(fill)})


def _pad_by_gathering(x: Value, op: Op, ctx: Lowering) -> Value:
    """Axis by axis, the rows that ``mode`` puts around it."""
    pads, mode = op.attrs["pads"], op.attrs["mode"]
    assert isinstance(pads, list)
    rank = x.type.rank
    for axis, around in enumerate(zip(pads[:rank], pads[rank:], strict=True)):
        if any(around):
            rows = np.pad(np.arange(x.shape[axis]), around, mode=str(mode))  # type: ignore[call-overload]
            shape = (*x.shape[:axis], len(rows), *x.shape[axis + 1 :])
            ids = ctx.const(rows, DType.I32, f"{op.loc}_rows")
            x = ctx.emit(OPS["q.gather"], x, ids, type=x.type.with_shape(shape), axis=axis)
    return x


@lowering("f.gather_nd")
def lower_gather_nd(op: GatherND, ctx: Lowering) -> Value:
    """Index tuples known at compile time: rows of a flat table. Others have no integer op."""
    ids = op.ids.const
    if ids is None:
        raise UnsupportedError(
            "a look-up by several computed indices is not compiled",
            at=op.loc,
            hints=["one computed index along one axis (Gather) is, and so are constant indices"],
        )
    x, depth, batch = ctx.get(op.x), ids.shape[-1], op.batch_dims
    lead = np.indices(ids.shape[:-1])[:batch]
    columns = [*lead, *np.moveaxis(ids, -1, 0)]
    sizes = op.x.shape[: batch + depth]
    places = np.ravel_multi_index([np.where(c < 0, c + n, c) for c, n in zip(columns, sizes, strict=True)], sizes)
    table = [prod(sizes), *op.x.shape[batch + depth :]]
    flat = ctx.emit(OPS["q.reshape"], x, type=x.type.with_shape(table), shape=table)
    out = ctx.type_of(op.result).with_quant(x.type.quant).with_dtype(x.type.dtype)
    return ctx.emit(OPS["q.gather"], flat, ctx.const(places, DType.I32), type=out, axis=0)
