"""gamma and beta of q.layer_norm: from steps of y a standard deviation, and steps, to its integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emberc.ir.arithmetic import INT16_MAX, INT32_MAX, norm_frac, norm_gain
from emberc.ir.ops.integer_norm import NARROW_BETA, NARROW_SHIFT
from emberc.ir.types import DType

Reals = NDArray[np.float64]

FEWEST_BITS = 4
"""Fraction bits of a narrow beta below which the 32-bit form is noticeably more accurate: 0.1 dB at 3 bits."""


@dataclass(frozen=True)
class Gains:
    """gamma and beta [n] in ``dtype``, and the last shift."""

    gamma: Reals
    beta: Reals
    out_shift: int
    dtype: DType


def narrow_gains(g: Reals, b: Reals, *, center: bool, fewest_bits: int = FEWEST_BITS) -> Gains | None:
    """For int8 y, y = g * (x - mean) / sigma + b: the most fraction bits that 16 bits allow; None for fewer
    than ``fewest_bits`` >= 1.

    Without ``center`` the one rounding of a normalised element is down: beta takes back half a unit of it.
    """
    n = len(g)
    unit = g / norm_gain(n)
    b = b if center else b + unit / 2
    for shift in range(NARROW_SHIFT, fewest_bits - 1, -1):
        gamma, beta = np.rint(unit * 2.0 ** (15 + shift)), np.rint(b * 2.0**shift)
        if np.abs(gamma).max() <= INT16_MAX and np.abs(beta).max() <= NARROW_BETA:
            return Gains(gamma, beta, shift, DType.I16)
    return None


def wide_gains(g: Reals, b: Reals) -> Gains:
    """For int16 y: the most fraction bits, up to 8, with which gamma and every sum stay inside 32 bits."""
    frac = norm_frac(len(g))
    for shift in range(8, -1, -1):
        gamma = g * 2.0 ** (32 - frac + shift)
        largest = np.abs(gamma)
        if largest.max() < INT32_MAX and (largest / 15 + np.abs(b) * 2.0**shift).max() < 2**30:
            break
    return Gains(np.rint(gamma), np.rint((b + 0.5) * 2.0**shift), shift, DType.I32)
