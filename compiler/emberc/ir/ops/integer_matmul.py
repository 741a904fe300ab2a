"""q.matmul (activation x weight) and q.batch_matmul (activation x activation)."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from emberc.ir.arithmetic import INT32_MAX, Ints, clamp, fits32, requantize, wide
from emberc.ir.op import Cost, attribute, operand, optional, result
from emberc.ir.ops.integer_base import QUANTIZED, IntegerOp, rows_of
from emberc.ir.types import Array, DType, TensorType

#: columns whose packed weights are unpacked together (EMBER_PACKED_COLUMNS)
PACKED_COLUMNS = 16


def accumulator_bounds(w: Array, bias: Array, x_type: DType) -> tuple[int, int]:
    """Smallest and largest value that bias[n] + sum_k x[k] * w[n, k], or a partial sum, takes for any x."""
    lo, hi = x_type.limits
    above = np.maximum(w, 0).sum(axis=1, dtype=np.int64)
    below = np.minimum(w, 0).sum(axis=1, dtype=np.int64)
    up, down = above * hi + below * lo, above * lo + below * hi
    b = wide(bias)
    least = int(np.minimum(b + down, down).min(initial=0))
    most = int(np.maximum(b + up, up).max(initial=0))
    return least, most


class Matmul(IntegerOp):
    """y[.., n] = f((bias[n] + sum_k x[.., k] * w[n, k]) * m[n]): a fully connected layer and its epilogue.

    acc = bias[n] + sum_k x[k] * w[n, k]                       exact; x's zero point is folded into bias
    v   = clip(requantize(acc, m[n], shift, zero_point), lo, hi)
    y   = v, or table[v + 128] where a table is given (v is then clipped to int8, y has the table's type)

    x int8: ``shift`` >= 0. x int16: the exact sum may exceed 32 bits; a negative shift brings it back.
    Source: Jacob et al., 2018, section 2; the rounding is SMMLAR's (shared DESIGN, Requantization).
    """

    opcode = "q.matmul"
    x = operand(*QUANTIZED)  # [.., K]
    w = operand(DType.I8)  # [N, K]
    bias = operand(DType.I32)  # [N]
    m = operand(DType.I32)  # [N]
    table = optional(*QUANTIZED)  # [256]
    shift = attribute[int](0)
    zero_point = attribute[int](0)
    lo = attribute[int](-32768)
    hi = attribute[int](32767)
    dtype = attribute[str]("i8")
    y = result()

    def infer(self) -> list[TensorType]:
        self.require(self.w.type.rank == 2, f"w is {list(self.w.shape)}, must be [N, K]")
        n, k = self.w.shape
        self.require(self.x.shape[-1:] == (k,), f"x is {list(self.x.shape)}, w is {[n, k]}")
        self.require(self.bias.shape == (n,) == self.m.shape, f"bias and m must have {n} elements")
        dtype = self.out_dtype(*QUANTIZED)
        if self.table is not None:
            self.require(self.table.shape == (256,), "table must have 256 elements")
            self.require(self.table.type.dtype is dtype, f"table must be {dtype.value}")
        return [TensorType(dtype, (*self.x.shape[:-1], n))]

    def limits(self) -> tuple[int, int]:
        """The range that v is clipped to: lo, hi and the element type together."""
        low, high = (DType.I8 if self.table is not None else self.out_dtype(*QUANTIZED)).limits
        return max(low, self.lo), min(high, self.hi)

    def verify(self) -> None:
        self.constant("m")
        self.require_range("zero_point", *DType.I16.limits)
        self.require(self.limits()[0] <= self.limits()[1], f"lo {self.lo} is above hi {self.hi}")
        narrow = self.x.type.dtype is DType.I8
        self.require_range("shift", 0 if narrow else -31, 31)
        lo, hi = accumulator_bounds(self.constant("w"), self.constant("bias"), self.x.type.dtype)
        if narrow:
            self.require_int32("the accumulator", lo, hi)
        s = self.shift
        self.require_int32("the shifted accumulator", *((lo << s, hi << s) if s >= 0 else (lo >> -s, hi >> -s)))

    def kernel(self) -> str:
        """Packed weights have kernels of their own, with the same answers."""
        name = super().kernel()
        return name.replace("ember_", "ember_packed_") if self.w.packed else name

    def scratch_bytes(self) -> int:
        """Packed: the int8 weights of a block of columns, and its results. Otherwise none."""
        if self.w.packed is None:
            return 0
        weights = -(-PACKED_COLUMNS * self.w.shape[1] // 4) * 4
        return weights + rows_of(self.x) * PACKED_COLUMNS * self.y.type.dtype.size

    def k_slice(self) -> int:
        """Products of an int16 x that an int32 surely holds; the kernel sums such slices in 64 bits."""
        largest = int(np.abs(wide(self.constant("w"))).max(initial=1))
        return max(1, INT32_MAX // (32768 * max(1, largest)))

    def reference(
        self, x: Array, w: Array, bias: NDArray[np.int32], m: NDArray[np.int32], table: Array | None
    ) -> Array:
        # float64 holds every sum below 2^53 exactly, and numpy multiplies floats with BLAS
        acc: Ints = (x.astype(np.float64) @ w.astype(np.float64).T).astype(np.int64) + wide(bias)
        v = clamp(requantize(acc, wide(m), self.shift, self.zero_point), DType.I16, *self.limits())
        return v if table is None else table[wide(v) + 128]

    def cost(self) -> Cost:
        return Cost(macs=self.y.type.elements * self.w.shape[1], elements=self.y.type.elements)


class BatchMatmul(IntegerOp):
    """y[.., i, j] = clamp(requantize(sum_k (a[.., i, k] - za) * (b[.., k, j] - zb), m, shift, zero_point)).

    With ``transpose_b`` b is [.., N, K]. b's leading dimensions equal a's, or are all absent or 1 (shared).
    int16 a: the sum is exact in 64 bits, a negative shift brings it back. Source: as q.matmul.
    """

    opcode = "q.batch_matmul"
    typed_by = ("a",)
    a = operand(*QUANTIZED)  # [.., M, K]
    b = operand(DType.I8)  # [.., K, N], or [.., N, K]
    za = attribute[int](0)
    zb = attribute[int](0)
    m = attribute[int]()
    shift = attribute[int](0)
    zero_point = attribute[int](0)
    transpose_b = attribute[bool](False)
    dtype = attribute[str]("i8")
    y = result()

    def infer(self) -> list[TensorType]:
        a, b = self.a.shape, self.b.shape
        self.require(len(a) >= 2 and len(b) >= 2, f"a {list(a)} and b {list(b)} must be matrices")
        k, n = (b[-1], b[-2]) if self.transpose_b else (b[-2], b[-1])
        shared = prod(b[:-2]) == 1 and len(b) <= len(a)
        self.require(a[-1] == k and (shared or a[:-2] == b[:-2]), f"a {list(a)} and b {list(b)} do not fit")
        return [TensorType(self.out_dtype(*QUANTIZED), (*a[:-1], n))]

    def verify(self) -> None:
        self.require_word("m")
        self.require_range("za", *self.a.type.dtype.limits)
        self.require_range("zb", *DType.I8.limits)
        self.require_range("zero_point", *DType.I16.limits)
        narrow = self.a.type.dtype is DType.I8
        self.require_range("shift", 0 if narrow else -31, 31)
        bound = self._span(self.a.type.dtype, self.za) * self._span(DType.I8, self.zb) * self.a.shape[-1]
        s = self.shift
        good = fits32(-bound, bound) if narrow else bound < 1 << 62
        self.require(good, f"a sum of {self.a.shape[-1]} products does not fit the accumulator")
        bound = bound << s if s >= 0 else (bound >> -s) + 1
        self.require_int32("the shifted accumulator", -bound, bound)

    @staticmethod
    def _span(dtype: DType, zero: int) -> int:
        lo, hi = dtype.limits
        return max(hi - zero, zero - lo)

    def reference(self, a: Array, b: Array) -> Array:
        right = b.swapaxes(-1, -2) if self.transpose_b else b
        # products stay below 2^40 and sums below 2^53: exact in float64, see Matmul.reference
        acc: Ints = ((wide(a) - self.za).astype(np.float64) @ (wide(right) - self.zb).astype(np.float64)).astype(
            np.int64
        )
        v = clamp(requantize(acc, self.m, self.shift, self.zero_point), self.out_dtype(*QUANTIZED))
        return v.reshape(self.y.shape)

    def cost(self) -> Cost:
        return Cost(macs=self.y.type.elements * self.a.shape[-1], elements=self.y.type.elements)
