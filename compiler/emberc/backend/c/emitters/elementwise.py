"""q.add, q.mul and q.requantize."""

from __future__ import annotations

from collections.abc import Sequence

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.strides import Loops, broadcast_strides
from emberc.backend.c.emitters.suffix import typed
from emberc.backend.c.literals import Initialiser
from emberc.backend.c.registry import Call, emitter
from emberc.ir.ops.integer_elementwise import Add, Mul, Requantize
from emberc.ir.values import Value

DIMS = 5
"""EMBER_DIMS of the runtime."""


def broadcast(z: Value, operands: Sequence[Value | None], loc: str) -> Loops:
    """The loops over ``z`` with each operand's strides; an absent operand has none."""
    strides = [[0] * z.type.rank if v is None else broadcast_strides(v.shape, z.shape) for v in operands]
    return Loops(list(z.shape), strides).padded(DIMS, loc)


def shape_field(loops: Loops) -> Initialiser:
    """The struct ember_broadcast of two operands."""
    return {"dims": [*loops.dims], "xs": [*loops.strides[0]], "ys": [*loops.strides[1]]}


@emitter("q.add", kernel=typed("ember_add", "x", "y", writes="z"))
def emit_add(op: Add, ctx: EmitContext) -> Call:
    p = ctx.params(
        "ember_add_params",
        {
            "shape": shape_field(broadcast(op.z, [op.x, op.y], op.loc)),
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
            "shape": shape_field(broadcast(op.z, [op.x, op.y], op.loc)),
            "zx": op.zx,
            "zy": op.zy,
            "m": op.m,
            "shift": op.shift,
            "zero_point": op.zero_point,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.pointer(op.z), p)


@emitter("q.requantize", kernel=typed("ember_requantize", "x"))
def emit_requantize(op: Requantize, ctx: EmitContext) -> Call:
    p = ctx.params(
        "ember_requantize_params", {"count": op.x.type.elements, "m": op.m, "s": op.s, "c": op.c, "frac": op.frac}
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)
