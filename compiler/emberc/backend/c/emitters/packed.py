"""Packed constants in C, and q.embed on them: kernels unpack as they go."""

from __future__ import annotations

from emberc.backend.c.context import EmitContext, Fields
from emberc.backend.c.registry import Call
from emberc.ir.ops.integer_base import rows_of
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.packed import Packed


def packed_struct(packed: Packed, hint: str, ctx: EmitContext) -> str:
    """The address of the constant's ``ember_packed``."""
    return ctx.params(
        "ember_packed",
        {
            "codes": ctx.array(packed.codes, hint),
            "codebook": ctx.array(packed.codebook, f"{hint}_codebook"),
            "gains": ctx.array(packed.gains, f"{hint}_gains"),
            "bits": packed.bits,
            "row_bytes": packed.codes.shape[1],
            "group": packed.group,
            "groups": packed.gains.shape[1],
        },
    )


def emit_packed_embed(op: Embed, ctx: EmitContext) -> Call:
    parts: list[Fields] = []
    for number, t in enumerate(op.tables()):
        form = t.table.packed
        parts.append(
            {
                "table": None if form else ctx.pointer(t.table),
                "packed": packed_struct(form, t.table.name or f"{op.loc}_table{number}", ctx) if form else None,
                "m": ctx.pointer(t.m),
                "m_step": t.m.type.elements > 1,
                "vocabulary": t.table.shape[0],
            }
        )
    p = ctx.params(
        "ember_packed_embed_params",
        {
            "parts": ctx.params_array("ember_packed_embed_part", parts),
            "bias": ctx.pointer(op.bias),
            "count": len(parts),
            "rows": rows_of(op.y),
            "d": op.y.shape[-1],
            "frac": op.frac,
        },
    )
    ids = ", ".join(ctx.pointer(t.ids) for t in op.tables())
    return ctx.call(f"(const int32_t *const[]){{{ids}}}", ctx.pointer(op.y), p)
