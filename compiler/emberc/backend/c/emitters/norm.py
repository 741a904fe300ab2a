"""q.layer_norm, q.softmax and q.softmax16."""

from __future__ import annotations

from emberc.backend.c.context import EmitContext, Fields
from emberc.backend.c.emitters.suffix import typed
from emberc.backend.c.registry import Call, emitter
from emberc.ir.arithmetic import norm_unit
from emberc.ir.ops.integer_base import rows_of
from emberc.ir.ops.integer_norm import LayerNorm, Softmax, Softmax16
from emberc.ir.types import DType


@emitter("q.layer_norm", kernel=typed("ember_layer_norm", "x"))
def emit_layer_norm(op: LayerNorm, ctx: EmitContext) -> Call:
    wide = "" if op.y.type.dtype is DType.I8 else "wide_"
    gains: Fields = {"gamma": ctx.pointer(op.gamma), "beta": ctx.pointer(op.beta)}
    p = ctx.params(f"ember_layer_norm_{wide}params", gains | {"shape": norm_rows(op)})
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)


def norm_rows(op: LayerNorm) -> Fields:
    """The fields of ``ember_norm_rows``."""
    n = op.x.shape[-1]
    return {
        "eps": op.eps,
        "rows": rows_of(op.x),
        "n": n,
        "frac": op.frac(),
        "unit": norm_unit(n) if op.y.type.dtype is DType.I8 else 0,
        "out_shift": op.out_shift,
        "center": op.center,
    }


@emitter("q.softmax", kernel="ember_softmax_s8")
def emit_softmax(op: Softmax, ctx: EmitContext) -> Call:
    return softmax_call(op, ctx, ctx.pointer(op.table, "tables"))


def softmax_call(op: Softmax, ctx: EmitContext, table: str) -> Call:
    """The call of the selected kernel, which reads its table from the C expression ``table``."""
    p = ctx.params(
        "ember_softmax_params",
        {"table": table, "rows": rows_of(op.x), "n": op.x.shape[-1]},
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)


@emitter("q.softmax16", kernel="ember_softmax16_s16")
def emit_softmax16(op: Softmax16, ctx: EmitContext) -> Call:
    p = ctx.params(
        "ember_softmax16_params",
        {
            "table": ctx.pointer(op.table, "tables"),
            "table_size": op.table.type.elements,
            "rows": rows_of(op.x),
            "n": op.x.shape[-1],
            "m": op.m,
            "shift": op.shift,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)
