"""Elementwise ops of two operands with numpy broadcasting, and the selection between two values.

Both operands have one element type. Integers wrap around, as in numpy and ONNX.
"""

from __future__ import annotations

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.op import Op, attribute, operand, result
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Value


def broadcast(*values: Value, loc: str = "") -> tuple[int, ...]:
    """The common shape of ``values`` under numpy broadcasting. Raises VerifyError when there is none."""
    try:
        return np.broadcast_shapes(*[v.shape for v in values])
    except ValueError:
        shapes = " and ".join(str(list(v.shape)) for v in values)
        raise VerifyError(f"shapes {shapes} do not broadcast", at=loc) from None


class Binary(Op):
    """y = f(a, b), elementwise."""

    a = operand()
    b = operand()
    y = result()
    inplace = {"y": ("a", "b")}

    def infer(self) -> list[TensorType]:
        if self.a.type.dtype is not self.b.type.dtype:
            raise VerifyError(f"operands are {self.a.type.dtype.value} and {self.b.type.dtype.value}", at=self.loc)
        return [TensorType(self.a.type.dtype, broadcast(self.a, self.b, loc=self.loc))]


class Add(Binary):
    """y = a + b. Source: ONNX Add."""

    opcode = "f.add"

    def reference(self, a: Array, b: Array) -> Array:
        return np.add(a, b)


class Sub(Binary):
    """y = a - b. Source: ONNX Sub."""

    opcode = "f.sub"

    def reference(self, a: Array, b: Array) -> Array:
        return np.subtract(a, b)


class Mul(Binary):
    """y = a * b. Source: ONNX Mul."""

    opcode = "f.mul"

    def reference(self, a: Array, b: Array) -> Array:
        return np.multiply(a, b)


class Div(Binary):
    """y = a / b; integers truncate toward zero. Source: ONNX Div."""

    opcode = "f.div"

    def reference(self, a: Array, b: Array) -> Array:
        if not self.a.type.dtype.is_integer:
            return np.divide(a, b)
        down = np.floor_divide(a, b)
        exact = np.equal(np.multiply(down, b), a)
        return np.where((np.less(a, 0) ^ np.less(b, 0)) & ~exact, down + 1, down)


class Mod(Binary):
    """y = a - b * floor(a / b), the sign of the divisor; with ``fmod`` trunc for floor, the sign of the dividend.
    Source: ONNX Mod."""

    opcode = "f.mod"
    fmod = attribute[bool](False)

    def reference(self, a: Array, b: Array) -> Array:
        return np.fmod(a, b) if self.fmod else np.mod(a, b)


class Pow(Binary):
    """y = a ^ b. Source: ONNX Pow."""

    opcode = "f.pow"

    def reference(self, a: Array, b: Array) -> Array:
        if self.a.type.dtype.is_integer:  # numpy refuses negative integer powers; double is exact below 2^53
            return np.power(a.astype(np.float64), b.astype(np.float64)).astype(a.dtype)
        return np.power(a, b)


class Max(Binary):
    """y = max(a, b); NaN if either is. Source: ONNX Max."""

    opcode = "f.max"

    def reference(self, a: Array, b: Array) -> Array:
        return np.maximum(a, b)


class Min(Binary):
    """y = min(a, b); NaN if either is. Source: ONNX Min."""

    opcode = "f.min"

    def reference(self, a: Array, b: Array) -> Array:
        return np.minimum(a, b)


class Comparison(Binary):
    """y = a ? b, elementwise, as bool."""

    inplace = {}

    def infer(self) -> list[TensorType]:
        return [super().infer()[0].with_dtype(DType.BOOL)]


class Equal(Comparison):
    """y = a == b. Source: ONNX Equal."""

    opcode = "f.equal"

    def reference(self, a: Array, b: Array) -> Array:
        return np.equal(a, b)


class Less(Comparison):
    """y = a < b. Source: ONNX Less."""

    opcode = "f.less"

    def reference(self, a: Array, b: Array) -> Array:
        return np.less(a, b)


class LessOrEqual(Comparison):
    """y = a <= b. Source: ONNX LessOrEqual."""

    opcode = "f.less_or_equal"

    def reference(self, a: Array, b: Array) -> Array:
        return np.less_equal(a, b)


class Greater(Comparison):
    """y = a > b. Source: ONNX Greater."""

    opcode = "f.greater"

    def reference(self, a: Array, b: Array) -> Array:
        return np.greater(a, b)


class GreaterOrEqual(Comparison):
    """y = a >= b. Source: ONNX GreaterOrEqual."""

    opcode = "f.greater_or_equal"

    def reference(self, a: Array, b: Array) -> Array:
        return np.greater_equal(a, b)


class Logic(Binary):
    """y = a ? b, on bools."""

    a = operand(DType.BOOL)
    b = operand(DType.BOOL)


class And(Logic):
    """y = a and b. Source: ONNX And."""

    opcode = "f.and"

    def reference(self, a: Array, b: Array) -> Array:
        return np.logical_and(a, b)


class Or(Logic):
    """y = a or b. Source: ONNX Or."""

    opcode = "f.or"

    def reference(self, a: Array, b: Array) -> Array:
        return np.logical_or(a, b)


class Xor(Logic):
    """y = a or b, but not both. Source: ONNX Xor."""

    opcode = "f.xor"

    def reference(self, a: Array, b: Array) -> Array:
        return np.logical_xor(a, b)


class Where(Op):
    """y = a where c holds, else b, all three broadcast. Source: ONNX Where."""

    opcode = "f.where"
    c = operand(DType.BOOL)
    a = operand()
    b = operand()
    y = result()
    inplace = {"y": ("a", "b")}

    def infer(self) -> list[TensorType]:
        if self.a.type.dtype is not self.b.type.dtype:
            raise VerifyError(f"operands are {self.a.type.dtype.value} and {self.b.type.dtype.value}", at=self.loc)
        return [TensorType(self.a.type.dtype, broadcast(self.c, self.a, self.b, loc=self.loc))]

    def reference(self, c: Array, a: Array, b: Array) -> Array:
        return np.where(c.astype(np.bool_), a, b)
