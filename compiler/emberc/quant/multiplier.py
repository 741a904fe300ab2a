"""From real factors to the integers of the requantization, with the proof that nothing overflows.

requantize(acc, m, shift, zp) = ((acc << shift) * m + (zp << 32) + 2^31) >> 32
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emberc.errors import InternalError

INT32 = 2**31


@dataclass(frozen=True)
class Multiplier:
    """``m`` (int32, one per channel) and the common left ``shift`` of the accumulator."""

    m: NDArray[np.int32]
    shift: int


def multiplier(factors: float | Sequence[float] | NDArray[np.float64], bound: int, *, at: str = "") -> Multiplier:
    """The integers for acc * factor, where |acc| <= ``bound``.

    The shift is the smallest that brings every multiplier below 2^31; it is negative when the accumulator itself
    does not fit 32 bits. Raises InternalError when no shift does both: the output's scale is then finer than 32
    bits can tell, which no calibrated range leads to.
    """
    real = np.atleast_1d(np.asarray(factors, np.float64))
    if not np.isfinite(real).all():
        raise InternalError(f"factors {real} are not finite", at=at)
    shift = -max(0, bound.bit_length() - 31)
    while np.rint(np.abs(real) * 2.0 ** (32 - shift)).max(initial=0.0) >= INT32:
        shift += 1
    if (bound << shift if shift >= 0 else bound >> -shift) >= INT32:
        raise InternalError(f"accumulator {bound} << {shift} exceeds 32 bits", at=at)
    return Multiplier(np.rint(real * 2.0 ** (32 - shift)).astype(np.int32), shift)


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
    The fractional bits are as many, up to 6, as leave every sum of int16 values inside 32 bits. Raises InternalError
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
    raise InternalError(f"scales differ by more than a sum can take: factors {list(factors)}")
