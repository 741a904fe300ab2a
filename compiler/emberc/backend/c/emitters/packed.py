"""q.matmul and q.embed on packed constants: kernels that unpack as they go."""

from __future__ import annotations

from emberc.backend.c.context import EmitContext, Fields
from emberc.backend.c.registry import Call
from emberc.ir.ops.integer_base import rows_of
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.packed import Packed
from emberc.ir.types import DType


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


def emit_packed_matmul(op: Matmul, packed: Packed, ctx: EmitContext) -> Call:
    n, k = op.w.shape
    lo, hi = op.limits()
    p = ctx.params(
        "ember_packed_matmul_params",
        {
            "w": packed_struct(packed, op.w.name or f"{op.loc}_w", ctx),
            "bias": ctx.pointer(op.bias),
            "m": ctx.pointer(op.m),
            "table": ctx.pointer(op.table, "tables"),
            "rows": rows_of(op.x),
            "k": k,
            "n": n,
            "k_slice": min(k, op.k_slice()) if op.x.type.dtype is DType.I16 else k,
            "shift": op.shift,
            "zero_point": op.zero_point,
            "lo": lo,
            "hi": hi,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.scratch, p)


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
