"""The curves of a causal convolution's SiLU: channels whose results reach equally far share a table.

What the convolution gives is read by products and the scan, which take a scale for every channel at no cost. Channels
differ by several octaves, and the small ones count as much: one scale for all left 30.0 dB at the outputs of a model
with four layers of 256 channels (28.1 with Mamba-2), two curves an octave leave 35.0 (34.5), a scale for each 36.5
(35.7). A multiplier a channel would cost three instructions a result; which curve a channel reads costs none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emberc.ir.ops.float_unary import sigmoid
from emberc.ir.types import Array, DType, Quant
from emberc.quant.grid import Reals

#: entries of a curve: with a range of its own each, what rounding to an index leaves is a twelfth of int8's noise
LEVELS = 2048
#: the calibrated range of a curve's sums grows by this share less one on both sides
ROOM = 1.25
#: curves an octave, and at most; each needs so many channels: 64 bytes a channel
DENSITY, CURVES, CHANNELS = 2.0, 8, 32
#: octaves below the largest channel at which the scales end
OCTAVES = 6.0


@dataclass(frozen=True)
class SiluCurves:
    """``table`` int8 [curves, LEVELS]; index i of curve k stands for the sum (i - zero[k]) * step[k]; ``channel`` [D]:
    the curve of each channel."""

    table: Array
    step: Reals
    zero: Reals
    channel: Array


def curve_scales(lo: Reals, hi: Reals, room: float) -> Quant:
    """A scale for every channel, few different ones, and the zero point that leaves least noise in all of them.

    lo, hi [D]: range of the sums before SiLU; ``room``: how many times as far from its middle other sums may lie. (Of
    the results that would say too little: what SiLU makes of negative sums is small, until one is positive.)
    """
    more = (room - 1) * (hi - lo)
    least, most = silu_range(lo - more, hi + more)
    top = np.maximum(np.maximum(most, -least), 1e-6)
    octaves = np.minimum(np.log2(top.max() / top), OCTAVES)
    spread = float(octaves.max())
    count = int(min(CURVES, max(1, len(top) // CHANNELS), max(1, np.ceil(DENSITY * spread))))
    part = np.minimum(octaves * count / max(spread, 1e-6), count - 1).astype(np.int64)
    for k in range(count):
        if (part == k).any():
            least[part == k], most[part == k] = least[part == k].min(), most[part == k].max()
    smallest = top.max() * 2.0**-OCTAVES
    zeros = np.arange(-127, 127)[:, None]
    scales = np.maximum(np.maximum(most, smallest) / (127 - zeros), -least / (zeros + 128))
    best = int((scales**2).sum(axis=1).argmin())
    return Quant(tuple(scales[best]), int(zeros[best, 0]), axis=None)


def silu_range(lo: Reals, hi: Reals) -> tuple[Reals, Reals]:
    """The ends of SiLU over [lo, hi] with lo <= 0 <= hi: it falls to -0.278 at -1.278 and rises on both sides."""
    lowest = np.maximum(lo, -1.2784645)
    return lowest * sigmoid(lowest), hi * sigmoid(hi)


def silu_curves(y: Quant, lo: Reals, hi: Reals) -> SiluCurves:
    """The tables for results under ``y``, one scale or one a channel; lo, hi [D] as in ``curve_scales``."""
    scales, channel = np.unique(np.broadcast_to(np.asarray(y.scale), lo.shape), return_inverse=True)
    channel = channel.reshape(-1)
    tables, steps, zeros = [], [], []
    for k, scale in enumerate(scales):
        low, high = float(lo[channel == k].min()), float(hi[channel == k].max())
        low, high = high - ROOM * (high - low), low + ROOM * (high - low)
        step = max(high - low, 1e-6) / (LEVELS - 1)
        zero = round(-low / step)
        x = (np.arange(LEVELS) - zero) * step
        tables.append(Quant.per_tensor(float(scale), y.zero_point).quantize(x * sigmoid(x), DType.I8))
        steps.append(step)
        zeros.append(float(zero))
    return SiluCurves(np.stack(tables), np.array(steps), np.array(zeros), channel)
