"""q.attention."""

from __future__ import annotations

from math import prod

from emberc.backend.c.context import EmitContext
from emberc.backend.c.registry import Call, emitter
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.integer_biased import BiasedAttention
from emberc.ir.types import DType


def _kernel(op: Attention) -> str:
    name = "ember_biased_attention" if isinstance(op, BiasedAttention) else "ember_attention"
    if op.q.type.dtype is DType.I16:
        return f"{name}_s16"
    return f"{name}_s8" if op.y.type.dtype is DType.I8 else f"{name}_s8_s16"


@emitter("q.biased_attention", kernel=_kernel)
def emit_biased_attention(op: BiasedAttention, ctx: EmitContext) -> Call:
    plain = attention_call(op, ctx, ctx.pointer(op.table, "tables"))
    q, k, v, mask, *rest = plain.arguments
    return ctx.call(q, k, v, mask, ctx.pointer(op.bias), *rest)


@emitter("q.attention", kernel=_kernel)
def emit_attention(op: Attention, ctx: EmitContext) -> Call:
    return attention_call(op, ctx, ctx.pointer(op.table, "tables"))


def attention_call(op: Attention, ctx: EmitContext, table: str) -> Call:
    """The call of the selected kernel, which reads its table from the C expression ``table``."""
    mask_batches, _, mask_rows, keys = op.mask.shape if op.mask is not None else (1, 1, 1, 0)
    p = ctx.params(
        "ember_attention_params",
        {
            "table": table,
            "table_size": op.table.type.elements,
            "batches": prod(op.q.shape[:-2]),
            "q_rows": op.q.shape[-2],
            "kv_rows": op.k.shape[-2],
            "heads": op.heads,
            "head_dim": op.head_dim,
            "group": op.group,
            "q_stride": op.q.shape[-1],
            "k_stride": op.k.shape[-1],
            "v_stride": op.v.shape[-1],
            "q_offset": op.q_offset,
            "k_offset": op.k_offset,
            "v_offset": op.v_offset,
            "mask_batch": mask_rows * keys if mask_batches > 1 else 0,
            "mask_row": keys if mask_rows > 1 else 0,
            "causal": op.causal,
            "m_score": op.m_score,
            "shift_score": op.shift_score,
            "c_out": op.c_out,
            "shift_out": op.shift_out,
            "zero_point": op.zero_point,
        },
    )
    q, k, v, mask = ctx.pointer(op.q), ctx.pointer(op.k), ctx.pointer(op.v), ctx.pointer(op.mask)
    return ctx.call(q, k, v, mask, ctx.pointer(op.y), ctx.scratch, p)
