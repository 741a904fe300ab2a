"""q.causal_conv on Helium: taps by blocks of eight channels (``kernels/mve/ember_mve_conv.h``)."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from emberc.backend.c.context import EmitContext
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.armv7em_conv import constants_known
from emberc.backend.c.variants.mve_matmul import ISA, ZERO_POINT
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.arithmetic import wide
from emberc.ir.op import Op
from emberc.ir.ops.integer_conv import CausalConv

LANES = 8
FEW = 4
"""Least number of taps, which the kernel has a loop of its own for."""

EVEN_FIRST = [0, 2, 4, 6, 1, 3, 5, 7]
"""Lanes as widening by halves leaves them."""


def padded_taps(op: CausalConv) -> int:
    return max(FEW, op.w.shape[0] + op.w.shape[0] % 2)


def stream(op: CausalConv) -> NDArray[np.int8]:
    """Blocks of eight channels: taps [padded, 8], bias [8] and m [8] as bytes of int32, even channels first; with a
    table where the curve of each channel starts, as bytes of uint16."""
    more = -op.x.shape[-1] % LANES
    w = np.pad(op.constant("w"), ((padded_taps(op) - op.w.shape[0], 0), (0, more)))
    taps = w.reshape(len(w), -1, LANES).transpose(1, 0, 2)
    scales = [np.pad(op.constant(v), (0, more)).reshape(-1, LANES)[:, EVEN_FIRST] for v in ("bias", "m")]
    words = np.ascontiguousarray(np.hstack(scales).astype("<i4")).view(np.int8)
    parts = [taps.reshape(len(taps), -1), words]
    if op.table is not None:
        curve = np.zeros(op.x.shape[-1]) if op.curve is None else op.constant("curve")
        first = np.pad(curve, (0, more)).reshape(-1, LANES) * float(op.levels)
        parts.append(np.ascontiguousarray(first.astype("<u2")).view(np.int8))
    return np.hstack(parts).reshape(-1).astype(np.int8)


def accepts(op: Op) -> bool:
    """Pairs of taps whose products fit 16 bits together, a zero point that saturating to int16 does not spoil."""
    assert isinstance(op, CausalConv)
    if not constants_known(op):
        return False
    whole = np.pad(wide(op.constant("w")), ((padded_taps(op) - op.w.shape[0], 0), (0, 0)))
    pairs = np.abs(whole).reshape(-1, 2, whole.shape[1]).sum(axis=1)
    if op.table is None:
        exact = abs(op.zero_point) <= ZERO_POINT
    else:
        exact = op.zero_point >= op.levels - (1 << 15)
    return exact and int(pairs.max()) * 128 < 1 << 15


def scratch_bytes(op: Op) -> int:
    """A pointer to the row of every tap, and a row before the first."""
    assert isinstance(op, CausalConv)
    return 8 * padded_taps(op) + op.x.shape[-1]


def emit_conv(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, CausalConv)
    rows, channels = op.x.shape[-2:]
    packed = stream(op).view(np.int32)  # int32 for its alignment
    p = ctx.params(
        "ember_mve_conv_params",
        {
            "stream": f"(const int8_t *){ctx.array(packed, op.w.name or f'{op.loc}_w')}",
            "table": ctx.pointer(op.table, "tables"),
            "lo": 0 if op.table is not None else -128,
            "hi": op.levels - 1 if op.table is not None else 127,
            "batches": prod(op.x.shape[:-2]),
            "rows": rows,
            "channels": channels,
            "taps": op.w.shape[0],
            "padded_taps": padded_taps(op),
            "zx": op.zx,
            "shift": op.shift,
            "zero_point": op.zero_point,
        },
    )
    return ctx.call(*(ctx.pointer(v) for v in (op.x, op.initial, op.y, op.tail)), ctx.scratch, p)


_NAME = f"ember_causal_conv_s8_{ISA}"
VARIANTS[ISA, "ember_causal_conv_s8"] = Variant(
    Kernel(_NAME, kernel_source(ISA, _NAME), scratch_bytes=scratch_bytes, emit=emit_conv), accepts
)
