"""q.table and q.table16."""

from __future__ import annotations

from emberc.backend.c.context import EmitContext, Fields
from emberc.backend.c.emitters.suffix import typed
from emberc.backend.c.registry import Call, emitter
from emberc.ir.ops.integer_table import Table, Table16


@emitter("q.table", kernel=typed("ember_table", "x"))
def emit_table(op: Table, ctx: EmitContext) -> Call:
    fields: Fields = {"table": ctx.pointer(op.table, "tables"), "count": op.x.type.elements}
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.params("ember_table_params", fields))


@emitter("q.table16", kernel="ember_table16_s16")
def emit_table16(op: Table16, ctx: EmitContext) -> Call:
    fields: Fields = {"table": ctx.pointer(op.table, "tables"), "count": op.x.type.elements}
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.params("ember_table16_params", fields))
