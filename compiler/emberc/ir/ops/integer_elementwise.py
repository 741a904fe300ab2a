"""q.add, q.mul and q.requantize: elementwise arithmetic between scales."""

from __future__ import annotations

from typing import Any

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.arithmetic import Ints, clamp, requantize, wide
from emberc.ir.op import attribute, operand, result
from emberc.ir.ops.integer_base import QUANTIZED, IntegerOp
from emberc.ir.types import Array, DType, TensorType


class Broadcast(IntegerOp):
    """Base of the elementwise ops of two operands: numpy broadcasting."""

    x = operand()
    y = operand()
    inplace = {"z": ("x", "y")}
    narrows = True
    typed_by = ("x", "y")

    def common_shape(self) -> tuple[int, ...]:
        """The shape that x and y broadcast to. Raises VerifyError when they do not."""
        try:
            return tuple(np.broadcast_shapes(self.x.shape, self.y.shape))
        except ValueError:
            raise VerifyError(f"{list(self.x.shape)} and {list(self.y.shape)} do not broadcast", at=self.loc) from None


def scaled_bounds(dtype: DType, m: int, s: int) -> tuple[int, int]:
    """The range of (x * m) >> s over all x of ``dtype``."""
    ends = [(limit * m) >> s for limit in dtype.limits]
    return min(ends), max(ends)


class Add(Broadcast):
    """z = clamp((((x * m1) >> s1) + ((y * m2) >> s2) + c) >> frac), elementwise with broadcasting.

    m1 / 2^s1 is scale_x / scale_z * 2^frac, m2 likewise, |m| <= 2^15; c holds the zero points times 2^frac and the
    half that rounds the last shift. One SMLAW each on Armv7E-M, when s is 16 or the operand was loaded higher.
    Types: x and y of one type, or x int16 and y int8. Source: Jacob et al., 2018, appendix A.2.
    """

    opcode = "q.add"
    x = operand(*QUANTIZED)
    y = operand(*QUANTIZED)
    m1 = attribute[int]()
    s1 = attribute[int]()
    m2 = attribute[int]()
    s2 = attribute[int]()
    c = attribute[int]()
    frac = attribute[int]()
    dtype = attribute[str]("i8")
    z = result()

    def infer(self) -> list[TensorType]:
        pair = (self.x.type.dtype, self.y.type.dtype)
        self.require(pair != (DType.I8, DType.I16), "of an int16 and an int8 operand the int16 one comes first")
        return [TensorType(self.out_dtype(*QUANTIZED), self.common_shape())]

    def verify(self) -> None:
        for m, s in (("m1", "s1"), ("m2", "s2")):
            self.require_range(m, -(1 << 15), 1 << 15)
            self.require_range(s, 0, 31)
        self.require_range("frac", 0, 31)
        self.require_word("c")
        a = scaled_bounds(self.x.type.dtype, self.m1, self.s1)
        b = scaled_bounds(self.y.type.dtype, self.m2, self.s2)
        self.require_int32("a scaled sum", a[0] + b[0], a[1] + b[1])
        self.require_int32("the sum", a[0] + b[0] + self.c, a[1] + b[1] + self.c)

    def reference(self, x: Array, y: Array) -> Array:
        total: Ints = ((wide(x) * self.m1) >> self.s1) + ((wide(y) * self.m2) >> self.s2) + self.c
        return clamp(total >> self.frac, self.out_dtype(*QUANTIZED))


class Requantize(IntegerOp):
    """y = clamp((((x * m) >> s) + c) >> frac): the same reals under another scale, zero point or type.

    Fields as in q.add; |m| <= 2^15. Source: Jacob et al., 2018, section 2.2.
    """

    opcode = "q.requantize"
    x = operand(*QUANTIZED)
    m = attribute[int]()
    s = attribute[int]()
    c = attribute[int]()
    frac = attribute[int]()
    dtype = attribute[str]("i8")
    y = result()
    inplace = {"y": ("x",)}
    narrows = True

    def infer(self) -> list[TensorType]:
        return [TensorType(self.out_dtype(*QUANTIZED), self.x.shape)]

    def verify(self) -> None:
        self.require_range("m", -(1 << 15), 1 << 15)
        self.require_range("s", 0, 31)
        self.require_range("frac", 0, 31)
        self.require_word("c")
        lo, hi = scaled_bounds(self.x.type.dtype, self.m, self.s)
        self.require_int32("the sum", lo + self.c, hi + self.c)

    def reference(self, x: Array) -> Array:
        total: Ints = ((wide(x) * self.m) >> self.s) + self.c
        return clamp(total >> self.frac, self.out_dtype(*QUANTIZED))


class Mul(Broadcast):
    """z = clamp(requantize((x - zx) * (y - zy), m, shift, zero_point)), elementwise with broadcasting.

    Types as in q.add. Source: Jacob et al., 2018, section 2.2, for one product.
    """

    opcode = "q.mul"
    x = operand(*QUANTIZED)
    y = operand(*QUANTIZED)
    zx = attribute[int](0)
    zy = attribute[int](0)
    m = attribute[int]()
    shift = attribute[int](0)
    zero_point = attribute[int](0)
    dtype = attribute[str]("i8")
    z = result()

    def infer(self) -> list[TensorType]:
        pair = (self.x.type.dtype, self.y.type.dtype)
        self.require(pair != (DType.I8, DType.I16), "of an int16 and an int8 operand the int16 one comes first")
        return [TensorType(self.out_dtype(*QUANTIZED), self.common_shape())]

    def verify(self) -> None:
        self.require_range("zx", *self.x.type.dtype.limits)
        self.require_range("zy", *self.y.type.dtype.limits)
        self.require_word("m")
        self.require_range("shift", 0, 31)
        self.require_range("zero_point", *DType.I16.limits)
        ends = [(a - self.zx) * (b - self.zy) for a in self.x.type.dtype.limits for b in self.y.type.dtype.limits]
        self.require_int32("the shifted product", min(ends) << self.shift, max(ends) << self.shift)

    def reference(self, x: Array, y: Array) -> Any:
        product: Ints = (wide(x) - self.zx) * (wide(y) - self.zy)
        return clamp(requantize(product, self.m, self.shift, self.zero_point), self.out_dtype(*QUANTIZED))
