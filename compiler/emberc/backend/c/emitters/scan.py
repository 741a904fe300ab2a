"""q.selective_scan and q.causal_conv."""

from __future__ import annotations

from math import prod

from emberc.backend.c.context import EmitContext, Fields
from emberc.backend.c.emitters.suffix import typed
from emberc.backend.c.registry import Call, emitter
from emberc.ir.ops.integer_conv import CausalConv
from emberc.ir.ops.integer_scan import SelectiveScan


@emitter("q.selective_scan", kernel=typed("ember_selective_scan", "x"))
def emit_selective_scan(op: SelectiveScan, ctx: EmitContext) -> Call:
    p = ctx.params(
        "ember_selective_scan_params",
        {
            "softplus": ctx.pointer(op.softplus, "tables"),
            "decay": ctx.pointer(op.decay, "tables"),
            "log_a": ctx.pointer(op.log_a),
            "mu": ctx.pointer(op.mu),
            "skip": ctx.pointer(op.skip),
            "my": ctx.pointer(op.my),
            "gate": ctx.pointer(op.gate, "tables"),
            "mo": ctx.pointer(op.mo),
            **scan_sizes(op),
            "levels": op.softplus.type.elements,
            "log_a_step": int(op.log_a.shape[1] > 1),
            "zx": op.zx,
        },
    )
    return scan_call(op, p, ctx)


def scan_sizes(op: SelectiveScan) -> Fields:
    """The sizes that every scan kernel's parameters hold, in the structs' order."""
    steps, channels = op.x.shape[-2:]
    return {
        "batches": prod(op.x.shape[:-2]),
        "steps": steps,
        "channels": channels,
        "heads": op.v.shape[-1],
        "states": op.state.shape[-1],
        "groups": op.groups,
    }


def scan_call(op: SelectiveScan, params: str, ctx: EmitContext) -> Call:
    """The call of any scan kernel: they differ in what ``params`` holds."""
    read = [ctx.pointer(v) for v in (op.x, op.v, op.b, op.c, op.z, op.initial)]
    return ctx.call(*read, ctx.pointer(op.y), ctx.pointer(op.state), ctx.scratch, params)


@emitter("q.causal_conv", kernel=typed("ember_causal_conv", "x"))
def emit_causal_conv(op: CausalConv, ctx: EmitContext) -> Call:
    rows, channels = op.x.shape[-2:]
    p = ctx.params(
        "ember_causal_conv_params",
        {
            "w": ctx.pointer(op.w),
            "bias": ctx.pointer(op.bias),
            "m": ctx.pointer(op.m),
            "table": ctx.pointer(op.table, "tables"),
            "curve": ctx.pointer(op.curve),
            "levels": op.levels,
            "batches": prod(op.x.shape[:-2]),
            "rows": rows,
            "channels": channels,
            "taps": op.w.shape[0],
            "zx": op.zx,
            "shift": op.shift,
            "zero_point": op.zero_point,
        },
    )
    initial = ctx.pointer(op.initial)
    return ctx.call(ctx.pointer(op.x), initial, ctx.pointer(op.y), ctx.pointer(op.tail), ctx.scratch, p)
