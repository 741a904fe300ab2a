"""q.batch_matmul on Armv7E-M: both operands widened to pairs of int16 (``kernels/armv7em/ember_pair_matmul.c``)."""

from __future__ import annotations

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.matmul import batch_matmul_call
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.op import Op
from emberc.ir.ops.integer_matmul import BatchMatmul
from emberc.ir.types import DType

ISA = "armv7em"

COLUMNS = 64
"""Columns of b that are packed together."""

SURE = 256
"""Products of int16 a that 32 bits hold, whatever b's zero point."""


def accepts(op: Op) -> bool:
    """Two rows or more to share the packing; int16 values that are their own pairs' lanes."""
    assert isinstance(op, BatchMatmul)
    rows, k = op.a.shape[-2:]
    return rows > 1 and min(k, op.y.shape[-1]) > 0 and (op.a.type.dtype is DType.I8 or op.za == 0)


def scratch_bytes(op: Op) -> int:
    """Two rows and the columns of a chunk as int16; the sums of slices where k is long."""
    assert isinstance(op, BatchMatmul)
    k, n = op.a.shape[-1], op.y.shape[-1]
    long = op.a.type.dtype is DType.I16 and k > SURE
    return 2 * -(-k // 4) * 4 * (2 + min(COLUMNS, n + n % 2)) + (24 * COLUMNS if long else 0)


def emit_batch_matmul(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, BatchMatmul)
    return batch_matmul_call(op, ctx, ctx.scratch)


for _types in ("s8", "s8_s16", "s16", "s16_s8"):
    _function = f"ember_batch_matmul_{_types}_{ISA}"
    VARIANTS[ISA, f"ember_batch_matmul_{_types}"] = Variant(
        Kernel(_function, kernel_source(ISA, _function), scratch_bytes=scratch_bytes, emit=emit_batch_matmul), accepts
    )
