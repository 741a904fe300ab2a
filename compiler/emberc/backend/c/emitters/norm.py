"""q.layer_norm and q.softmax."""

from __future__ import annotations

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.suffix import typed
from emberc.backend.c.registry import Call, emitter
from emberc.ir.ops.integer_base import rows_of
from emberc.ir.ops.integer_norm import LayerNorm, Softmax


@emitter("q.layer_norm", kernel=typed("ember_layer_norm", "x"))
def emit_layer_norm(op: LayerNorm, ctx: EmitContext) -> Call:
    return layer_norm_call(op, ctx, ctx.pointer(op.gamma), ctx.pointer(op.beta))


def layer_norm_call(op: LayerNorm, ctx: EmitContext, gamma: str, beta: str) -> Call:
    """The call of the selected kernel, with C expressions for its two arrays."""
    p = ctx.params(
        "ember_layer_norm_params",
        {
            "gamma": gamma,
            "beta": beta,
            "eps": op.eps,
            "rows": rows_of(op.x),
            "n": op.x.shape[-1],
            "frac": op.frac(),
            "out_shift": op.out_shift,
            "center": op.center,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)


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
