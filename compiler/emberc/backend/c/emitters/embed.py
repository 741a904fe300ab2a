"""q.embed."""

from __future__ import annotations

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.packed import emit_packed_embed
from emberc.backend.c.registry import Call, emitter
from emberc.ir.ops.integer_base import rows_of
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.types import DType


def _kernel(op: Embed) -> str:
    packed = "packed_" if op.has_packed() else ""
    return f"ember_{packed}embed_{'s8' if op.y.type.dtype is DType.I8 else 's16'}"


@emitter("q.embed", kernel=_kernel, can_fail=True)
def emit_embed(op: Embed, ctx: EmitContext) -> Call:
    if op.has_packed():
        return emit_packed_embed(op, ctx)
    tables = op.tables()
    parts = ctx.params_array(
        "ember_embed_part",
        [
            {
                "table": ctx.pointer(t.table),
                "m": ctx.pointer(t.m),
                "m_step": t.m.type.elements > 1,
                "vocabulary": t.table.shape[0],
            }
            for t in tables
        ],
    )
    p = ctx.params(
        "ember_embed_params",
        {
            "parts": parts,
            "bias": ctx.pointer(op.bias),
            "count": len(tables),
            "rows": rows_of(op.y),
            "d": op.y.shape[-1],
            "frac": op.frac,
        },
    )
    ids = ", ".join(ctx.pointer(t.ids) for t in tables)
    return ctx.call(f"(const int32_t *const[]){{{ids}}}", ctx.pointer(op.y), p)
