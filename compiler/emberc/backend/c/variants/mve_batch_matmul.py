"""q.batch_matmul on Helium: b packed at run time by 64 columns (``kernels/mve/ember_mve_batch_matmul.h``)."""

from __future__ import annotations

from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.variants.armv7em_batch_matmul import emit_batch_matmul
from emberc.backend.c.variants.mve_matmul import ISA, ZERO_POINT
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.arithmetic import INT32_MAX
from emberc.ir.op import Op
from emberc.ir.ops.integer_matmul import BatchMatmul
from emberc.ir.types import DType

COLUMNS = 64
"""Columns of b that are packed together."""

REACH = 9360
"""Elements between neighbours of a column: seven such steps are within a gather's 16-bit offsets."""


def accepts(op: Op) -> bool:
    """Whole sums inside 32 bits; a zero point that saturating to int16 does not spoil; rows that a gather reaches."""
    assert isinstance(op, BatchMatmul)
    rows, k = op.a.shape[-2:]
    n = op.y.shape[-1]
    narrow = op.a.type.dtype is DType.I8
    fits = narrow or (op.za == 0 and k * 32768 * max(127 - op.zb, op.zb + 128) <= INT32_MAX)
    plain = op.y.type.dtype is DType.I16 or abs(op.zero_point) <= ZERO_POINT
    return min(rows, k, n) > 0 and fits and plain and (op.transpose_b or n <= REACH)


def scratch_bytes(op: Op) -> int:
    """The sums of two rows, the packed columns of a chunk, and what a vector reads behind them."""
    assert isinstance(op, BatchMatmul)
    columns = min(COLUMNS, -(-op.y.shape[-1] // 4) * 4)
    return 8 * COLUMNS + columns * (4 + op.a.shape[-1]) + 16


for _types in ("s8", "s8_s16", "s16", "s16_s8"):
    _function = f"ember_batch_matmul_{_types}_{ISA}"
    VARIANTS[ISA, f"ember_batch_matmul_{_types}"] = Variant(
        Kernel(_function, kernel_source(ISA, _function), scratch_bytes=scratch_bytes, emit=emit_batch_matmul), accepts
    )
