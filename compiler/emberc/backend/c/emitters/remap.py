"""q.remap."""

from __future__ import annotations

from emberc.backend.c.context import EmitContext
from emberc.backend.c.registry import Call, emitter
from emberc.ir.ops.remap import IntegerRemap


@emitter("q.remap", kernel="ember_remap_s32", can_fail=True)
def emit_remap(op: IntegerRemap, ctx: EmitContext) -> Call:
    p = ctx.params(
        "ember_remap_params",
        {
            "bits": ctx.pointer(op.bits, "tables"),
            "counts": ctx.pointer(op.counts, "tables"),
            "count": op.ids.type.elements,
            "vocabulary": op.vocabulary,
            "other": op.other,
        },
    )
    return ctx.call(ctx.pointer(op.ids), ctx.pointer(op.y), p)
