"""q.depthwise_rows."""

from __future__ import annotations

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.suffix import typed
from emberc.backend.c.registry import Call, emitter
from emberc.ir.ops.integer_rows import DepthwiseRows


@emitter("q.depthwise_rows", kernel=typed("ember_depthwise_rows", "x"))
def emit_depthwise_rows(op: DepthwiseRows, ctx: EmitContext) -> Call:
    p = ctx.params(
        "ember_depthwise_rows_params",
        {
            "w": ctx.pointer(op.w),
            "bias": ctx.pointer(op.bias),
            "m": ctx.pointer(op.m),
            "batches": op.x.shape[0],
            "x_rows": op.x.shape[1],
            "rows": op.rows,
            "channels": op.x.shape[2],
            "taps": op.w.shape[0],
            "before": op.before,
            "dilation": op.dilation,
            "zx": op.zx,
            "shift": op.shift,
            "zero_point": op.zero_point,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)
