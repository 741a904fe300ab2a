"""The integer arithmetic of the ``q.*`` ops in numpy: the definition that the C kernels equal bit for bit.

Arrays are int64 here so that nothing wraps; where the kernels use 32 bits, the op's ``verify`` proves that the
value fits. ``>>`` of a negative number rounds to minus infinity, as an arithmetic shift does.
The C twin of this file is ``runtime_c/include/ember_math.h``.
"""

from __future__ import annotations

from math import isqrt, log2

import numpy as np
from numpy.typing import NDArray

from emberc.errors import InternalError
from emberc.ir.types import Array, DType

Ints = NDArray[np.int64]

INT16_MAX = (1 << 15) - 1
INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1
HALF = 1 << 31


def wide(x: Array) -> Ints:
    """``x`` as int64."""
    return x.astype(np.int64)


def fits32(lo: int, hi: int) -> bool:
    """Whether every value of [lo, hi] is an int32."""
    return lo >= INT32_MIN and hi <= INT32_MAX


def shifted(acc: Ints, shift: int | Ints) -> Ints:
    """``acc << shift``, or floor(acc / 2**-shift) for a negative shift. Raises InternalError outside int32.

    The ops prove beforehand that the result fits 32 bits; the check here is what makes that proof falsifiable.
    """
    s = np.asarray(shift, np.int64)
    out: Ints = np.where(s >= 0, acc << np.maximum(s, 0), acc >> np.maximum(-s, 0))
    if out.size and not fits32(int(out.min()), int(out.max())):
        raise InternalError("an accumulator that was proved to fit 32 bits does not")
    return out


def high_multiply(a: Ints, m: Ints | int, add: Ints | int = 0) -> Ints:
    """(a * m + (add << 32) + 2^31) >> 32: SMMLAR on Armv7E-M; ``a`` and ``m`` fit int32."""
    out: Ints = (a * m + (np.asarray(add, np.int64) << 32) + HALF) >> 32
    return out


def requantize(acc: Ints, m: Ints | int, shift: int, zero_point: int) -> Ints:
    """((acc << shift) * m + (zero_point << 32) + 2^31) >> 32, not yet clamped."""
    return high_multiply(shifted(acc, shift), m, zero_point)


def clamp(v: Ints, dtype: DType, lo: int | None = None, hi: int | None = None) -> Array:
    """``v`` saturated to ``dtype`` (and to [lo, hi] where given), in that element type."""
    low, high = dtype.limits
    out: Array = np.clip(v, max(low, low if lo is None else lo), min(high, high if hi is None else hi)).astype(
        dtype.numpy
    )
    return out


def count_leading_zeros(v: NDArray[np.uint64], bits: int) -> Ints:
    """Leading zeros of ``v`` >= 1 seen as a number of ``bits`` bits (32 or 64)."""
    length = np.zeros(v.shape, np.int64)
    rest = v.astype(np.uint64)
    for step in (32, 16, 8, 4, 2, 1):
        big = rest >= np.uint64(1 << step)
        length += np.where(big, step, 0)
        rest = np.where(big, rest >> np.uint64(step), rest)
    out: Ints = bits - 1 - length
    return out


def newton_root(v: Ints) -> Ints:
    """Square root of v in [2^30, 2^32), at most one above the floor: four Newton steps from 65535.

    From above, a relative error e becomes about e*e/2: 1 -> 0.25 -> 0.025 -> 3e-4 -> 5e-8 (I-BERT, Algorithm 4,
    with a fixed number of steps because the argument is normalised first).
    """
    y = np.full(v.shape, 65535, np.int64)
    for _ in range(4):
        y = (y + v // y) >> 1
    return y


def norm_frac(n: int) -> int:
    """F = 28 - ceil(log2 sqrt n): fraction bits of a normalised element of a row of ``n``; sqrt(n) * 2^F <= 2^28."""
    return 28 - ((n - 1).bit_length() + 1) // 2


NORM_TOP = 32760
"""Largest normalised element of 16 bits, less what the roundings of ``q.layer_norm`` may add."""


def norm_unit(n: int) -> int:
    """K = NORM_TOP * sqrt(max(n - 1, 1)) * 2^(F - 12) < 2^31, rounded down: over the root of a row's variance it makes
    the largest element that a row of ``n`` can have one of 16 bits."""
    return isqrt((NORM_TOP << norm_frac(n) - 12) ** 2 * max(n - 1, 1))


def norm_gain(n: int) -> float:
    """Units of such a 16-bit element in one standard deviation of its row."""
    return NORM_TOP * float(np.sqrt(max(n - 1, 1))) / n


def exp2_table(top: int = 4095, steps: int = 64) -> NDArray[np.int16]:
    """Attention weights: round(top * 2^(-d/steps)) for d = 0, 1, ..., up to and including the first zero."""
    last = int(steps * log2(2 * top)) + 1
    d = np.arange(last + 1)
    table = np.floor(top * np.exp2(-d / steps) + 0.5).astype(np.int16)
    table[last] = 0
    return table


def softmax_table(scale: float, n: int) -> NDArray[np.uint16]:
    """Table of q.softmax for logits of that scale in rows of ``n``: E[d] = round(top * exp(-d * scale))."""
    top = min(32767, ((1 << 24) - 1) // n)
    table: NDArray[np.uint16] = np.floor(top * np.exp(-np.arange(256) * scale) + 0.5).astype(np.uint16)
    return table
