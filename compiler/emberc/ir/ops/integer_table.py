"""q.table and q.table16: any function of one variable, read from a table that the compiler makes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emberc.ir.arithmetic import Ints, clamp, wide
from emberc.ir.op import operand, result
from emberc.ir.ops.integer_base import QUANTIZED, IntegerOp
from emberc.ir.types import Array, DType, TensorType


class Table(IntegerOp):
    """y = table[x + 128]: every int8 function, requantization included, exact to the rounding of the entries.

    Source: the way of TFLite's int8 activations; error at most half an output step.
    """

    opcode = "q.table"
    x = operand(DType.I8)
    table = operand(*QUANTIZED)  # [256]
    y = result()
    inplace = {"y": ("x",)}

    def infer(self) -> list[TensorType]:
        self.require(self.table.shape == (256,), f"table is {list(self.table.shape)}, must be [256]")
        return [TensorType(self.table.type.dtype, self.x.shape)]

    def verify(self) -> None:
        self.constant("table")

    def reference(self, x: Array, table: Array) -> Array:
        return table[wide(x) + 128]


class Table16(IntegerOp):
    """y = table[i] + (((table[i+1] - table[i]) * f + 64) >> 7), i = (x >> 7) + 256, f = x & 127: linear interpolation.

    table[i] is the function at x = 128 * (i - 256), i = 0 .. 512. Between two knots the line lies inside their
    range, so nothing saturates. Source: CMSIS-NN and TFLite use the same 513 entries for int16 activations.
    """

    opcode = "q.table16"
    x = operand(DType.I16)
    table = operand(DType.I16)  # [513]
    y = result()
    inplace = {"y": ("x",)}

    def infer(self) -> list[TensorType]:
        self.require(self.table.shape == (513,), f"table is {list(self.table.shape)}, must be [513]")
        return [TensorType(DType.I16, self.x.shape)]

    def verify(self) -> None:
        self.constant("table")

    def reference(self, x: Array, table: NDArray[np.int16]) -> Array:
        u, t = wide(x), wide(table)
        i = (u >> 7) + 256
        line: Ints = t[i] + (((t[i + 1] - t[i]) * (u & 127) + 64) >> 7)
        return clamp(line, DType.I16)
