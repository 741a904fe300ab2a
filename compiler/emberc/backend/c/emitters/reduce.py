"""q.reduce_sum, q.reduce_max and q.top_k."""

from __future__ import annotations

from math import prod

from emberc.backend.c.context import EmitContext, Fields
from emberc.backend.c.emitters.suffix import by_input, typed
from emberc.backend.c.registry import Call, emitter
from emberc.ir.ops.integer_reduce import Reduce, ReduceMax, ReduceSum, TopK


def _axes(op: Reduce | TopK) -> Fields:
    """The operand as [outer, length, inner] around the axis that an op works along."""
    shape = op.x.shape
    return {"outer": prod(shape[: op.axis]), "length": shape[op.axis], "inner": prod(shape[op.axis + 1 :])}


@emitter("q.reduce_sum", kernel=typed("ember_reduce_sum", "x"))
def emit_reduce_sum(op: ReduceSum, ctx: EmitContext) -> Call:
    scaling: Fields = {"zx": op.zx, "m": op.m, "shift": op.shift, "zero_point": op.zero_point}
    p = ctx.params("ember_reduce_sum_params", {**_axes(op), **scaling})
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)


@emitter("q.reduce_max", kernel=typed("ember_reduce_max", "x"))
def emit_reduce_max(op: ReduceMax, ctx: EmitContext) -> Call:
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.params("ember_reduce_max_params", _axes(op)))


@emitter("q.top_k", kernel=by_input("ember_top_k"))
def emit_top_k(op: TopK, ctx: EmitContext) -> Call:
    p = ctx.params("ember_top_k_params", {**_axes(op), "k": op.k, "smallest": op.smallest, "last": op.last})
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.values), ctx.pointer(op.positions), p)
