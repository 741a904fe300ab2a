"""q.selective_scan on RV32IM: decays shifted for MULHSU (``kernels/rv32/ember_rv32_scan.c``)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.scan import scan_call, scan_sizes
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.armv7em_scan import alike, constants_known, scales
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.arithmetic import wide
from emberc.ir.op import Op
from emberc.ir.ops.integer_scan import SelectiveScan
from emberc.ir.types import Array

ISA = "rv32"

BYTES = 4
"""Of a decay as it is stored."""

RECORDS = 768
"""Bytes of scratch for 64 channels."""


def shifted(decay: Array) -> NDArray[np.uint32]:
    """Q15 -> Q32."""
    return (wide(decay) << 17).astype(np.uint32)


def log_a_bytes(op: SelectiveScan) -> NDArray[np.uint16]:
    """Offsets in bytes of the decays: [H] where the states of a head share one, else [D, N]."""
    log_a = op.constant("log_a").astype(np.int64) * BYTES
    rows = log_a[:, 0] if alike(op) else np.repeat(log_a, op.x.shape[-1] // len(log_a), axis=0)
    return rows.astype(np.uint16)


def accepts(op: Op) -> bool:
    """Constants that the compiler can pack, offsets that fit 16 bits."""
    assert isinstance(op, SelectiveScan)
    return constants_known(op) and int(op.constant("log_a").max()) * BYTES < 1 << 16


def scratch_bytes(op: Op) -> int:
    """Records of a chunk of channels, b and c of a group as words."""
    assert isinstance(op, SelectiveScan)
    return RECORDS + 8 * op.state.shape[-1]


def emit_scan(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, SelectiveScan)
    name = op.loc or "scan"
    p = ctx.params(
        "ember_rv32_scan_params",
        {
            "softplus": ctx.pointer(op.softplus, "tables"),
            "decay": ctx.array(shifted(op.constant("decay")), f"{name}_decay", "tables"),
            "log_a": ctx.array(log_a_bytes(op), f"{name}_log_a"),
            "scales": ctx.array(scales(op), f"{name}_scales"),
            "gate": ctx.pointer(op.gate, "tables"),
            **scan_sizes(op),
            "levels": op.softplus.type.elements,
            "alike": int(alike(op)),
            "zx": op.zx,
        },
    )
    return scan_call(op, p, ctx)


for _types in ("s8", "s8_s16"):
    _function = f"ember_selective_scan_{_types}_{ISA}"
    VARIANTS[ISA, f"ember_selective_scan_{_types}"] = Variant(
        Kernel(_function, kernel_source(ISA, _function), scratch_bytes=scratch_bytes, emit=emit_scan), accepts
    )
