"""Ops on truth values and choices: q.nonzero, q.compare, q.logical, q.where."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.arithmetic import wide
from emberc.ir.op import attribute, operand, optional, result
from emberc.ir.ops.integer_base import IntegerOp
from emberc.ir.ops.integer_elementwise import Broadcast
from emberc.ir.types import Array, DType, TensorType

#: Element types with a kernel.
PLAIN = (DType.I8, DType.I16, DType.I32, DType.BOOL)

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


class Nonzero(IntegerOp):
    """y = (x != 0), elementwise: the attention mask as the model's input gives it."""

    opcode = "q.nonzero"
    x = operand(*PLAIN)
    y = result()
    inplace = {"y": ("x",)}
    narrows = True

    def infer(self) -> list[TensorType]:
        return [TensorType(DType.BOOL, self.x.shape)]

    def reference(self, x: Array) -> Any:
        return x != 0

    def kernel(self) -> str:
        return super().kernel().removesuffix("_s8") if self.x.type.dtype.size > 1 else super().kernel()


class Compare(Broadcast):
    """z = (x kind y) on the integers as they are, elementwise with broadcasting; ``kind`` is eq, ne, lt, le, gt, ge.

    The operands have one type and, when they stand for reals, one scale. Source: ONNX Equal, Less and their family.
    """

    opcode = "q.compare"
    x = operand(*PLAIN)
    y = operand(*PLAIN)
    kind = attribute[str]()
    z = result()

    def infer(self) -> list[TensorType]:
        self.require(self.x.type.dtype is self.y.type.dtype, "the operands must have one element type")
        self.require(self.kind in COMPARISONS, f"kind is '{self.kind}', allowed: {', '.join(COMPARISONS)}")
        return [TensorType(DType.BOOL, self.common_shape())]

    def kernel(self) -> str:
        return super().kernel().removesuffix("_s8") if self.x.type.dtype.size > 1 else super().kernel()

    def reference(self, x: Array, y: Array) -> Any:
        return COMPARISONS[self.kind](wide(x), wide(y))


class Logical(IntegerOp):
    """z = x and y, x or y, x xor y, or not x (then y is absent), on truth values with broadcasting.

    Source: ONNX And, Or, Xor, Not.
    """

    opcode = "q.logical"
    x = operand(DType.BOOL)
    y = optional(DType.BOOL)
    kind = attribute[str]()
    z = result()
    inplace = {"z": ("x", "y")}

    def infer(self) -> list[TensorType]:
        self.require(self.kind in ("and", "or", "xor", "not"), f"kind is '{self.kind}', allowed: and, or, xor, not")
        self.require((self.y is None) == (self.kind == "not"), f"'{self.kind}' has the wrong number of operands")
        if self.y is None:
            return [TensorType(DType.BOOL, self.x.shape)]
        try:
            return [TensorType(DType.BOOL, tuple(np.broadcast_shapes(self.x.shape, self.y.shape)))]
        except ValueError:
            raise VerifyError(f"{list(self.x.shape)} and {list(self.y.shape)} do not broadcast", at=self.loc) from None

    def kernel(self) -> str:
        return "ember_logical"

    def reference(self, x: Array, y: Array | None) -> Array:
        a = x.astype(np.bool_)
        if y is None:
            return ~a
        b = y.astype(np.bool_)
        return {"and": a & b, "or": a | b, "xor": a ^ b}[self.kind]


class Where(IntegerOp):
    """z = x where c is true, y elsewhere, with broadcasting; x, y and z have one type and one scale.

    Source: ONNX Where.
    """

    opcode = "q.where"
    c = operand(DType.BOOL)
    x = operand(*PLAIN)
    y = operand(*PLAIN)
    z = result()
    inplace = {"z": ("x", "y")}

    def infer(self) -> list[TensorType]:
        self.require(self.x.type.dtype is self.y.type.dtype, "the operands must have one element type")
        try:
            shape = np.broadcast_shapes(self.c.shape, self.x.shape, self.y.shape)
        except ValueError:
            raise VerifyError(f"{self.c}, {self.x} and {self.y} do not broadcast", at=self.loc) from None
        return [self.x.type.with_shape(shape)]

    def reference(self, c: Array, x: Array, y: Array) -> Array:
        return np.where(c.astype(np.bool_), x, y)
