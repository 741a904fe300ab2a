"""q.selective_scan on Helium: constants as ``kernels/mve/ember_mve_scan_run.h`` reads them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.scan import scan_call, scan_sizes
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.armv7em_scan import alike, constants_known
from emberc.backend.c.variants.mve_matmul import ISA
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.op import Op
from emberc.ir.ops.integer_scan import SelectiveScan

STATES = 16
"""States that go through the core together."""

LANES = 8
"""States of a vector."""

RECORDS = 1024
"""Bytes of scratch for the records of 64 channels."""


def log_a_by_passes(op: SelectiveScan) -> NDArray[np.uint16]:
    """log_a [H, N] -> for 16 states at a time [D, states padded to 8], or [H] where the states of a head share one."""
    log_a = op.constant("log_a")
    if alike(op):
        return log_a[:, 0].astype(np.uint16)
    rows = np.repeat(log_a, op.x.shape[-1] // len(log_a), axis=0)
    passes = [rows[:, at : at + STATES] for at in range(0, rows.shape[1], STATES)]
    padded = [np.pad(part, ((0, 0), (0, -part.shape[1] % LANES))).reshape(-1) for part in passes]
    return np.concatenate(padded).astype(np.uint16)


def by_byte(gate: NDArray[np.int16]) -> NDArray[np.int16]:
    """[256] by value + 128 -> [256] by the value's bits as unsigned."""
    return np.roll(gate, 128)


def emit_scan(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, SelectiveScan)
    name = op.loc or "scan"
    p = ctx.params(
        "ember_mve_scan_params",
        {
            "softplus": ctx.pointer(op.softplus, "tables"),
            "decay": ctx.pointer(op.decay, "tables"),
            "log_a": ctx.array(log_a_by_passes(op), f"{name}_log_a"),
            "mu": ctx.pointer(op.mu),
            "skip": ctx.pointer(op.skip),
            "my": ctx.pointer(op.my),
            "mo": ctx.pointer(op.my if op.mo is None else op.mo),
            "gate": None if op.gate is None else ctx.array(by_byte(op.constant("gate")), f"{name}_gate", "tables"),
            **scan_sizes(op),
            "levels": op.softplus.type.elements,
            "alike": int(alike(op)),
            "zx": op.zx,
        },
    )
    return scan_call(op, p, ctx)


def scratch_bytes(op: Op) -> int:
    """The records."""
    return RECORDS


for _types in ("s8", "s8_s16"):
    _function = f"ember_selective_scan_{_types}_{ISA}"
    VARIANTS[ISA, f"ember_selective_scan_{_types}"] = Variant(
        Kernel(_function, kernel_source(ISA, _function), scratch_bytes=scratch_bytes, emit=emit_scan), constants_known
    )
