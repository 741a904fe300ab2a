"""q.causal_conv on RV32IM: taps by channel (``kernels/rv32/ember_causal_conv_s8_rv32.c``)."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from emberc.backend.c.context import EmitContext
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.armv7em_conv import constants_known, padded_taps
from emberc.backend.c.variants.runtime import kernel_source
from emberc.backend.c.variants.rv32_matmul import ISA
from emberc.ir.arithmetic import fits32
from emberc.ir.op import Op
from emberc.ir.ops.integer_conv import CausalConv
from emberc.ir.ops.integer_matmul import accumulator_bounds
from emberc.ir.types import DType


def accepts(op: Op) -> bool:
    """Sums that fit 32 bits when shifted once more: the kernel rounds by that bit."""
    assert isinstance(op, CausalConv)
    if not constants_known(op):
        return False
    bounds = accumulator_bounds(op.constant("w").T, op.constant("bias"), DType.I8)
    return fits32(*(limit << (op.shift + 1) for limit in bounds))


def by_channel(op: CausalConv) -> NDArray[np.int8]:
    """w [K, D] -> [D, K padded in front]."""
    w = np.pad(op.constant("w"), ((padded_taps(op) - op.w.shape[0], 0), (0, 0)))
    return np.ascontiguousarray(w.T, np.int8)


def column_bytes(op: Op) -> int:
    """A channel's samples, and what the last four steps read behind them."""
    assert isinstance(op, CausalConv)
    return padded_taps(op) + op.x.shape[-2] + 2


def emit_conv(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, CausalConv)
    rows, channels = op.x.shape[-2:]
    name = op.w.name or f"{op.loc}_w"
    lo, hi = (-128, 127) if op.table is None else (0, op.levels - 1)
    scales = np.stack([op.constant("bias"), op.constant("m")], axis=1).astype(np.int32)
    p = ctx.params(
        "ember_rv32_conv_params",
        {
            "w": ctx.array(by_channel(op), name),
            "scales": ctx.array(scales, f"{name}_scales"),
            "table": ctx.pointer(op.table, "tables"),
            "curve": ctx.pointer(op.curve),
            "batches": prod(op.x.shape[:-2]),
            "rows": rows,
            "channels": channels,
            "taps": op.w.shape[0],
            "padded_taps": padded_taps(op),
            "zx": op.zx,
            "shift": op.shift + 1,
            "offset": 2 * (op.zero_point - lo) + 1,
            "lo": lo,
            "hi": hi,
        },
    )
    return ctx.call(*(ctx.pointer(v) for v in (op.x, op.initial, op.y, op.tail)), ctx.scratch, p)


_NAME = f"ember_causal_conv_s8_{ISA}"
VARIANTS[ISA, "ember_causal_conv_s8"] = Variant(
    Kernel(_NAME, kernel_source(ISA, _NAME), scratch_bytes=column_bytes, emit=emit_conv), accepts
)
