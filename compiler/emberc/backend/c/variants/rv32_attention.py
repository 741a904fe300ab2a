"""q.attention on RV32IM: four query rows at a time (``kernels/rv32/ember_rv32_attention.h``)."""

from __future__ import annotations

from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.arithmetic import fits32
from emberc.ir.op import Op
from emberc.ir.ops.integer_attention import Attention

ISA = "rv32"

FEWEST_ROWS = 3
"""Query rows from which four at a time, the last ones repeated, cost less than one by one."""


def accepts(op: Op) -> bool:
    """Heads of four columns at least, query rows to share the keys, scores that may be doubled to round them."""
    assert isinstance(op, Attention)
    score = 128 * 128 * op.head_dim << (op.shift_score + 1)
    return op.head_dim >= 4 and op.q.shape[-2] >= FEWEST_ROWS and fits32(-score, score)


def scratch_bytes(op: Op) -> int:
    """The panel, two words for an element of a head and one element more; four int16 for a key and one key more."""
    assert isinstance(op, Attention)
    return 8 * (op.head_dim + op.k.shape[-2] + 2)


for _types in ("s8", "s8_s16"):
    _function = f"ember_attention_{_types}_{ISA}"
    VARIANTS[ISA, f"ember_attention_{_types}"] = Variant(
        Kernel(_function, kernel_source(ISA, _function), scratch_bytes=scratch_bytes), accepts
    )
