"""q.causal_conv on Armv7E-M: a window of four taps in registers (``kernels/armv7em/ember_conv_asm.h``), or any number
of taps over a channel's samples side by side (``ember_causal_conv_many_s8_armv7em.c``)."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from emberc.backend.c.context import EmitContext, Fields
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.arithmetic import wide
from emberc.ir.op import Op
from emberc.ir.ops.integer_conv import CausalConv
from emberc.ir.types import Array

ISA = "armv7em"

TAPS = 4
LEVELS = 2048
"""Entries of a table as the kernel indexes it: an immediate of USAT."""


def constants_known(op: CausalConv) -> bool:
    """Taps and scales that the compiler can pack, and something to do."""
    parts = (op.w, op.bias, op.m, op.table, op.curve)
    return all(v is None or v.const is not None for v in parts) and op.x.type.elements > 0


def accepts(op: Op) -> bool:
    """Few taps that fit 16 bits after the op's shift, and a table that is not longer than the index."""
    assert isinstance(op, CausalConv)
    if not constants_known(op) or op.w.shape[0] > TAPS:
        return False
    fits = int(np.abs(wide(op.constant("w"))).max()) << op.shift <= 32767
    return fits and op.levels <= LEVELS


def padded_table(table: Array) -> Array:
    """The table with the last entry of every curve repeated up to the last index."""
    return np.pad(table, [(0, 0)] * (table.ndim - 1) + [(0, LEVELS - table.shape[-1])], mode="edge")


def channel_scales(op: CausalConv) -> list[Fields]:
    """The taps of each channel in pairs, the older one on top, and bias and multiplier."""
    w = wide(op.constant("w")) << op.shift
    four = np.pad(w, ((TAPS - len(w), 0), (0, 0))).T & 0xFFFF
    pairs = four[:, 0::2] << 16 | four[:, 1::2]
    bias = wide(op.constant("bias")) << op.shift
    return [
        {"w01": int(a), "w23": int(b), "bias": int(c), "m": int(m)}
        for (a, b), c, m in zip(pairs, bias, op.constant("m"), strict=True)
    ]


def emit_conv(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, CausalConv)
    rows, channels = op.x.shape[-2:]
    name = op.loc or "conv"
    table = None if op.table is None else ctx.array(padded_table(op.constant("table")), f"{name}_table", "tables")
    p = ctx.params(
        "ember_conv_window_params",
        {
            "scales": ctx.params_array("ember_conv_scales", channel_scales(op)),
            "table": table,
            "curve": ctx.pointer(op.curve),
            "batches": prod(op.x.shape[:-2]),
            "rows": rows,
            "channels": channels,
            "taps": op.w.shape[0],
            "zx": op.zx,
            "zero_point": op.zero_point,
        },
    )
    return ctx.call(*(ctx.pointer(v) for v in (op.x, op.initial, op.y, op.tail)), p)


def no_scratch(op: Op) -> int:
    """The window lives in registers."""
    return 0


def padded_taps(op: CausalConv) -> int:
    return -(-op.w.shape[0] // TAPS) * TAPS


def taps_by_channel(op: CausalConv) -> NDArray[np.int8]:
    """w [K, D] -> [D, K padded in front], of each four taps 0 2 1 3."""
    w = np.pad(op.constant("w"), ((padded_taps(op) - op.w.shape[0], 0), (0, 0)))
    fours = w.T.reshape(w.shape[1], -1, TAPS)[:, :, [0, 2, 1, 3]]
    return np.ascontiguousarray(fours.reshape(w.shape[1], -1), np.int8)


def accepts_many(op: Op) -> bool:
    """Constants that the compiler can pack."""
    assert isinstance(op, CausalConv)
    return constants_known(op)


def column_bytes(op: Op) -> int:
    """A channel's samples as int16, and what four steps read behind them."""
    assert isinstance(op, CausalConv)
    return 2 * (padded_taps(op) + op.x.shape[-2] + 2 * TAPS)


def emit_many(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, CausalConv)
    rows, channels = op.x.shape[-2:]
    words = taps_by_channel(op).view(np.int32)  # for their alignment
    p = ctx.params(
        "ember_conv_many_params",
        {
            "w": f"(const int8_t *){ctx.array(words, op.w.name or f'{op.loc}_w')}",
            "bias": ctx.pointer(op.bias),
            "m": ctx.pointer(op.m),
            "table": ctx.pointer(op.table, "tables"),
            "curve": ctx.pointer(op.curve),
            "levels": op.levels,
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


_FEW, _MANY = f"ember_causal_conv_s8_{ISA}", f"ember_causal_conv_many_s8_{ISA}"
VARIANTS[ISA, "ember_causal_conv_s8"] = Variant(
    Kernel(_FEW, kernel_source(ISA, _FEW), scratch_bytes=no_scratch, emit=emit_conv),
    accepts,
    otherwise=Variant(
        Kernel(_MANY, kernel_source(ISA, _MANY), scratch_bytes=column_bytes, emit=emit_many), accepts_many
    ),
)
