"""q.magnitude: the length of vectors of two int16 components."""

from __future__ import annotations

import numpy as np

from emberc.ir.arithmetic import clamp, count_leading_zeros, high_multiply, newton_root, wide
from emberc.ir.op import attribute, operand, result
from emberc.ir.ops.integer_base import QUANTIZED, IntegerOp
from emberc.ir.types import Array, DType, TensorType


class Magnitude(IntegerOp):
    """z = clamp(high_multiply(((root(v << s) << 15) >> s / 2), m, zero_point)), v = x * x + y * y

    with s even, v << s in [2^30, 2^32) and root in 16 bits, so that short vectors keep as many bits as long ones;
    0 where v is 0. x and y have one scale and zero points 0. Source: the root is q.layer_norm's.
    """

    opcode = "q.magnitude"
    typed_by = ("x", "y")
    x = operand(DType.I16)
    y = operand(DType.I16)
    m = attribute[int]()
    zero_point = attribute[int](0)
    dtype = attribute[str]("i16")
    z = result()
    inplace = {"z": ("x", "y")}
    narrows = True

    def infer(self) -> list[TensorType]:
        self.require(self.x.shape == self.y.shape, f"x is {list(self.x.shape)}, y {list(self.y.shape)}")
        return [TensorType(self.out_dtype(*QUANTIZED), self.x.shape)]

    def verify(self) -> None:
        self.require_range("m", 0, (1 << 31) - 1)
        self.require_range("zero_point", *DType.I16.limits)

    def reference(self, x: Array, y: Array) -> Array:
        v = (wide(x) * x + wide(y) * y).astype(np.uint64)
        some = np.maximum(v, 1)
        s = count_leading_zeros(some, 32) & ~1
        length = (newton_root((some << s.astype(np.uint64)).astype(np.int64)) << 15) >> (s >> 1)
        return clamp(high_multiply(np.where(v > 0, length, 0), self.m, self.zero_point), self.out_dtype(*QUANTIZED))
