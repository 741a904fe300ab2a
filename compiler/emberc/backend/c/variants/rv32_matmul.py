"""q.matmul on RV32IM: weights in blocks of four columns (``kernels/rv32/ember_rv32_matmul.h``)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emberc.backend.c.context import EmitContext
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.arithmetic import fits32
from emberc.ir.op import Op
from emberc.ir.ops.integer_base import rows_of
from emberc.ir.ops.integer_matmul import Matmul, accumulator_bounds
from emberc.ir.types import Array, DType

ISA = "rv32"

FEWEST_WIDE = 3
"""Rows of int16 x from which four at a time, the last one repeated, cost less than one by one."""


def stream(w: Array, bias: Array, m: Array) -> NDArray[np.int32]:
    """w [N, K], bias [N], m [N] -> int32 [ceil(N/4), 8 + 4 ceil(K/2) / 2]: four biases, four multipliers, then the
    weights as int8 [K even, 4]."""
    n, k = w.shape
    more = -n % 4
    head = [np.pad(v, (0, more)).reshape(-1, 4).astype(np.int32) for v in (bias, m)]
    padded = np.pad(w, ((0, more), (0, k % 2))).astype(np.int8)
    blocks = padded.reshape(-1, 4, padded.shape[1]).transpose(0, 2, 1)
    return np.hstack([*head, np.ascontiguousarray(blocks).reshape(len(blocks), -1).view(np.int32)])


def accepts(op: Op) -> bool:
    """Constant weights whose sums stay in 32 bits when shifted once more: the kernel rounds by that bit.

    int16 x: three rows or more, whose sums are shifted to the right first.
    """
    assert isinstance(op, Matmul)
    if op.w.const is None or op.bias.const is None or op.m.const is None:
        return False
    lo, hi = accumulator_bounds(op.w.const, op.bias.const, op.x.type.dtype)
    right, left = max(0, -op.shift), max(0, op.shift) + 1
    wide = op.x.type.dtype is DType.I16
    enough = not wide or (rows_of(op.x) >= FEWEST_WIDE and min(op.w.shape) > 0)
    return enough and fits32(lo, hi) and fits32(lo >> right << left, hi >> right << left)


def scratch_bytes(op: Op) -> int:
    """The panel: four rows at every k, and one more k."""
    assert isinstance(op, Matmul)
    return 8 * (op.w.shape[1] + 1) if rows_of(op.x) > 1 else 0


def emit_matmul(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, Matmul)
    n, k = op.w.shape
    lo, hi = op.limits()
    packed = stream(*(op.constant(name) for name in ("w", "bias", "m")))
    p = ctx.params(
        "ember_rv32_matmul_params",
        {
            "stream": ctx.array(packed, op.w.name or f"{op.loc}_w"),
            "table": None if op.table is None else f"{ctx.pointer(op.table, 'tables')} + {lo + 128}",
            "rows": rows_of(op.x),
            "k": k,
            "n": n,
            "shift": max(0, op.shift) + 1,
            "offset": 2 * (op.zero_point - lo) + 1,
            "lo": lo,
            "hi": hi,
            "right": max(0, -op.shift),
            "w_zero": 0,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.scratch, p)


for _types in ("s8", "s8_s16", "s16", "s16_s8"):
    _function = f"ember_matmul_{_types}_{ISA}"
    VARIANTS[ISA, f"ember_matmul_{_types}"] = Variant(
        Kernel(_function, kernel_source(ISA, _function), scratch_bytes=scratch_bytes, emit=emit_matmul), accepts
    )
