"""q.slice, q.transpose, q.expand, q.concat, q.pad and q.gather: all but the last are strided copies."""

from __future__ import annotations

from math import prod

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.strides import Loops, broadcast_strides, row_major
from emberc.backend.c.registry import Call, emitter
from emberc.ir.op import Op
from emberc.ir.ops.integer_movement import Concat, Expand, Gather, Pad, Slice, Transpose
from emberc.ir.values import Value

COPY_DIMS = 6
"""EMBER_COPY_DIMS of the runtime."""


def _copy(op: Op, ctx: EmitContext, x: Value, y: Value, loops: Loops, x_offset: int = 0, y_offset: int = 0) -> Call:
    """ember_copy from ``x`` to ``y``; the loops' strides are theirs, offsets are in elements."""
    fitted = loops.padded(COPY_DIMS, op.loc)
    p = ctx.params(
        "ember_copy_params",
        {
            "size": x.type.dtype.size,
            "dims": [*fitted.dims],
            "xs": [*fitted.strides[0]],
            "ys": [*fitted.strides[1]],
            "x_offset": x_offset,
            "y_offset": y_offset,
        },
    )
    return ctx.call(ctx.pointer(x), ctx.pointer(y), p)


@emitter("q.slice", kernel="ember_copy")
def emit_slice(op: Slice, ctx: EmitContext) -> Call:
    strides, offset = row_major(op.x.shape), 0
    for axis, taken in op.ranges().items():
        offset += taken.start * strides[axis]
        strides[axis] *= taken.step
    return _copy(op, ctx, op.x, op.y, Loops(list(op.y.shape), [strides, row_major(op.y.shape)]), x_offset=offset)


@emitter("q.transpose", kernel="ember_copy")
def emit_transpose(op: Transpose, ctx: EmitContext) -> Call:
    strides = row_major(op.x.shape)
    return _copy(op, ctx, op.x, op.y, Loops(list(op.y.shape), [[strides[p] for p in op.perm], row_major(op.y.shape)]))


@emitter("q.expand", kernel="ember_copy")
def emit_expand(op: Expand, ctx: EmitContext) -> Call:
    strides = [broadcast_strides(op.x.shape, op.y.shape), row_major(op.y.shape)]
    return _copy(op, ctx, op.x, op.y, Loops(list(op.y.shape), strides))


@emitter("q.concat", kernel="ember_copy")
def emit_concat(op: Concat, ctx: EmitContext) -> list[Call]:
    strides, offset = row_major(op.y.shape), 0
    calls = []
    for x in op.xs:
        calls.append(_copy(op, ctx, x, op.y, Loops(list(x.shape), [row_major(x.shape), strides]), y_offset=offset))
        offset += x.shape[op.axis] * strides[op.axis]
    return calls


@emitter("q.pad", kernel="ember_copy")
def emit_pad(op: Pad, ctx: EmitContext) -> list[Call]:
    strides = row_major(op.y.shape)
    offset = sum(before * s for before, s in zip(op.pads, strides, strict=False))
    p = ctx.params(
        "ember_fill_params", {"size": op.y.type.dtype.size, "count": op.y.type.elements, "value": int(op.value)}
    )
    fill = ctx.call_also("ember_fill", ctx.pointer(op.y), p)
    return [
        fill,
        _copy(op, ctx, op.x, op.y, Loops(list(op.x.shape), [row_major(op.x.shape), strides]), y_offset=offset),
    ]


@emitter("q.gather", kernel="ember_gather", can_fail=True)
def emit_gather(op: Gather, ctx: EmitContext) -> Call:
    shape = op.x.shape
    p = ctx.params(
        "ember_gather_params",
        {
            "outer": prod(shape[: op.axis]),
            "length": shape[op.axis],
            "count": op.ids.type.elements,
            "block": prod(shape[op.axis + 1 :]) * op.x.type.dtype.size,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.ids), ctx.pointer(op.y), p)
