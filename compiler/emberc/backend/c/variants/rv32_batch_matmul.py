"""q.batch_matmul on RV32IM: b becomes packed weights at run time (``kernels/rv32/ember_rv32_batch_matmul.c``)."""

from __future__ import annotations

from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.variants.armv7em_batch_matmul import emit_batch_matmul
from emberc.backend.c.variants.runtime import kernel_source
from emberc.backend.c.variants.rv32_matmul import ISA
from emberc.ir.arithmetic import fits32
from emberc.ir.op import Op
from emberc.ir.ops.integer_matmul import BatchMatmul


def accepts(op: Op) -> bool:
    """Two rows or more to share the packing; sums that may be doubled, which is how the kernel rounds them."""
    assert isinstance(op, BatchMatmul)
    rows, k = op.a.shape[-2:]
    spans = [max(127 - zero, zero + 128) for zero in (op.za, op.zb)]
    bound = spans[0] * spans[1] * k << (op.shift + 1)
    return rows > 1 and min(k, op.y.shape[-1]) > 0 and fits32(-bound, bound)


def scratch_bytes(op: Op) -> int:
    """The panel of four rows, and b in blocks of four columns with their biases and multipliers."""
    assert isinstance(op, BatchMatmul)
    k, n = op.a.shape[-1], op.y.shape[-1]
    return 8 * (k + 1) + -(-n // 4) * 4 * (8 + k + k % 2)


for _types in ("s8", "s8_s16"):
    _function = f"ember_batch_matmul_{_types}_{ISA}"
    VARIANTS[ISA, f"ember_batch_matmul_{_types}"] = Variant(
        Kernel(_function, kernel_source(ISA, _function), scratch_bytes=scratch_bytes, emit=emit_batch_matmul), accepts
    )
