"""q.matmul on Helium: weights in blocks of four columns (``kernels/mve/ember_mve_block.h``)."""

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

ISA = "mve"

VECTOR = 16
"""Bytes of a vector, and columns that are narrowed together."""

UNIT = {DType.I8: 16, DType.I16: 8}
"""Weights of a vector, beside an x of that type."""

SUMS = 256
"""int32 of scratch that the kernels work with at a time."""

ZERO_POINT = 32640
"""Largest zero point of an int8 result that may be added after saturating to int16."""


def column_order(n: int) -> NDArray[np.intp]:
    """The columns in the order of the blocks, padded to a multiple of 8 by ``n``, which stands for "none".

    Of 16 columns n, n + 4, n + 8, n + 12 come together, so that narrowing by halves leaves them in order.
    """
    whole = n // VECTOR * VECTOR
    order = np.arange(whole).reshape(-1, 4, 4).transpose(0, 2, 1).reshape(-1)
    return np.concatenate([order, np.arange(whole, n), np.full(-n % 8, n, np.intp)])


def stream(w: Array, bias: Array, unit: int = VECTOR) -> NDArray[np.int32]:
    """w [N, K], bias [N] -> int32 [blocks * (4 + K) + 4]: biases, [K/unit][4][unit] weights, [4][K % unit] weights."""
    n, k = w.shape
    order = column_order(n)
    rows = np.pad(w, ((0, 1), (0, 0)))[order].reshape(-1, 4, k)
    whole = k // unit * unit
    body = rows[:, :, :whole].reshape(len(rows), 4, -1, unit).transpose(0, 2, 1, 3).reshape(len(rows), -1)
    tail = rows[:, :, whole:].reshape(len(rows), -1)
    biases = np.pad(bias, (0, 1))[order].astype(np.int32).reshape(-1, 4)
    weights = np.ascontiguousarray(np.hstack([body, tail]).astype(np.int8)).view(np.int32)
    return np.pad(np.hstack([biases, weights]).reshape(-1), (0, VECTOR // 4))


def in_order(per_column: Array) -> NDArray[np.int32]:
    """[N] -> the same in the order of the blocks, padded."""
    padded: NDArray[np.int32] = np.pad(per_column, (0, 1))[column_order(len(per_column))].astype(np.int32)
    return padded


def clipped_table(op: Matmul) -> Array | None:
    """The table by the int8 value's bits as unsigned, with the clip to lo, hi in front of it."""
    if op.table is None:
        return None
    lo, hi = op.limits()
    v = np.arange(256).astype(np.uint8).view(np.int8).astype(np.int64).clip(lo, hi)
    table: Array = op.constant("table")[v + 128]
    return table


def accepts(op: Op) -> bool:
    """Constant weights, and a zero point that saturating to int16 does not spoil; sums of int16 x inside 32 bits."""
    assert isinstance(op, Matmul)
    if op.w.const is None or op.bias.const is None or op.m.const is None:
        return False
    fits = op.x.type.dtype is DType.I8 or fits32(*accumulator_bounds(op.w.const, op.bias.const, DType.I16))
    return fits and abs(op.zero_point) <= ZERO_POINT and min(*op.w.shape, rows_of(op.x)) > 0


def scratch_bytes(op: Op) -> int:
    """The sums of two rows, or of one: int16 x of a single row runs as two."""
    assert isinstance(op, Matmul)
    columns = -(-op.w.shape[0] // 8) * 8
    rows = min(2, rows_of(op.x)) if op.x.type.dtype is DType.I8 else 2
    return 4 * min(SUMS, columns * rows)


def emit_matmul(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, Matmul)
    n, k = op.w.shape
    lo, hi = op.limits()
    w, bias, m = (op.constant(name) for name in ("w", "bias", "m"))
    name = op.w.name or f"{op.loc}_w"
    table = clipped_table(op)
    p = ctx.params(
        "ember_mve_matmul_params",
        {
            "stream": ctx.array(stream(w, bias, UNIT[op.x.type.dtype]), name),
            "m": ctx.array(in_order(m), f"{name}_m"),
            "table": None if table is None else ctx.array(table, f"{name}_table", "tables"),
            "rows": rows_of(op.x),
            "k": k,
            "n": n,
            "shift": op.shift,
            "zero_point": op.zero_point,
            "lo": lo if table is None else -128,
            "hi": hi if table is None else 127,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.scratch, p)


for _types in ("s8", "s8_s16", "s16", "s16_s8"):
    _function = f"ember_matmul_{_types}_{ISA}"
    VARIANTS[ISA, f"ember_matmul_{_types}"] = Variant(
        Kernel(_function, kernel_source(ISA, _function), scratch_bytes=scratch_bytes, emit=emit_matmul), accepts
    )
