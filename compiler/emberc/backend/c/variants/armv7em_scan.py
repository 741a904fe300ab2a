"""q.selective_scan on Armv7E-M: constants as the cores of ``kernels/armv7em/ember_scan_asm.h`` read them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.scan import scan_call, scan_sizes
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.arithmetic import wide
from emberc.ir.op import Op
from emberc.ir.ops.integer_scan import LOG_BITS, LOG_MASK, SelectiveScan
from emberc.ir.types import Array

ISA = "armv7em"

LEVELS = 1024
"""Entries of the softplus table as the kernel indexes it: an immediate of USAT."""

DELTA_BITS = 20
"""Of a packed softplus entry; the logarithm lies above them, doubled."""

RECORDS = 1300
"""Bytes of scratch for 64 channels and the end of them."""


def softplus_entries(softplus: Array) -> NDArray[np.uint32]:
    """[levels] of Delta << 12 | L -> [1024] of 2 L << 20 | Delta, the last entry repeated."""
    whole = np.pad(wide(softplus), (0, LEVELS - len(softplus)), mode="edge")
    return ((whole & LOG_MASK) * 2 << DELTA_BITS | whole >> LOG_BITS).astype(np.uint32)


def scales(op: SelectiveScan) -> NDArray[np.int32]:
    """mu, skip, my and mo (0 without a gate) of each channel, [D, 4]."""
    parts = [op.constant(name) for name in ("mu", "skip", "my")]
    parts.append(op.constant("mo") if op.mo is not None else np.zeros_like(parts[0]))
    return np.stack(parts, axis=1).astype(np.int32)


def alike(op: SelectiveScan) -> bool:
    """Whether all states of a head share a decay."""
    log_a = op.constant("log_a")
    return bool((log_a == log_a[:, :1]).all())


def log_a_bytes(op: SelectiveScan) -> NDArray[np.uint32]:
    """Offsets in bytes of the decays: [H] where the states of a head share one, else [D, N]."""
    log_a = op.constant("log_a").astype(np.uint32) * 2
    if alike(op):
        return log_a[:, 0]
    return np.repeat(log_a, op.x.shape[-1] // len(log_a), axis=0)


def constants_known(op: Op) -> bool:
    """Tables and scales that the compiler can pack, and something to do."""
    assert isinstance(op, SelectiveScan)
    tables = (op.softplus, op.decay, op.log_a, op.mu, op.skip, op.my, op.mo, op.gate)
    return all(v is None or v.const is not None for v in tables) and op.x.type.elements > 0


def accepts(op: Op) -> bool:
    """Constants that the compiler can pack, and logarithms that fit 12 bits doubled."""
    assert isinstance(op, SelectiveScan)
    if not constants_known(op):
        return False
    entries = op.constant("softplus")
    return len(entries) <= LEVELS and int((entries & LOG_MASK).max()) * 2 <= LOG_MASK


def accepts_channels(op: Op) -> bool:
    """Every channel its own head, with a decay for every state."""
    assert isinstance(op, SelectiveScan)
    return accepts(op) and op.v.shape[-1] == op.x.shape[-1] and not alike(op)


def scratch_bytes(op: Op) -> int:
    """Records of a chunk of channels, b and c of a group."""
    assert isinstance(op, SelectiveScan)
    return RECORDS + 4 * op.state.shape[-1]


def emit_scan(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, SelectiveScan)
    name = op.loc or "scan"
    p = ctx.params(
        "ember_scan_params",
        {
            "softplus": ctx.array(softplus_entries(op.constant("softplus")), f"{name}_softplus", "tables"),
            "decay": ctx.array((op.constant("decay").astype(np.uint16) * 2), f"{name}_decay", "tables"),
            "log_a": ctx.array(log_a_bytes(op), f"{name}_log_a"),
            "scales": ctx.array(scales(op), f"{name}_scales"),
            "gate": ctx.pointer(op.gate, "tables"),
            **scan_sizes(op),
            "alike": int(alike(op)),
            "zx": op.zx,
        },
    )
    return scan_call(op, p, ctx)


def _kernel(function: str) -> Kernel:
    name = f"{function}_{ISA}"
    return Kernel(name, kernel_source(ISA, name), scratch_bytes=scratch_bytes, emit=emit_scan)


for _types in ("s8", "s8_s16"):
    VARIANTS[ISA, f"ember_selective_scan_{_types}"] = Variant(
        _kernel(f"ember_selective_scan_{_types}"),
        accepts_channels,
        otherwise=Variant(_kernel(f"ember_selective_scan_heads_{_types}"), accepts),
    )
