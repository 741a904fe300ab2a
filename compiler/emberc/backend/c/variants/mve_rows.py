"""q.embed, q.softmax and q.table on Helium (``kernels/mve``)."""

from __future__ import annotations

from collections.abc import Callable

from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.variants.mve_matmul import ISA
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.op import Op
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.ops.integer_norm import Softmax

PARTS = 4
"""Tables whose rows the kernel can add."""

LEAST_SUM = 512
"""A sum of softmax weights that has 22 leading zeros."""


def accepts_embed(op: Op) -> bool:
    """Not too many tables."""
    assert isinstance(op, Embed)
    return len(op.has_ids) <= PARTS


def accepts_softmax(op: Op) -> bool:
    """A table whose sums reach 2^9, so that the results' shift is above 16."""
    assert isinstance(op, Softmax)
    return op.table.const is not None and int(op.table.const[0]) >= LEAST_SUM and op.x.type.elements > 0


def _enter(function: str, accepts: Callable[[Op], bool] = lambda op: True) -> None:
    name = f"{function}_{ISA}"
    VARIANTS[ISA, function] = Variant(Kernel(name, kernel_source(ISA, name)), accepts)


for _type in ("s8", "s16"):
    _enter(f"ember_embed_{_type}", accepts_embed)
_enter("ember_softmax_s8", accepts_softmax)
_enter("ember_table_s8")
_enter("ember_table_s8_s16")
