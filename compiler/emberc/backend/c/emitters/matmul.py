"""q.matmul and q.batch_matmul."""

from __future__ import annotations

from math import prod

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.packed import packed_struct
from emberc.backend.c.emitters.suffix import typed
from emberc.backend.c.registry import Call, emitter
from emberc.ir.ops.integer_base import rows_of
from emberc.ir.ops.integer_matmul import BatchMatmul, Matmul
from emberc.ir.types import DType


def _kernel(op: Matmul) -> str:
    return typed("ember_packed_matmul" if op.w.packed else "ember_matmul", "x")(op)


@emitter("q.matmul", kernel=_kernel)
def emit_matmul(op: Matmul, ctx: EmitContext) -> Call:
    """Packed weights or not, only the type of ``w`` differs."""
    packed = op.w.packed
    n, k = op.w.shape
    lo, hi = op.limits()
    p = ctx.params(
        "ember_packed_matmul_params" if packed else "ember_matmul_params",
        {
            "w": packed_struct(packed, op.w.name or f"{op.loc}_w", ctx) if packed else ctx.weights(op.w),
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


@emitter("q.batch_matmul", kernel=typed("ember_batch_matmul", "a"))
def emit_batch_matmul(op: BatchMatmul, ctx: EmitContext) -> Call:
    return batch_matmul_call(op, ctx)


def batch_matmul_call(op: BatchMatmul, ctx: EmitContext, *scratch: str) -> Call:
    """The call of the selected kernel, with its scratch where it takes some."""
    rows, k = op.a.shape[-2:]
    n = op.y.shape[-1]
    p = ctx.params(
        "ember_batch_matmul_params",
        {
            "batches": prod(op.a.shape[:-2]),
            "rows": rows,
            "k": k,
            "n": n,
            "b_batch": 0 if prod(op.b.shape[:-2]) == 1 else k * n,
            "b_k": 1 if op.transpose_b else n,
            "b_n": k if op.transpose_b else 1,
            "za": op.za,
            "zb": op.zb,
            "m": op.m,
            "shift": op.shift,
            "zero_point": op.zero_point,
        },
    )
    return ctx.call(ctx.pointer(op.a), ctx.pointer(op.b), ctx.pointer(op.y), *scratch, p)
