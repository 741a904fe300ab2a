"""q.attention on Helium: K and V of a head packed in the scratch, of int16 V alone (``ember_mve_attention.h``)."""

from __future__ import annotations

from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.variants.mve_matmul import ISA, ZERO_POINT
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.op import Op
from emberc.ir.ops.integer_attention import Attention

STRIDE = 9360
"""Seven rows of v and 12 columns lie within the 16-bit offsets of a gather."""


def accepts(op: Op) -> bool:
    """Rows of v within a gather's reach, a table within 16-bit offsets, and a zero point that int16 does not spoil."""
    assert isinstance(op, Attention)
    near = op.v.shape[-1] <= STRIDE and op.table.type.elements <= 1 << 16
    plain = op.bits == 16 or abs(op.zero_point) <= ZERO_POINT
    return near and plain and min(op.head_dim, op.y.type.elements, op.k.shape[-2]) > 0


def scratch_bytes(op: Op) -> int:
    """Sums, two rows of weights, and K and V in blocks of four columns with their biases, a vector beyond; of int16 V
    alone, by columns."""
    assert isinstance(op, Attention)
    keys, d = -(-op.k.shape[-2] // 8) * 8, op.head_dim
    channels = -(-d // 4) * 4
    if op.bits == 16:
        return 8 * max(keys, channels) + 4 * keys + 2 * d * keys
    blocks = keys // 4 * (16 + 4 * d) + channels // 4 * (16 + 4 * keys)
    return 8 * max(keys, channels) + 4 * keys + blocks + 16


for _types in ("s8", "s8_s16", "s16"):
    _function = f"ember_attention_{_types}_{ISA}"
    VARIANTS[ISA, f"ember_attention_{_types}"] = Variant(
        Kernel(_function, kernel_source(ISA, _function), scratch_bytes=scratch_bytes), accepts
    )
