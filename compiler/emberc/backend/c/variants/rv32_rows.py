"""q.add, q.mul, q.requantize, q.softmax, q.embed and tables on RV32IM (``kernels/rv32/ember_rv32_rows.h``)."""

from __future__ import annotations

from collections.abc import Callable

from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.variants.runtime import kernel_source, side_by_side
from emberc.backend.c.variants.rv32_matmul import ISA
from emberc.ir.arithmetic import fits32
from emberc.ir.op import Op
from emberc.ir.ops.integer_elementwise import Broadcast, Mul
from emberc.ir.ops.integer_embed import Embed

PARTS = 4
"""Tables whose rows the kernel can add."""


def accepts_add(op: Op) -> bool:
    """Rows along which both operands advance."""
    assert isinstance(op, Broadcast)
    return side_by_side(op)


def accepts_mul(op: Op) -> bool:
    """A multiplier that may be doubled."""
    assert isinstance(op, Mul)
    doubled = op.m << (op.shift + 1)
    return side_by_side(op) and fits32(doubled, doubled)


def accepts_embed(op: Op) -> bool:
    """Not too many tables, with a multiplier a column in each."""
    assert isinstance(op, Embed)
    tables = op.tables()
    return len(tables) <= PARTS and all(t.m.type.elements == op.y.shape[-1] for t in tables)


def _enter(function: str, accepts: Callable[[Op], bool] = lambda op: True) -> None:
    name = f"{function}_{ISA}"
    VARIANTS[ISA, function] = Variant(Kernel(name, kernel_source(ISA, name)), accepts)


for _types in ("s8", "s8_s16", "s16", "s16_s8", "s16s8", "s16s8_s8"):
    _enter(f"ember_add_{_types}", accepts_add)
    _enter(f"ember_mul_{_types}", accepts_mul)
for _types in ("s8", "s8_s16", "s16", "s16_s8"):
    _enter(f"ember_requantize_{_types}")
for _types in ("s8", "s16"):
    _enter(f"ember_embed_{_types}", accepts_embed)
for _function in ("ember_softmax_s8", "ember_table_s8", "ember_table_s8_s16", "ember_table16_s16"):
    _enter(_function)
