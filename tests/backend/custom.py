"""An op of one's own with its emitter and C file, from outside the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emberc.backend.c import Call, EmitContext, emitter
from emberc.ir.op import operand, result
from emberc.ir.ops.integer_base import IntegerOp
from emberc.ir.types import Array, DType, TensorType


class Negate(IntegerOp):
    """y = -x, saturated: -(-128) is 127."""

    opcode = "test.negate"
    x = operand(DType.I8)
    y = result()
    inplace = {"y": ("x",)}

    def infer(self) -> list[TensorType]:
        return [self.x.type]

    def reference(self, x: Array) -> Array:
        return np.minimum(-x.astype(np.int16), 127).astype(np.int8)


@emitter("test.negate", kernel="negate_s8", source=Path(__file__).with_name("negate_s8.c"))
def emit_negate(op: Negate, ctx: EmitContext) -> Call:
    p = ctx.params("negate_params", {"count": op.x.type.elements, "lowest": -128})
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)
