"""q.depthwise, q.pool_max and q.pool_mean: windows whose channels do not mix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emberc.ir.arithmetic import clamp, requantize, wide
from emberc.ir.op import Cost, attribute, operand, result
from emberc.ir.ops.integer_base import QUANTIZED, IntegerOp
from emberc.ir.ops.integer_rows import channel_bound
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.windows import ChannelWindows, Windows


class Depthwise(ChannelWindows, IntegerOp):
    """y[b, p.., c] = clamp(requantize(bias[c] + sum_k (x[b, p*stride + k*dilation - pad .., c // r] - zx) * w[k.., c],
    m[c], shift, zero_point)), r = channels of y / channels of x.

    Positions outside x count as zx. Source: as q.matmul, one filter a channel (Howard et al., 2017).
    """

    opcode = "q.depthwise"
    x = operand(*QUANTIZED)  # [B, D1, .., C / r]
    w = operand(DType.I8)  # [K1, .., C]
    bias = operand(DType.I32)  # [C]
    m = operand(DType.I32)  # [C]
    zx = attribute[int](0)
    shift = attribute[int](0)
    zero_point = attribute[int](0)
    dtype = attribute[str]("i8")
    y = result()

    def windows(self) -> Windows:
        """Its geometry."""
        return Windows.of(self, self.w.shape[:-1])

    def infer(self) -> list[TensorType]:
        self.require(self.w.type.rank in (2, 3), f"w is {list(self.w.shape)}, must be [K1, .., C]")
        c = self.w.shape[-1]
        self.require(c % self.x.shape[-1] == 0, f"{c} filters for {self.x.shape[-1]} channels")
        self.require(self.bias.shape == (c,) == self.m.shape, f"bias and m must have {c} elements")
        counts = self.windows().counts(self.x.shape, self.loc)
        return [TensorType(self.out_dtype(*QUANTIZED), (self.x.shape[0], *counts, c))]

    def verify(self) -> None:
        self.constant("m")
        self.require_range("zx", *self.x.type.dtype.limits)
        self.require_range("zero_point", *DType.I16.limits)
        self.require_range("shift", 0, 31)
        w = self.constant("w").reshape(-1, self.w.shape[-1])
        bound = channel_bound(w, self.constant("bias"), self.x.type.dtype, self.zx)
        self.require_int32("the shifted sum", -bound << self.shift, bound << self.shift)

    def reference(self, x: Array, w: Array, bias: NDArray[np.int32], m: NDArray[np.int32]) -> Array:
        patches = self.windows().patches(np.repeat(wide(x) - self.zx, w.shape[-1] // x.shape[-1], axis=-1), 0)
        acc = (patches * wide(w)).sum(axis=tuple(range(w.ndim, patches.ndim - 1))) + wide(bias)
        return clamp(requantize(acc, wide(m), self.shift, self.zero_point), self.out_dtype(*QUANTIZED))

    def cost(self) -> Cost:
        return Cost(macs=self.y.type.elements * self.windows().size, elements=self.y.type.elements)


class PoolMax(ChannelWindows, IntegerOp):
    """y[b, p.., c] = max over k of x[b, p*stride + k*dilation - pad .., c] inside x; y keeps x's quantization."""

    opcode = "q.pool_max"
    x = operand(*QUANTIZED)  # [B, D1, .., C]
    kernel_shape = attribute[list[int]]()
    y = result()

    def windows(self) -> Windows:
        """Its geometry."""
        return Windows.of(self, tuple(self.kernel_shape))

    def infer(self) -> list[TensorType]:
        counts = self.windows().counts(self.x.shape, self.loc)
        return [self.x.type.with_shape((self.x.shape[0], *counts, self.x.shape[-1]))]

    def verify(self) -> None:
        self.require(int(self.windows().valid(self.x.shape).min()) > 0, "a window lies in the padding altogether")

    def reference(self, x: Array) -> Array:
        n = len(self.kernel_shape)
        out: Array = (
            self.windows().patches(x, x.dtype.type(np.iinfo(x.dtype).min)).max(axis=tuple(range(1 + n, 1 + 2 * n)))
        )
        return out

    def cost(self) -> Cost:
        return Cost(elements=self.y.type.elements * self.windows().size)


class PoolMean(ChannelWindows, IntegerOp):
    """y[b, p.., c] = clamp(requantize(sum over k inside x of (x[..] - zx), m[n], shift, zero_point)) with n the number
    of elements that the window has inside x. Source: as q.reduce_sum, the divisors in the multipliers."""

    opcode = "q.pool_mean"
    x = operand(*QUANTIZED)  # [B, D1, .., C]
    m = operand(DType.I32)  # [window + 1]
    kernel_shape = attribute[list[int]]()
    zx = attribute[int](0)
    shift = attribute[int](0)
    zero_point = attribute[int](0)
    dtype = attribute[str]("i8")
    y = result()

    def windows(self) -> Windows:
        """Its geometry."""
        return Windows.of(self, tuple(self.kernel_shape))

    def infer(self) -> list[TensorType]:
        self.require(self.m.shape == (self.windows().size + 1,), f"m must have {self.windows().size + 1} elements")
        counts = self.windows().counts(self.x.shape, self.loc)
        return [TensorType(self.out_dtype(*QUANTIZED), (self.x.shape[0], *counts, self.x.shape[-1]))]

    def verify(self) -> None:
        self.constant("m")
        lo, hi = self.x.type.dtype.limits
        self.require_range("zx", lo, hi)
        self.require_range("zero_point", *DType.I16.limits)
        self.require_range("shift", 0, 31)
        bound = self.windows().size * max(hi - self.zx, self.zx - lo)
        self.require_int32("the shifted sum", -bound << self.shift, bound << self.shift)

    def reference(self, x: Array, m: NDArray[np.int32]) -> Array:
        windows, n = self.windows(), len(self.kernel_shape)
        acc = windows.patches(wide(x) - self.zx, 0).sum(axis=tuple(range(1 + n, 1 + 2 * n)))
        factor = wide(m)[windows.valid(x.shape)][..., None]
        return clamp(requantize(acc, factor, self.shift, self.zero_point), self.out_dtype(*QUANTIZED))

    def cost(self) -> Cost:
        return Cost(elements=self.y.type.elements * self.windows().size)
