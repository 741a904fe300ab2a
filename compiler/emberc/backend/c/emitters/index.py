"""q.index, q.cumsum and q.widen."""

from __future__ import annotations

from math import prod

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.elementwise import shape_field
from emberc.backend.c.registry import Call, emitter
from emberc.ir.ops.integer_index import Cumsum, Index, Widen


@emitter("q.index", kernel="ember_index_s32")
def emit_index(op: Index, ctx: EmitContext) -> Call:
    kind = f"EMBER_INDEX_{op.kind.upper()}"
    p = ctx.params("ember_index_params", {"shape": shape_field(op.z, op.x, op.y), "kind": kind})
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.pointer(op.z), p)


@emitter("q.cumsum", kernel="ember_cumsum_s32")
def emit_cumsum(op: Cumsum, ctx: EmitContext) -> Call:
    shape = op.x.shape
    p = ctx.params(
        "ember_cumsum_params",
        {
            "outer": prod(shape[: op.axis]),
            "length": shape[op.axis],
            "inner": prod(shape[op.axis + 1 :]),
            "exclusive": op.exclusive,
            "reverse": op.reverse,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)


@emitter("q.widen", kernel="ember_widen")
def emit_widen(op: Widen, ctx: EmitContext) -> Call:
    p = ctx.params("ember_widen_params", {"count": op.x.type.elements})
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)
