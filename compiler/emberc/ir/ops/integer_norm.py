"""q.layer_norm (LayerNorm and RMSNorm), q.softmax and q.softmax16: rows normalised by their own statistics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emberc.ir.arithmetic import (
    HALF,
    INT16_MAX,
    INT32_MAX,
    Ints,
    clamp,
    count_leading_zeros,
    newton_root,
    norm_frac,
    norm_unit,
    wide,
)
from emberc.ir.op import Cost, attribute, operand, result
from emberc.ir.ops.integer_base import QUANTIZED, IntegerOp
from emberc.ir.types import Array, DType, TensorType

#: Longest row: x*n - S of int16 elements stays below 2^30, and n * sum x^2 below 2^58.
MAX_ROW = 16384

#: int8 y: the largest shift after which a sum that saturates at 16 bits still gives the same y.
NARROW_SHIFT = 8

#: int8 y: the largest beta, which leaves the sum of t * gamma, of beta << 15 and of the rounding below 2^31.
NARROW_BETA = (1 << 15) - (1 << NARROW_SHIFT)


class LayerNorm(IntegerOp):
    """y = clamp((x - mean) / sqrt(var + eps) * gamma + beta), row by row (Ba et al., 2016); RMSNorm without center.

    Both forms, for int8 and for int16 y, take the root of the variance from the same sums:

      S = sum x (0 without ``center``),  Q = sum x^2,  V = max(n*Q - S^2 + eps, 1)
      z = clz64(V) & ~1,  v = (V << z) >> 32,  e = (32 - z) / 2,  r = newton_root(v)     so that sqrt(V) = r * 2^e

    **int8 y**: a normalised element t, gamma and beta of 16 bits, so that a core multiplies halves of a word (Armv7E-M:
    SMLAWB) or eight lanes of a vector (Helium: VMULH, VQDMULH). V is at least n - 1, as it is unless all x are equal.

      M = (S * 2^16 + n // 2) // n,  s = e + F - 28,  d = r << max(s, 0)
      R = ((K + d // 2) // d) << max(-s, 0)                                       R / 2^16 = T / sqrt(V)
      t = ((x * R) >> 16) - ((M * R) >> 32)                                       (x - mean) / sigma * T / n
      y = clamp8((t * gamma[i] + (beta[i] << 15) + 2^(14 + out_shift)) >> (15 + out_shift))

    T = 32760 * sqrt(max(n - 1, 1)) and K = ``norm_unit``, T with the fraction that F leaves. gamma is
    g / scale_y * n / T * 2^(15 + out_shift); beta is (b / scale_y + zero point) * 2^out_shift.
    Range: |x - mean| <= sigma * sqrt(n - 1) makes |t| <= 32760 and what is rounded, less than 7: 16 bits hold it, and
    V >= n - 1 makes R < 2^31. Error: the two roundings of t have opposite signs and no bias, so t is off by less than
    1.25 units, each worth at most 2^-out_shift steps of y as gamma fills its 16 bits; beta and gamma are off by half as
    much, R by 2^-13 of itself at most. So y is within 0.5 + 2.3 * 2^-out_shift + 2^-13 |y| steps. On random rows that
    costs 0.02 dB of SQNR against 32 bits throughout at out_shift 4 (rows of 768), 0.1 dB at 3, 0.3 dB at 2: the
    lowering takes int16 y where fewer than 4 bits are left. Rows of tiny variance, large mean or one outlier lose as
    little, since t is relative to sigma.

    **int16 y**: 32 bits throughout, because 16 would be heard: t would be off by sqrt(n) steps of y.

      R = ((2^31 - 1) // r) << 15,  a = F - 14 - e;  for a < 0: R >>= -a, a = 0
      t = (((x*n - S) << a) * R + 2^31) >> 32                                (x - mean) / sigma with F fraction bits
      y = clamp16(((t * gamma[i] + (beta[i] << 32) + 2^31) >> 32) >> out_shift)

    gamma is g / scale_y * 2^(32 - F + out_shift); beta is (b / scale_y + zero point) * 2^out_shift and the half that
    rounds the last shift. |x*n - S| <= sqrt(n*V), so |t| <= 2^28 and |(x*n - S) << a| <= 2^30 (both within 2^-14):
    nothing overflows, whatever the row holds.

    F = 28 - ceil(log2 sqrt n). ``eps`` is n^2 * epsilon / scale_x^2. x's zero point cancels with ``center``; without it
    x must be symmetric.
    Source: I-BERT, Kim et al., 2021, section 3.4 (integer LayerNorm); one 32-bit division a row besides the root's and
    the mean's.
    """

    opcode = "q.layer_norm"
    x = operand(*QUANTIZED)  # [.., n]
    gamma = operand(DType.I16, DType.I32)  # [n], int16 for int8 y, int32 for int16 y
    beta = operand(DType.I16, DType.I32)  # [n], likewise
    eps = attribute[int](0)
    center = attribute[bool](True)
    out_shift = attribute[int](8)
    dtype = attribute[str]("i8")
    y = result()
    inplace = {"y": ("x",)}
    narrows = True

    def infer(self) -> list[TensorType]:
        self.require(self.x.type.rank >= 1, "x has no rows")
        n = self.x.shape[-1]
        self.require(self.gamma.shape == (n,) == self.beta.shape, f"gamma and beta must have {n} elements")
        out = self.out_dtype(*QUANTIZED)
        gains = DType.I16 if out is DType.I8 else DType.I32
        same = self.gamma.type.dtype is gains is self.beta.type.dtype
        self.require(same, f"gamma and beta must be {gains.value} where y is {out.value}")
        return [TensorType(out, self.x.shape)]

    def verify(self) -> None:
        self.require(1 <= self.x.shape[-1] <= MAX_ROW, f"rows of {self.x.shape[-1]}, allowed: 1 .. {MAX_ROW}")
        self.require_range("eps", 0, (1 << 62) - 1)
        gamma, beta = (np.abs(wide(self.constant(name))) for name in ("gamma", "beta"))
        if self.y.type.dtype is DType.I8:
            self.require_range("out_shift", 1, NARROW_SHIFT)
            for name, largest, allowed in (("gamma", gamma.max(), INT16_MAX), ("beta", beta.max(), NARROW_BETA)):
                self.require(largest <= allowed, f"{name} has magnitudes of {largest}, allowed: up to {allowed}")
        else:
            self.require_range("out_shift", 0, 31)
            # t * gamma / 2^32, with the 2^-15 that the truncated reciprocal may add to t
            span = (gamma >> 4) + (gamma >> 18) + beta + 1
            self.require_int32("a scaled element", 0, int(span.max()))

    def frac(self) -> int:
        """F, the fraction bits of a normalised element of 32 bits."""
        return norm_frac(self.x.shape[-1])

    def reference(self, x: Array, gamma: Array, beta: Array) -> Array:
        n = x.shape[-1]
        u, g, b = wide(x), wide(gamma), wide(beta)
        s = u.sum(axis=-1, keepdims=True) if self.center else np.zeros((*x.shape[:-1], 1), np.int64)
        spread = n * (u * u).sum(axis=-1, keepdims=True) - s * s + self.eps
        out = self.out_dtype(*QUANTIZED)
        if out is DType.I16:
            root, e = _root(np.maximum(spread, 1))
            return clamp(self._wide(u * n - s, root, self.frac() - 14 - e, g, b), out)
        root, e = _root(np.maximum(spread, max(n - 1, 1)))
        d = root << np.maximum(e + self.frac() - 28, 0)
        inverse = (norm_unit(n) + (d >> 1)) // d << np.maximum(28 - self.frac() - e, 0)
        mean = ((s << 16) + n // 2) // n
        t: Ints = (u * inverse >> 16) - (mean * inverse >> 32)
        return clamp(t * g + (b << 15) + (1 << 14 + self.out_shift) >> 15 + self.out_shift, out)

    def _wide(self, difference: Ints, root: Ints, a: Ints, gamma: Ints, beta: Ints) -> Ints:
        inverse = (INT32_MAX // root << 15) >> np.maximum(-a, 0)
        t: Ints = ((difference << np.maximum(a, 0)) * inverse + HALF) >> 32
        scaled: Ints = (t * gamma + (beta << 32) + HALF) >> 32
        return scaled >> self.out_shift

    def cost(self) -> Cost:
        return Cost(elements=2 * self.x.type.elements)


def _root(variance: Ints) -> tuple[Ints, Ints]:
    """(r, e) with sqrt(variance) = r * 2^e."""
    v = variance.astype(np.uint64)
    z = count_leading_zeros(v, 64) & ~1
    return newton_root(((v << z.astype(np.uint64)) >> np.uint64(32)).astype(np.int64)), (32 - z) // 2


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


class Softmax16(IntegerOp):
    """y = softmax of the last axis; x is int16 of any scale, y int16 of scale 2^-15.

      d = min(((max x - x) * m + 2^(shift-1)) >> shift, T - 1),  Z = sum table[d],  c = clz32(Z)
      r = (2^31 - 1) // ((Z << c) >> 16),  y = clamp16((table[d] * r + 2^(31-c)) >> (32 - c))

    table[d] = round(top * 2^(-d/steps)) as in q.attention (``arithmetic.exp2_table``), n * top < 2^24; m / 2^shift is
    scale * log2(e) * steps. One 32-bit division a row.
    """

    opcode = "q.softmax16"
    x = operand(DType.I16)  # [.., n]
    table = operand(DType.I16)  # [T], falling, 0 at the end
    m = attribute[int]()
    shift = attribute[int]()
    y = result()
    inplace = {"y": ("x",)}

    def infer(self) -> list[TensorType]:
        self.require(self.x.type.rank >= 1, "x has no rows")
        return [self.x.type.with_quant(None)]

    def verify(self) -> None:
        t = wide(self.constant("table"))
        falls = t.ndim == 1 and t.size >= 2 and int(t[-1]) == 0 and int(t[0]) >= 1 and bool((np.diff(t) <= 0).all())
        self.require(falls, "table must fall from at least 1 to 0")
        self.require(self.x.shape[-1] * int(t[0]) < 1 << 24, f"rows of {self.x.shape[-1]} need table[0] below 2^24 / n")
        self.require_range("m", 0, 32767)
        self.require_range("shift", 1, 30)
        self.require_int32("a scaled difference", 0, 65535 * self.m + (1 << (self.shift - 1)))

    def reference(self, x: Array, table: NDArray[np.int16]) -> Array:
        u = wide(x)
        d = ((u.max(axis=-1, keepdims=True) - u) * self.m + (1 << (self.shift - 1))) >> self.shift
        e = wide(table)[np.minimum(d, table.size - 1)]
        z = e.sum(axis=-1, keepdims=True)
        c = count_leading_zeros(z.astype(np.uint64), 32)
        r = INT32_MAX // ((z << c) >> 16)
        return clamp((e * r + (np.int64(1) << (31 - c))) >> (32 - c), DType.I16)

    def cost(self) -> Cost:
        return Cost(elements=2 * self.x.type.elements)
