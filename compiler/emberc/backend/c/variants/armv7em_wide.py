"""q.matmul of int16 x on Armv7E-M: weights by two columns, four k in a word (``kernels/armv7em/ember_wide.h``)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emberc.backend.c.context import EmitContext
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.armv7em_matmul import ISA, clipped_table
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.arithmetic import fits32
from emberc.ir.op import Op
from emberc.ir.ops.integer_base import rows_of
from emberc.ir.ops.integer_matmul import Matmul, accumulator_bounds
from emberc.ir.types import Array, DType

SUMS = 1536
"""Bytes for the sums of slices."""


def slice_of(w: Array, bias: Array) -> int:
    """The most of k, a multiple of 4, whose sums with the bias fit 32 bits in every slice; 0 if not even four do."""
    k = w.shape[1]
    for count in range(1, -(-k // 4) + 1):
        length = -(-int(k) // (4 * count)) * 4
        parts = [w[:, i : i + length] for i in range(0, k, length)]
        if all(fits32(*accumulator_bounds(part, bias, DType.I16)) for part in parts):
            return length
    return 0


def stream(w: Array, bias: Array, m: Array, length: int) -> NDArray[np.int32]:
    """w [N, K], bias [N], m [N] -> int32 [slices, ceil(N/2), 4 + length/2]: two biases (0 but in the first slice),
    words of four weights of both columns in turn, two multipliers."""
    n, k = w.shape
    padded = np.pad(w, ((0, n % 2), (0, -k % length))).astype(np.int8)
    words = np.ascontiguousarray(padded).view(np.int32).reshape(len(padded) // 2, 2, -1, length // 4)
    turns = words.transpose(2, 0, 3, 1).reshape(-1, len(padded) // 2, length // 2)
    heads = np.zeros((len(turns), len(padded) // 2, 2), np.int32)
    heads[0] = np.pad(bias, (0, n % 2)).reshape(-1, 2)
    factors = np.broadcast_to(np.pad(m, (0, n % 2)).reshape(-1, 2).astype(np.int32), heads.shape)
    return np.concatenate([heads, turns, factors], axis=2)


def accepts(op: Op) -> bool:
    """Constant weights, sums that are shifted to the right or not at all."""
    assert isinstance(op, Matmul)
    if op.w.const is None or op.bias.const is None or op.m.const is None or op.shift > 0:
        return False
    return min(*op.w.shape, rows_of(op.x)) > 0 and slice_of(op.w.const, op.bias.const) > 0


def emit_matmul(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, Matmul)
    n, k = op.w.shape
    lo, hi = op.limits()
    w, bias, m = (op.constant(name) for name in ("w", "bias", "m"))
    length = slice_of(w, bias)
    table = clipped_table(op)
    name = op.w.name or f"{op.loc}_w"
    p = ctx.params(
        "ember_wide_params",
        {
            "stream": ctx.array(stream(w, bias, m, length), name),
            "table": None if table is None else ctx.array(table, f"{name}_table", "tables"),
            "rows": rows_of(op.x),
            "k": k,
            "n": n,
            "slice": length,
            "shift": -op.shift,
            "zero_point": op.zero_point,
            "lo": lo,
            "hi": hi,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.scratch, p)


def scratch_bytes(op: Op) -> int:
    """The pairs of two rows; the sums of slices where there are several."""
    assert isinstance(op, Matmul)
    k = op.w.shape[1]
    length = slice_of(op.constant("w"), op.constant("bias"))
    return 4 * -(-k // length) * length + (SUMS if length < k else 0)


for _types in ("s16", "s16_s8"):
    _function = f"ember_matmul_{_types}_{ISA}"
    VARIANTS[ISA, f"ember_matmul_{_types}"] = Variant(
        Kernel(_function, kernel_source(ISA, _function), scratch_bytes=scratch_bytes, emit=emit_matmul), accepts
    )
