"""The running maximum as an op of one's own: classes, importer, lowering, emitter. Importing this registers it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import emberc
from emberc.backend.c import EmitContext
from emberc.frontend import NodeContext
from emberc.ir.op import operand, result
from emberc.ir.ops.integer_base import IntegerOp
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Value
from emberc.passes.lower import Lowering


class RunningMax(emberc.Op):
    """y[.., t, c] = max over s <= t of x[.., s, c]."""

    opcode = "my.running_max"
    x = operand(DType.F32)  # [1, steps, channels]
    y = result()

    def infer(self) -> list[TensorType]:
        return [self.x.type]

    def reference(self, x: Array) -> Array:
        return np.maximum.accumulate(x, axis=-2)


class IntegerRunningMax(IntegerOp):
    """The same on integers: a maximum keeps scale and zero point. One byte in, one byte out, so it works in place."""

    opcode = "my.q.running_max"
    x = operand(DType.I8)
    y = result()
    inplace = {"y": ("x",)}

    def infer(self) -> list[TensorType]:
        return [self.x.type]

    def reference(self, x: Array) -> Array:
        return np.maximum.accumulate(x, axis=-2)


@emberc.importer("RunningMax", domain="my.ops")
def import_running_max(node: NodeContext) -> Value:
    return node.emit(RunningMax, node.input(0))


@emberc.lowering("my.running_max")
def lower_running_max(op: RunningMax, ctx: Lowering) -> Value:
    x = ctx.get(op.x)
    return ctx.emit(IntegerRunningMax, x, type=x.type)


@emberc.emitter("my.q.running_max", kernel="my_running_max_s8", source=Path(__file__).with_name("my_running_max_s8.c"))
def emit_running_max(op: IntegerRunningMax, ctx: EmitContext) -> emberc.Call:
    steps, channels = op.x.shape[-2:]
    p = ctx.params("my_running_max_params", {"steps": steps, "channels": channels})
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)
