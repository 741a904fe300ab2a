"""From real factors to the integers of the requantization, with the proof that nothing overflows.

requantize(acc, m, shift, zp) = ((acc << shift) * m + (zp << 32) + 2^31) >> 32
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emberc.errors import InternalError, UnsupportedError

INT32 = 2**31
EXTREME = "a weight or a sample is out of all proportion to the others: look for a damaged one"


@dataclass(frozen=True)
class Multiplier:
    """``m`` (int32, one per channel) and the common left ``shift`` of the accumulator."""

    m: NDArray[np.int32]
    shift: int


def multiplier(factors: float | Sequence[float] | NDArray[np.float64], bound: int, *, at: str = "") -> Multiplier:
    """The integers for acc * factor, where |acc| <= ``bound``.

    The shift is the smallest that brings every multiplier below 2^31; it is negative when the accumulator itself
    does not fit 32 bits. Raises UnsupportedError when no shift does both: the output's scale is then finer than 32
    bits can tell, which only weights or samples of extreme size lead to.
    """
    real = np.atleast_1d(np.asarray(factors, np.float64))
    if not np.isfinite(real).all():
        raise InternalError(f"factors {real} are not finite", at=at)
    shift = -max(0, bound.bit_length() - 31)
    while np.rint(np.abs(real) * 2.0 ** (32 - shift)).max(initial=0.0) >= INT32:
        shift += 1
    if (bound << shift if shift >= 0 else bound >> -shift) >= INT32:
        raise UnsupportedError(f"accumulator {bound} << {shift} exceeds 32 bits", at=at, hints=[EXTREME])
    return Multiplier(np.rint(real * 2.0 ** (32 - shift)).astype(np.int32), shift)


PRODUCT_BITS = 15
"""What Helium's 16-bit multiplication drops of a product, see :class:`Halves`."""

FACTOR_MOST = 127
"""The largest factor of a half: an int8 lane."""

FACTOR_ERROR = 2.0**-11
"""Relative error that a multiplier of two factors may have: a sixteenth of an output step at 127 steps."""


@dataclass(frozen=True)
class Halves:
    """A multiplier that two 16-bit lanes share: a * b * m / 2^32 = (a * m1) * (b * m2) / 2^(15 + frac).

    ``m1`` and ``m2`` are int8 factors of m = m1 * m2 * 2^(17 - frac), chosen so that a * m1 and b * m2 fit 16 bits.
    """

    m1: int
    m2: int
    frac: int

    @property
    def m(self) -> int:
        """The multiplier of ``requantize``, below 2^31 with a shift of 0."""
        return self.m1 * self.m2 << (32 - PRODUCT_BITS - self.frac)


def halves(factor: float, a: int, b: int) -> Halves | None:
    """The halves nearest to ``factor``, where |x| <= ``a`` of one operand and |y| <= ``b`` of the other.

    None where none is within FACTOR_ERROR, as most above 1/10 and below 1/1000. Between them 96 % have some, with
    a relative error of 1.5e-4 on average (tests/quant/test_multiplier.py).
    """
    found: tuple[float, Halves] | None = None
    most_a, most_b = (min(FACTOR_MOST, (2**15 - 1) // max(1, span)) for span in (a, b))
    for frac in range(7, 0, -1):
        whole = factor * 2.0 ** (PRODUCT_BITS + frac)
        for m1 in range(1, most_a + 1):
            m2 = round(whole / m1)
            error = abs(m1 * m2 - whole)
            if 1 <= m2 <= most_b and error <= FACTOR_ERROR * whole and (found is None or error < found[0] * whole):
                found = error / whole, Halves(m1, m2, frac)
    return found[1] if found else None


def halves_of(m: int, a: int, b: int) -> Halves | None:
    """The halves whose product is exactly the multiplier ``m``; None where there are none."""
    found = halves(m / 2.0**32, a, b) if m > 0 else None
    return found if found and found.m == m else None


@dataclass(frozen=True)
class Rescale:
    """x -> (x * m) >> s in units of 2^-frac output steps: one term of a requantized sum."""

    m: int
    s: int


def rescale(factor: float, frac: int) -> Rescale | None:
    """The term for a real ``factor`` (input scale / output scale), 15-bit multiplier; None when it does not fit."""
    for s in range(15, -1, -1):
        m = round(factor * 2.0 ** (frac + s))
        if abs(m) <= 2**15:
            return Rescale(m, s)
    return None


@dataclass(frozen=True)
class Sum:
    """Terms, constant and fractional bits of clamp((sum_i ((x_i * m_i) >> s_i) + c) >> frac)."""

    terms: tuple[Rescale, ...]
    c: int
    frac: int


def requantized_sum(factors: Sequence[float], zeros: Sequence[int], zero_point: int, constant: float = 0.0) -> Sum:
    """Integers for y = sum_i factor_i * (x_i - zeros_i) + constant + zero_point, all in output steps.

    ``c`` holds the rounding half, the zero points, and half a unit for each floor, which cancels their mean.
    The fractional bits are as many, up to 6, as leave every sum of int16 values inside 32 bits. Raises UnsupportedError
    when there is no such number: factors near 2^15.
    """
    for frac in range(6, -1, -1):
        terms = [rescale(f, frac) for f in factors]
        if all(t is not None for t in terms):
            known = [t for t in terms if t is not None]
            c = 2.0 ** (frac - 1) if frac else 0.0
            c += (zero_point + constant) * 2.0**frac
            c += sum(0.5 * (t.s > 0) - z * t.m / 2.0**t.s for t, z in zip(known, zeros, strict=True))
            if sum((abs(t.m) << 15) >> t.s for t in known) + abs(c) < INT32 - len(known):
                return Sum(tuple(known), round(c), frac)
    raise UnsupportedError(f"scales differ by more than a sum can take: factors {list(factors)}", hints=[EXTREME])
