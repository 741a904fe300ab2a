"""q.running_sum, q.cache and q.slide."""

from __future__ import annotations

from math import prod

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.suffix import typed
from emberc.backend.c.registry import Call, emitter
from emberc.ir.ops.integer_stream import Cache, RunningSum, Slide


@emitter("q.running_sum", kernel=typed("ember_running_sum", "x"))
def emit_running_sum(op: RunningSum, ctx: EmitContext) -> Call:
    shape = op.x.shape
    p = ctx.params(
        "ember_running_sum_params",
        {
            "outer": prod(shape[: op.axis]),
            "length": shape[op.axis],
            "inner": prod(shape[op.axis + 1 :]),
            "zx": op.zx,
            "m": op.m,
            "shift": op.shift,
            "zero_point": op.zero_point,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.initial), ctx.pointer(op.y), ctx.pointer(op.total), p)


@emitter("q.cache", kernel="ember_cache", can_fail=True)
def emit_cache(op: Cache, ctx: EmitContext) -> Call:
    batches, capacity, columns = op.x.shape
    p = ctx.params(
        "ember_cache_params",
        {
            "batches": batches,
            "capacity": capacity,
            "count": op.rows.shape[1],
            "bytes": columns * op.x.type.dtype.size,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.rows), ctx.pointer(op.position), ctx.pointer(op.y), p)


@emitter("q.slide", kernel="ember_slide")
def emit_slide(op: Slide, ctx: EmitContext) -> Call:
    outer, length = prod(op.x.shape[: op.axis]), op.x.shape[op.axis]
    row = op.x.type.nbytes // (outer * length)
    count = op.rows.shape[op.axis]
    p = ctx.params("ember_slide_params", {"outer": outer, "moved": (length - count) * row, "bytes": count * row})
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.rows), ctx.pointer(op.y), p)
