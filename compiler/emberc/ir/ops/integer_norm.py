"""q.layer_norm (LayerNorm and RMSNorm) and q.softmax: rows normalised by their own statistics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emberc.ir.arithmetic import HALF, INT32_MAX, Ints, clamp, count_leading_zeros, newton_root, norm_frac, wide
from emberc.ir.op import Cost, attribute, operand, result
from emberc.ir.ops.integer_base import QUANTIZED, IntegerOp
from emberc.ir.types import Array, DType, TensorType

#: Longest row: x*n - S of int16 elements stays below 2^30, and n * sum x^2 below 2^58.
MAX_ROW = 16384


class LayerNorm(IntegerOp):
    """y = clamp((x - mean) / sqrt(var + eps) * gamma + beta), row by row (Ba et al., 2016); RMSNorm without center.

      S = sum x (0 without ``center``),  Q = sum x^2,  V = max(n*Q - S^2 + eps, 1)
      z = clz64(V) & ~1,  v = (V << z) >> 32,  e = (32 - z) / 2,  y = newton_root(v)     so that sqrt(V) = y * 2^e
      R = ((2^31 - 1) // y) << 15,  a = F - 14 - e;  for a < 0: R >>= -a, a = 0
      t = (((x*n - S) << a) * R + 2^31) >> 32                                (x - mean) / sigma with F fraction bits
      y = clamp(((t * gamma[i] + (beta[i] << 32) + 2^31) >> 32) >> out_shift)

    F = 28 - ceil(log2 sqrt n). ``eps`` is n^2 * epsilon / scale_x^2. gamma is g / scale_y * 2^(32 - F + out_shift);
    beta is (b / scale_y + zero point) * 2^out_shift and the half that rounds the last shift. x's zero point cancels
    with ``center``; without it x must be symmetric.
    |x*n - S| <= sqrt(n*V), so |t| <= 2^28 and |(x*n - S) << a| <= 2^30 (both within 2^-14): nothing overflows,
    whatever the row holds.
    Source: I-BERT, Kim et al., 2021, section 3.4 (integer LayerNorm); one 32-bit division a row besides the root's.
    """

    opcode = "q.layer_norm"
    x = operand(*QUANTIZED)  # [.., n]
    gamma = operand(DType.I32)  # [n]
    beta = operand(DType.I32)  # [n]
    eps = attribute[int](0)
    center = attribute[bool](True)
    out_shift = attribute[int](8)
    dtype = attribute[str]("i8")
    y = result()
    inplace = {"y": ("x",)}

    def infer(self) -> list[TensorType]:
        self.require(self.x.type.rank >= 1, "x has no rows")
        n = self.x.shape[-1]
        self.require(self.gamma.shape == (n,) == self.beta.shape, f"gamma and beta must have {n} elements")
        return [TensorType(self.out_dtype(*QUANTIZED), self.x.shape)]

    def verify(self) -> None:
        self.require(1 <= self.x.shape[-1] <= MAX_ROW, f"rows of {self.x.shape[-1]}, allowed: 1 .. {MAX_ROW}")
        self.require_range("eps", 0, (1 << 62) - 1)
        self.require_range("out_shift", 0, 31)
        gamma = np.abs(wide(self.constant("gamma")))
        # t * gamma / 2^32, with the 2^-15 that the truncated reciprocal may add to t
        span = (gamma >> 4) + (gamma >> 18) + np.abs(wide(self.constant("beta"))) + 1
        self.require_int32("a scaled element", 0, int(span.max()))

    def frac(self) -> int:
        """F, the fraction bits of a normalised element."""
        return norm_frac(self.x.shape[-1])

    def reference(self, x: Array, gamma: NDArray[np.int32], beta: NDArray[np.int32]) -> Array:
        n = x.shape[-1]
        u = wide(x)
        s = u.sum(axis=-1, keepdims=True) if self.center else np.zeros((*x.shape[:-1], 1), np.int64)
        var = np.maximum(n * (u * u).sum(axis=-1, keepdims=True) - s * s + self.eps, 1).astype(np.uint64)
        z = count_leading_zeros(var, 64) & ~1
        root = newton_root(((var << z.astype(np.uint64)) >> np.uint64(32)).astype(np.int64))
        a = self.frac() - 14 - (32 - z) // 2
        inverse = (INT32_MAX // root << 15) >> np.maximum(-a, 0)
        t: Ints = (((u * n - s) << np.maximum(a, 0)) * inverse + HALF) >> 32
        scaled: Ints = (t * wide(gamma) + (wide(beta) << 32) + HALF) >> 32
        return clamp(scaled >> self.out_shift, self.out_dtype(*QUANTIZED))

    def cost(self) -> Cost:
        return Cost(elements=2 * self.x.type.elements)


class Softmax(IntegerOp):
    """y = softmax of the last axis; x is int8 of any scale, y int8 of scale 1/256 and zero point -128.

      mx = max x,  Z = sum table[mx - x],  c = clz32(Z),  r = (2^31 - 1) // ((Z << c) >> 16),  sh = 39 - c
      y = clamp8(((table[mx - x] * r + 2^(sh-1)) >> sh) - 128)

    table[d] = round(top * exp(-d * scale)), top <= 32767 and n * top < 2^24 (``arithmetic.softmax_table``).
    One 32-bit division a row.
    """

    opcode = "q.softmax"
    x = operand(DType.I8)  # [.., n]
    table = operand(DType.U16)  # [256]
    y = result()
    inplace = {"y": ("x",)}

    def infer(self) -> list[TensorType]:
        self.require(self.x.type.rank >= 1, "x has no rows")
        self.require(self.table.shape == (256,), "table must have 256 elements")
        return [self.x.type.with_quant(None)]

    def verify(self) -> None:
        t = wide(self.constant("table"))
        top = int(t[0])
        self.require(1 <= top <= 32767 and bool((np.diff(t) <= 0).all()), "table must fall from 1 .. 32767")
        self.require(self.x.shape[-1] * top < 1 << 24, f"rows of {self.x.shape[-1]} need table[0] below 2^24 / n")

    def reference(self, x: Array, table: NDArray[np.uint16]) -> Array:
        u = wide(x)
        e = wide(table)[u.max(axis=-1, keepdims=True) - u]
        z = e.sum(axis=-1, keepdims=True)
        c = count_leading_zeros(z.astype(np.uint64), 32)
        r = INT32_MAX // ((z << c) >> 16)
        shift = 39 - c
        return clamp(((e * r + (np.int64(1) << (shift - 1))) >> shift) - 128, DType.I8)

    def cost(self) -> Cost:
        return Cost(elements=2 * self.x.type.elements)
