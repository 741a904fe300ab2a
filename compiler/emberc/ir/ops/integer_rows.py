"""q.depthwise_rows: convolution over time, one filter a channel, channels last."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emberc.ir.arithmetic import clamp, requantize, wide
from emberc.ir.op import Cost, attribute, operand, result
from emberc.ir.ops.float_rows import depthwise
from emberc.ir.ops.integer_base import QUANTIZED, IntegerOp
from emberc.ir.types import Array, DType, TensorType


class DepthwiseRows(IntegerOp):
    """y[b, t, c] = clamp(requantize(bias[c] + sum_k (x[b, t + k * dilation - before, c] - zx) * w[k, c], m[c], shift)).

    Rows outside x count as zx. ``rows`` is the length of y. Source: as q.matmul, one filter a channel.
    """

    opcode = "q.depthwise_rows"
    x = operand(*QUANTIZED)  # [B, L, C]
    w = operand(DType.I8)  # [K, C]
    bias = operand(DType.I32)  # [C]
    m = operand(DType.I32)  # [C]
    before = attribute[int](0)
    rows = attribute[int]()
    dilation = attribute[int](1)
    zx = attribute[int](0)
    shift = attribute[int](0)
    zero_point = attribute[int](0)
    dtype = attribute[str]("i8")
    y = result()

    def infer(self) -> list[TensorType]:
        self.require(self.x.type.rank == 3 and self.w.type.rank == 2, "x must be [B, L, C], w [K, C]")
        c = self.x.shape[2]
        good = self.w.shape[1:] == (c,) == self.bias.shape == self.m.shape
        self.require(good, f"w, bias and m must have {c} channels")
        self.require(self.rows >= 1 and self.dilation >= 1, "rows and dilation must be at least 1")
        return [TensorType(self.out_dtype(*QUANTIZED), (self.x.shape[0], self.rows, c))]

    def verify(self) -> None:
        self.constant("m")
        self.require_range("zx", *self.x.type.dtype.limits)
        self.require_range("zero_point", *DType.I16.limits)
        self.require_range("shift", 0, 31)
        bound = channel_bound(self.constant("w"), self.constant("bias"), self.x.type.dtype, self.zx)
        self.require_int32("the shifted sum", -bound << self.shift, bound << self.shift)

    def reference(self, x: Array, w: Array, bias: NDArray[np.int32], m: NDArray[np.int32]) -> Array:
        acc = depthwise(wide(x) - self.zx, wide(w), self.before, self.rows, self.dilation) + wide(bias)
        return clamp(requantize(acc, wide(m), self.shift, self.zero_point), self.out_dtype(*QUANTIZED))

    def cost(self) -> Cost:
        return Cost(macs=self.y.type.elements * self.w.shape[0], elements=self.y.type.elements)


def channel_bound(w: Array, bias: Array, x_type: DType, zx: int) -> int:
    """The largest absolute value of any channel's sum or partial sum."""
    lo, hi = x_type.limits
    return int((np.abs(wide(w)).sum(axis=0) * max(hi - zx, zx - lo) + np.abs(wide(bias))).max(initial=0))
