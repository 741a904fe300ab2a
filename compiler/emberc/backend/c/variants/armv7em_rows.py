"""q.softmax, q.add, q.mul, q.requantize, q.embed and tables on Armv7E-M."""

from __future__ import annotations

from collections.abc import Callable

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.norm import softmax_call
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call, Emit
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.arithmetic import fits32
from emberc.ir.op import Op
from emberc.ir.ops.integer_elementwise import Add, Mul, Requantize
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.ops.integer_norm import Softmax
from emberc.ir.types import DType

ISA = "armv7em"

FRAC = 6
"""The last shift of a sum, an immediate of the kernels; ``requantized_sum`` gives another only to extreme scales."""


def scaled(m: int, s: int) -> int:
    """The multiplier of SMLAW for (x * m) >> s."""
    return m << 16 >> s


def accepts_sum(op: Op) -> bool:
    """Operands of one shape; multipliers that an int32 holds after their shift by 16 - s."""
    assert isinstance(op, Add)
    same = op.x.shape == op.y.shape == op.z.shape
    fit = all(s <= 16 and fits32(m << 16 >> s, m << 16 >> s) for m, s in ((op.m1, op.s1), (op.m2, op.s2)))
    return same and fit and op.frac == FRAC


def emit_sum(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, Add)
    p = ctx.params(
        "ember_sum_params",
        {"count": op.z.type.elements, "m1": scaled(op.m1, op.s1), "m2": scaled(op.m2, op.s2), "c": op.c},
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.pointer(op.z), p)


def accepts_one_term(op: Op) -> bool:
    """As a sum of one term."""
    assert isinstance(op, Requantize)
    factor = op.m << 16 >> op.s
    return op.s <= 16 and fits32(factor, factor) and op.frac == FRAC


def emit_one_term(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, Requantize)
    fields = {"count": op.y.type.elements, "m1": scaled(op.m, op.s), "m2": 0, "c": op.c}
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.params("ember_sum_params", dict(fields)))


def accepts_embed(op: Op) -> bool:
    """A multiplier a column in every table."""
    assert isinstance(op, Embed)
    return all(t.m.type.elements == op.y.shape[-1] for t in op.tables())


def accepts_product(op: Op) -> bool:
    """Operands of one shape; no shift, and no zero point that takes an int16 operand beyond its lane."""
    assert isinstance(op, Mul)
    same = op.x.shape == op.y.shape == op.z.shape
    fit = all(v.type.dtype is DType.I8 or zero == 0 for v, zero in ((op.x, op.zx), (op.y, op.zy)))
    return same and fit and op.shift == 0


def emit_product(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, Mul)
    p = ctx.params(
        "ember_product_params",
        {"count": op.z.type.elements, "zx": op.zx, "zy": op.zy, "m": op.m, "zero_point": op.zero_point},
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.pointer(op.z), p)


def accepts_softmax(op: Op) -> bool:
    """Sums so large that the row's multiplier fits 31 bits."""
    assert isinstance(op, Softmax)
    return op.table.const is not None and int(op.table.const[0]) >= 1024


def emit_softmax(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, Softmax)
    name = f"{op.table.name or op.loc}_reversed"
    return softmax_call(op, ctx, ctx.array(op.constant("table")[::-1], name, "tables"))


def _enter(portable: str, kernel: Kernel, accepts: Callable[[Op], bool]) -> None:
    VARIANTS[ISA, portable] = Variant(kernel, accepts)


def _fast(portable: str, emit: Emit | None = None) -> Kernel:
    return Kernel(f"{portable}_{ISA}", kernel_source(ISA, f"{portable}_{ISA}"), emit=emit)


for _name in ("s8", "s8_s16", "s16", "s16_s8", "s16s8", "s16s8_s8"):
    _enter(f"ember_add_{_name}", _fast(f"ember_add_{_name}", emit_sum), accepts_sum)
    _enter(f"ember_mul_{_name}", _fast(f"ember_mul_{_name}", emit_product), accepts_product)
for _name in ("ember_table_s8", "ember_table_s8_s16", "ember_table16_s16"):
    _enter(_name, _fast(_name), lambda op: True)
for _name in ("s8", "s8_s16", "s16", "s16_s8"):
    _enter(f"ember_requantize_{_name}", _fast(f"ember_requantize_{_name}", emit_one_term), accepts_one_term)
for _name in ("ember_embed_s8", "ember_embed_s16"):
    _enter(_name, _fast(_name), accepts_embed)
_enter("ember_softmax_s8", _fast("ember_softmax_s8", emit_softmax), accepts_softmax)
