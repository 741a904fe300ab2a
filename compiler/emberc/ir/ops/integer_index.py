"""Arithmetic on indices: q.index and q.cumsum, for positions that are counted from the ids."""

from __future__ import annotations

import numpy as np

from emberc.ir.arithmetic import wide
from emberc.ir.op import attribute, operand, result
from emberc.ir.ops.integer_base import IntegerOp
from emberc.ir.ops.integer_elementwise import Broadcast
from emberc.ir.types import Array, DType, TensorType

KINDS = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "min": np.minimum, "max": np.maximum}


class Index(Broadcast):
    """z = x kind y on int32, elementwise with broadcasting; ``kind`` is add, sub, mul, min or max; wraps around.

    Source: ONNX Add, Sub, Mul, Min and Max on integers.
    """

    opcode = "q.index"
    x = operand(DType.I32)
    y = operand(DType.I32)
    kind = attribute[str]()
    z = result()

    def infer(self) -> list[TensorType]:
        self.require(self.kind in KINDS, f"kind is '{self.kind}', allowed: {', '.join(KINDS)}")
        return [TensorType(DType.I32, self.common_shape())]

    def reference(self, x: Array, y: Array) -> Array:
        return KINDS[self.kind](wide(x), wide(y)).astype(np.int32)


class Cumsum(IntegerOp):
    """y[i] = sum of x[0..i] along ``axis``, truth values counted as 0 and 1; wraps around. ``exclusive`` leaves x[i]
    out, ``reverse`` sums from the end. Source: ONNX CumSum."""

    opcode = "q.cumsum"
    x = operand(DType.I32)
    axis = attribute[int]()
    exclusive = attribute[bool](False)
    reverse = attribute[bool](False)
    y = result()
    inplace = {"y": ("x",)}

    def infer(self) -> list[TensorType]:
        self.require(0 <= self.axis < self.x.type.rank, f"no axis {self.axis} in {list(self.x.shape)}")
        return [TensorType(DType.I32, self.x.shape)]

    def reference(self, x: Array) -> Array:
        v = np.flip(wide(x), self.axis) if self.reverse else wide(x)
        y = np.cumsum(v, axis=self.axis) - (v if self.exclusive else 0)
        return (np.flip(y, self.axis) if self.reverse else y).astype(np.int32)


class Widen(IntegerOp):
    """y = 1 where x, else 0, as int32. Source: ONNX Cast from bool."""

    opcode = "q.widen"
    x = operand(DType.BOOL)
    y = result()

    def infer(self) -> list[TensorType]:
        return [TensorType(DType.I32, self.x.shape)]

    def reference(self, x: Array) -> Array:
        return x.astype(np.int32)
