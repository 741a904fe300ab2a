"""q.reduce_sum (and mean) and q.reduce_max: pooling over one axis; q.top_k: its largest elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from emberc.ir.arithmetic import Ints, clamp, requantize, wide
from emberc.ir.op import Cost, attribute, operand, result
from emberc.ir.ops.integer_base import QUANTIZED, IntegerOp
from emberc.ir.types import Array, DType, TensorType


class Reduce(IntegerOp):
    """Base: one axis is reduced; it stays with size 1 where ``keepdims``."""

    x = operand(*QUANTIZED)
    axis = attribute[int]()
    keepdims = attribute[bool](False)
    y = result()

    def reduced_shape(self) -> tuple[int, ...]:
        """The shape of y."""
        s = self.x.shape
        self.require(0 <= self.axis < len(s), f"no axis {self.axis} in {list(s)}")
        self.require(s[self.axis] >= 1, "nothing to reduce")
        return (*s[: self.axis], *((1,) if self.keepdims else ()), *s[self.axis + 1 :])

    def cost(self) -> Cost:
        return Cost(elements=self.x.type.elements)


class ReduceSum(Reduce):
    """y = clamp(requantize(sum over axis of (x - zx), m, shift, zero_point)); the mean is the same with m / n.

    Source: ONNX ReduceSum and ReduceMean; requantization as in q.matmul.
    """

    opcode = "q.reduce_sum"
    zx = attribute[int](0)
    m = attribute[int]()
    shift = attribute[int](0)
    zero_point = attribute[int](0)
    dtype = attribute[str]("i8")

    def infer(self) -> list[TensorType]:
        return [TensorType(self.out_dtype(*QUANTIZED), self.reduced_shape())]

    def verify(self) -> None:
        self.require_word("m")
        self.require_range("zx", *self.x.type.dtype.limits)
        self.require_range("shift", 0, 31)
        self.require_range("zero_point", *DType.I16.limits)
        n = self.x.shape[self.axis]
        lo, hi = ((limit - self.zx) * n << self.shift for limit in self.x.type.dtype.limits)
        self.require_int32("the shifted sum", lo, hi)

    def reference(self, x: Array) -> Array:
        total: Ints = (wide(x) - self.zx).sum(axis=self.axis, keepdims=self.keepdims)
        return clamp(requantize(total, self.m, self.shift, self.zero_point), self.out_dtype(*QUANTIZED))


class ReduceMax(Reduce):
    """y = max over axis of x; the scale stays. Source: ONNX ReduceMax."""

    opcode = "q.reduce_max"

    def infer(self) -> list[TensorType]:
        return [self.x.type.with_shape(self.reduced_shape())]

    def reference(self, x: Array) -> Array:
        return np.max(x, axis=self.axis, keepdims=self.keepdims)  # type: ignore[no-any-return]


class TopK(IntegerOp):
    """The ``k`` largest elements along ``axis`` in falling order (``smallest``: the smallest, rising), with the scale
    of x, and their positions; of equals the first stands first, or with ``last`` the last.

    Source: ONNX TopK, ArgMax and ArgMin.
    """

    opcode = "q.top_k"
    x = operand(*QUANTIZED, DType.I32)
    k = attribute[int]()
    axis = attribute[int]()
    smallest = attribute[bool](False)
    last = attribute[bool](False)
    values = result()
    positions = result()

    def infer(self) -> list[TensorType]:
        shape = list(self.x.shape)
        self.require(0 <= self.axis < len(shape), f"no axis {self.axis} in {shape}")
        self.require(0 <= self.k <= shape[self.axis], f"there are no {self.k} of {shape[self.axis]} elements")
        shape[self.axis] = self.k
        return [self.x.type.with_shape(shape), TensorType(DType.I32, tuple(shape))]

    def cost(self) -> Cost:
        return Cost(elements=self.x.type.elements * self.k)

    def reference(self, x: Array) -> Any:
        v = np.flip(x, self.axis) if self.last else x
        order = np.argsort(wide(v) if self.smallest else -wide(v), axis=self.axis, kind="stable")
        order = np.take(order, np.arange(self.k), axis=self.axis)
        at = x.shape[self.axis] - 1 - order if self.last else order
        return np.take_along_axis(x, at, axis=self.axis), at.astype(np.int32)
