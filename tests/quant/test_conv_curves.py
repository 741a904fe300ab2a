"""Curves of a causal convolution's SiLU: their scales, their tables, and what they gain at the results."""

from __future__ import annotations

import numpy as np
import pytest

from emberc.ir.types import Quant
from emberc.quant.conv_curves import CHANNELS, CURVES, LEVELS, curve_scales, silu_curves, silu_range


def silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))


def ranges(channels: int, octaves: float) -> tuple[np.ndarray, np.ndarray]:
    """Sums that reach as far as 8 at most, and ``octaves`` less at least."""
    top = 8 * 2.0 ** -np.random.default_rng(1).permutation(np.linspace(0, octaves, channels))
    return -top, top


def test_range_of_silu() -> None:
    lo, hi = np.array([-9.0, -1.0, -1.2, 0.0]), np.array([0.0, 1.0, 7.0, 0.5])
    least, most = silu_range(lo, hi)
    for k in range(4):
        y = silu(np.linspace(lo[k], hi[k], 100001))
        np.testing.assert_allclose([least[k], most[k]], [y.min(), y.max()], atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3, 17, 129, 256])
@pytest.mark.parametrize("octaves", [0.0, 1.0, 4.0, 20.0])
def test_every_channel_fits_its_scale(channels: int, octaves: float) -> None:
    lo, hi = ranges(channels, octaves)
    quant = curve_scales(lo, hi, room=1.2)
    least, most = silu_range(lo, hi)
    scales = np.array(quant.scale)
    assert (most <= 1.0001 * scales * (127 - quant.zero_point)).all()
    assert (-least <= 1.0001 * scales * (quant.zero_point + 128)).all()
    assert len(np.unique(scales)) <= min(CURVES, max(1, channels // CHANNELS))
    if octaves == 0:
        assert len(np.unique(scales)) == 1


def test_tables_are_silu_within_a_step() -> None:
    lo, hi = ranges(129, 4.0)
    quant = curve_scales(lo, hi, room=1.0)
    curves = silu_curves(quant, lo, hi)
    assert curves.table.shape == (len(np.unique(quant.scale)), LEVELS)
    for d in range(0, 129, 16):
        k = curves.channel[d]
        x = np.linspace(lo[d], hi[d], 997)
        index = np.clip(np.rint(x / curves.step[k] + curves.zero[k]), 0, LEVELS - 1).astype(int)
        y = quant.scale[d] * (curves.table[k, index].astype(float) - quant.zero_point)
        assert np.abs(y - silu(x)).max() <= 0.5001 * quant.scale[d] + 0.56 * curves.step[k]


def test_one_scale_is_one_curve() -> None:
    lo, hi = ranges(40, 3.0)
    assert silu_curves(Quant.per_tensor(0.05, -100), lo, hi).table.shape == (1, LEVELS)


def test_small_channels_keep_their_bits() -> None:
    """4 octaves: noise to signal of the smallest channels within 18 dB of the largest's; one scale leaves 28."""
    lo, hi = ranges(128, 4.0)
    steps = np.array(curve_scales(lo, hi, room=1.0).scale) / silu_range(lo, hi)[1]
    assert 20 * np.log10(steps.max() / steps.min()) <= 18
