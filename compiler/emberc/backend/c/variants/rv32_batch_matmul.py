"""q.batch_matmul on RV32IM: b becomes packed weights at run time (``kernels/rv32/ember_rv32_batch_matmul.c``)."""

from __future__ import annotations

from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.variants.armv7em_batch_matmul import emit_batch_matmul
from emberc.backend.c.variants.runtime import kernel_source
from emberc.backend.c.variants.rv32_matmul import FEWEST_WIDE, ISA
from emberc.ir.arithmetic import fits32
from emberc.ir.op import Op
from emberc.ir.ops.integer_matmul import BatchMatmul
from emberc.ir.types import DType


def accepts(op: Op) -> bool:
    """Rows to share the packing; sums that fit 32 bits and may be doubled once shifted, which is how they are rounded.

    int16 a has no zero point; its products with b as it is, and b's zero point's part, must fit, too.
    """
    assert isinstance(op, BatchMatmul)
    rows, k = op.a.shape[-2:]
    wide = op.a.type.dtype is DType.I16
    low = -op.a.type.dtype.limits[0]
    spans = (low if wide else max(127 - op.za, op.za + 128)), max(127 - op.zb, op.zb + 128)
    bound = spans[0] * spans[1] * k
    right, left = max(0, -op.shift), max(0, op.shift) + 1
    good = rows >= (FEWEST_WIDE if wide else 2) and min(k, op.y.shape[-1]) > 0 and not (wide and op.za)
    return good and fits32(-bound, bound) and fits32(-bound >> right << left, bound >> right << left)


def scratch_bytes(op: Op) -> int:
    """The panel of four rows, and b in blocks of four columns with their biases and multipliers."""
    assert isinstance(op, BatchMatmul)
    k, n = op.a.shape[-1], op.y.shape[-1]
    return 8 * (k + 1) + -(-n // 4) * 4 * (8 + k + k % 2)


for _types in ("s8", "s8_s16", "s16", "s16_s8"):
    _function = f"ember_batch_matmul_{_types}_{ISA}"
    VARIANTS[ISA, f"ember_batch_matmul_{_types}"] = Variant(
        Kernel(_function, kernel_source(ISA, _function), scratch_bytes=scratch_bytes, emit=emit_batch_matmul), accepts
    )
