"""q.add, q.mul and q.requantize."""

from __future__ import annotations

from emberc.backend.c.context import EmitContext, Fields
from emberc.backend.c.emitters.suffix import typed
from emberc.backend.c.literals import Initialiser
from emberc.backend.c.registry import Call, emitter
from emberc.ir.ops.integer_elementwise import Add, Mul, Requantize
from emberc.ir.ops.integer_magnitude import Magnitude
from emberc.ir.strides import broadcast_strides
from emberc.ir.values import Value


def shape_field(z: Value, x: Value, y: Value | None) -> Initialiser:
    """The struct ember_broadcast of operands that broadcast to ``z``; an absent one has no strides."""
    dims, strides = broadcast_strides(z.shape, [x.shape, () if y is None else y.shape])
    return {"dims": [*dims], "xs": [*strides[0]], "ys": [*strides[1]]}


@emitter("q.add", kernel=typed("ember_add", "x", "y", writes="z"))
def emit_add(op: Add, ctx: EmitContext) -> Call:
    p = ctx.params(
        "ember_add_params",
        {
            "shape": shape_field(op.z, op.x, op.y),
            "m1": op.m1,
            "s1": op.s1,
            "m2": op.m2,
            "s2": op.s2,
            "c": op.c,
            "frac": op.frac,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.pointer(op.z), p)


@emitter("q.mul", kernel=typed("ember_mul", "x", "y", writes="z"))
def emit_mul(op: Mul, ctx: EmitContext) -> Call:
    p = ctx.params(
        "ember_mul_params",
        {
            "shape": shape_field(op.z, op.x, op.y),
            "zx": op.zx,
            "zy": op.zy,
            "m": op.m,
            "shift": op.shift,
            "zero_point": op.zero_point,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.pointer(op.z), p)


@emitter("q.magnitude", kernel=typed("ember_magnitude", "x", writes="z"))
def emit_magnitude(op: Magnitude, ctx: EmitContext) -> Call:
    fields: Fields = {"count": op.z.type.elements, "m": op.m, "zero_point": op.zero_point}
    return ctx.call(*map(ctx.pointer, (op.x, op.y, op.z)), ctx.params("ember_magnitude_params", fields))


@emitter("q.requantize", kernel=typed("ember_requantize", "x"))
def emit_requantize(op: Requantize, ctx: EmitContext) -> Call:
    p = ctx.params(
        "ember_requantize_params", {"count": op.x.type.elements, "m": op.m, "s": op.s, "c": op.c, "frac": op.frac}
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)
