"""q.nonzero, q.compare, q.logical and q.where."""

from __future__ import annotations

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.elementwise import shape_field
from emberc.backend.c.emitters.suffix import by_input
from emberc.backend.c.literals import c_type
from emberc.backend.c.registry import Call, emitter
from emberc.ir.ops.integer_compare import Compare, Logical, Nonzero, Where
from emberc.ir.strides import broadcast_strides
from emberc.ir.types import DType
from emberc.ir.values import Value


def _element(value: Value) -> str:
    """The element type that the kernel declares: truth values go through the int8 one."""
    return c_type(DType.I8 if value.type.dtype is DType.BOOL else value.type.dtype)


@emitter("q.nonzero", kernel=by_input("ember_nonzero"))
def emit_nonzero(op: Nonzero, ctx: EmitContext) -> Call:
    p = ctx.params("ember_nonzero_params", {"count": op.x.type.elements})
    return ctx.call(ctx.pointer(op.x, ctype=_element(op.x)), ctx.pointer(op.y), p)


@emitter("q.compare", kernel=by_input("ember_compare"))
def emit_compare(op: Compare, ctx: EmitContext) -> Call:
    shape = shape_field(op.z, op.x, op.y)
    p = ctx.params("ember_compare_params", {"shape": shape, "kind": f"EMBER_{op.kind.upper()}"})
    ctype = _element(op.x)
    return ctx.call(ctx.pointer(op.x, ctype=ctype), ctx.pointer(op.y, ctype=ctype), ctx.pointer(op.z), p)


@emitter("q.logical", kernel="ember_logical")
def emit_logical(op: Logical, ctx: EmitContext) -> Call:
    shape = shape_field(op.z, op.x, op.y)
    p = ctx.params("ember_logical_params", {"shape": shape, "kind": f"EMBER_{op.kind.upper()}"})
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.pointer(op.z), p)


@emitter("q.where", kernel=by_input("ember_where"))
def emit_where(op: Where, ctx: EmitContext) -> Call:
    dims, (xs, ys, cs) = broadcast_strides(op.z.shape, [op.x.shape, op.y.shape, op.c.shape])
    p = ctx.params("ember_where_params", {"shape": {"dims": [*dims], "xs": [*xs], "ys": [*ys]}, "cs": [*cs]})
    x, y, z = (ctx.pointer(v, ctype=_element(v)) for v in (op.x, op.y, op.z))
    return ctx.call(ctx.pointer(op.c), x, y, z, p)
