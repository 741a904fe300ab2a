"""q.matmul on Armv7E-M: weights in dual-column words (``kernels/armv7em/ember_dual.h``)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emberc.backend.c.context import EmitContext, Fields
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.arithmetic import wide
from emberc.ir.op import Op
from emberc.ir.ops.integer_base import rows_of
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.types import Array, DType

ISA = "armv7em"
M7 = "armv7em-m7"

EXACT = 1 << 23
"""A column's sum of products must stay below this to be told from its neighbour's."""

LONGEST = 8064
"""k that the loop's end test (a panel of 64 passes) can take."""


def lanes(w: Array) -> NDArray[np.int64]:
    """w [N, K] -> [ceil(N/2), K] of w[2i, k] + 256 * w[2i + 1, k], a missing last column being 0."""
    even = wide(w)[0::2]
    odd = np.zeros_like(even)
    odd[: len(w) // 2] = wide(w)[1::2]
    return even + 256 * odd


def pair_order(k: int) -> NDArray[np.intp]:
    """The k of both lanes of every word, [ceil(k/2), 2]; k itself stands for "none".

    Of four the pairs (0, 2) and (1, 3), as SXTB16 splits four bytes; the last k % 4 in their own order, (0, 2) and
    (1, none) where they are three.
    """
    groups = np.arange(k // 4 * 4).reshape(-1, 4)
    order = groups[:, [0, 2, 1, 3]].reshape(-1, 2).tolist()
    at = k // 4 * 4
    order += {0: [], 1: [[at, k]], 2: [[at, at + 1]], 3: [[at, at + 2], [at + 1, k]]}[k % 4]
    return np.array(order, np.intp).reshape(-1, 2)


def words(w: Array) -> NDArray[np.int32]:
    """w [N, K] -> the dual-column words [ceil(N/2), ceil(K/2)]."""
    padded = np.pad(lanes(w), ((0, 0), (0, 1)))
    low, high = pair_order(w.shape[1]).T
    packed = (padded[:, low] & 0xFFFF) | (padded[:, high] & 0xFFFF) << 16
    return packed.astype(np.uint32).view(np.int32)


def stream_of_pairs(w: Array, bias: Array, m: Array) -> NDArray[np.int32]:
    """The stream for several rows, [blocks, words + 4]: bias 0, words, bias 1, m 0, m 1."""
    b, mm = (np.pad(v, (0, len(v) % 2)).reshape(-1, 2).astype(np.int32) for v in (bias, m))
    return np.hstack([b[:, :1], words(w), b[:, 1:], mm])


def stream_of_fours(w: Array, bias: Array, m: Array) -> NDArray[np.int32]:
    """The stream for one row, [blocks, 2 words + 8]: biases 0 2, words of both pairs in turn, biases 1 3, m 0 to 3."""
    more = -len(w) % 4
    b, mm = (np.pad(v, (0, more)).reshape(-1, 4).astype(np.int32) for v in (bias, m))
    pairs = words(np.pad(w, ((0, more), (0, 0))))
    blocks = len(pairs) // 2
    turns = pairs.reshape(blocks, 2, -1).transpose(0, 2, 1).reshape(blocks, -1)
    return np.hstack([b[:, 0::2], turns, b[:, 1::2], mm])


def largest_sum(w: Array) -> int:
    """The most that |sum_k x[k] * w[n, k]| can reach for int8 x in any odd column."""
    return 128 * int(np.abs(wide(w)[1::2]).sum(axis=1).max(initial=0))


def accepts(op: Op) -> bool:
    """Constant weights whose lanes fit int16, k within the loop's reach.

    Sums are shifted in int16 results alone: an int8 result needs no such multiplier.
    """
    assert isinstance(op, Matmul)
    narrow = op.y.type.dtype is DType.I8 or op.table is not None
    if op.w.const is None or op.bias.const is None or op.m.const is None or (narrow and op.shift):
        return False
    n, k = op.w.shape
    if not (n and 0 < k <= LONGEST and rows_of(op.x)):
        return False
    even, odd = op.w.const[0::2], op.w.const[1::2]  # even + 256 * odd < -32768 in none
    return not ((odd == -128) & (even[: len(odd)] < 0)).any()


def clipped_table(op: Matmul) -> Array | None:
    """The table behind an int8 value, with the clip to lo, hi in front of it; None where neither does anything."""
    lo, hi = op.limits()
    v = np.arange(-128, 128).clip(max(lo, -128), min(hi, 127))
    if op.table is not None:
        picked: Array = op.constant("table")[v + 128]
        return picked
    if op.y.type.dtype is DType.I8 and (lo, hi) != DType.I8.limits:
        return v.astype(np.int8)
    return None


def emit_matmul(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, Matmul)
    w, bias, m = (op.constant(name) for name in ("w", "bias", "m"))
    pack = stream_of_fours if rows_of(op.x) == 1 else stream_of_pairs
    stream = ctx.array(pack(w, bias, m), op.w.name or f"{op.loc}_w")
    return ctx.call(
        ctx.pointer(op.x), ctx.pointer(op.y), ctx.scratch, ctx.params("ember_dual_params", dual_params(op, ctx, stream))
    )


def dual_params(op: Matmul, ctx: EmitContext, stream: str | None) -> Fields:
    """The fields of ``ember_dual_params``; ``stream`` is the C expression of the weights, None where the kernel makes
    them."""
    n, k = op.w.shape
    lo, hi = op.limits()
    table = clipped_table(op)
    return {
        "stream": stream,
        "table": None if table is None else ctx.array(table, f"{op.w.name or f'{op.loc}_w'}_table", "tables"),
        "rows": rows_of(op.x),
        "k": k,
        "n": n,
        "fold": largest_sum(op.constant("w")) >= EXACT,
        "shift": op.shift,
        "zero_point": op.zero_point,
        "lo": lo,
        "hi": hi,
    }


def scratch_bytes(op: Op) -> int:
    """The panel: three rows of int16 pairs that end at a multiple of 256 bytes, or one row."""
    assert isinstance(op, Matmul)
    pairs = -(-op.w.shape[1] // 2)
    return 4 * pairs + 16 if rows_of(op.x) == 1 else 12 * pairs + 256


def _kernel(function: str) -> Kernel:
    return Kernel(function, kernel_source(ISA, function), scratch_bytes=scratch_bytes, emit=emit_matmul)


def many_rows(op: Op) -> bool:
    """Whether the kernels for two rows or more can run it."""
    assert isinstance(op, Matmul)
    return rows_of(op.x) > 1 and accepts(op)


for _types in ("s8", "s8_s16"):
    VARIANTS[ISA, f"ember_matmul_{_types}"] = Variant(
        _kernel(f"ember_matmul_{_types}_{ISA}"),
        many_rows,
        otherwise=Variant(_kernel(f"ember_matmul_row_{_types}_{ISA}"), accepts),
    )
    VARIANTS[M7, f"ember_matmul_{_types}"] = Variant(_kernel(f"ember_matmul_{_types}_{ISA}_m7"), many_rows)
