"""q.slice, q.transpose, q.expand, q.concat, q.pad and q.gather: all but the last are strided copies."""

from __future__ import annotations

from math import prod

from emberc.backend.c.context import EmitContext
from emberc.backend.c.registry import Call, emitter
from emberc.errors import UnsupportedError
from emberc.ir.op import Op
from emberc.ir.ops.integer_movement import Gather, Pad
from emberc.ir.strides import copies

_ELEMENT_SIZES = (1, 2, 4)


def _emit_copies(op: Op, ctx: EmitContext) -> list[Call]:
    """One ember_copy an operand."""
    calls = []
    for (_, x), copy in zip(op.named_operands(), copies(op), strict=True):
        if x.type.dtype.size not in _ELEMENT_SIZES:
            raise UnsupportedError(f"no kernel moves elements of type {x.type.dtype.value}", at=op.loc)
        p = ctx.params(
            "ember_copy_params",
            {
                "size": x.type.dtype.size,
                "dims": [*copy.dims],
                "xs": [*copy.xs],
                "ys": [*copy.ys],
                "x_offset": copy.x_offset,
                "y_offset": copy.y_offset,
            },
        )
        calls.append(ctx.call(ctx.pointer(x), ctx.pointer(op.result), p))
    return calls


for _opcode in ("q.slice", "q.transpose", "q.expand", "q.concat"):
    emitter(_opcode, kernel="ember_copy")(_emit_copies)


@emitter("q.pad", kernel="ember_copy")
def emit_pad(op: Pad, ctx: EmitContext) -> list[Call]:
    p = ctx.params(
        "ember_fill_params", {"size": op.y.type.dtype.size, "count": op.y.type.elements, "value": int(op.value)}
    )
    return [ctx.call_also("ember_fill", ctx.pointer(op.y), p), *_emit_copies(op, ctx)]


@emitter("q.gather", kernel="ember_gather", can_fail=True)
def emit_gather(op: Gather, ctx: EmitContext) -> Call:
    shape = op.x.shape
    p = ctx.params(
        "ember_gather_params",
        {
            "outer": prod(shape[: op.axis]),
            "length": shape[op.axis],
            "count": op.ids.type.elements,
            "block": prod(shape[op.axis + 1 :]) * op.x.type.dtype.size,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.ids), ctx.pointer(op.y), p)
