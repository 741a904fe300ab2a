"""Finding the 8-bit grid that weights already lie on.

Weights of a quantized model reach the lowerings as reals: transposed, laid side by side, cut, scaled by a gain. The
integers of the file are still in them: if w = s * q for integers q, then s is max|w| / Q for one Q of 1 .. 255. The
smallest Q that makes every w / s an integer gives them back; for arbitrary reals none does, and nothing is changed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

#: how far from an integer w / s may be: float32 has rounded s * q, and a folded gain has rounded it again
TOLERANCE = 1e-4
#: elements of a channel that are looked at first; a wrong Q passes by chance with probability (2 * TOLERANCE)^15
SAMPLE = 16


class Grid(NamedTuple):
    """w = step * (q + center) with int8 q, for each row; ``step`` is 0 where there is no such grid.

    ``center`` is 0 wherever int8 holds w / step itself.
    """

    step: Reals
    center: Reals


def row_grids(w: Reals) -> Grid:
    """The grid of each row of ``w`` [M, K]. A row of zeros has none."""
    steps, centers = np.zeros(len(w)), np.zeros(len(w))
    top = np.abs(w).max(axis=1, initial=0.0)
    some = _largest(np.abs(w), SAMPLE)
    rows = np.nonzero(top > 0)[0]
    for count in range(1, 256):
        if not len(rows):
            break
        likely = rows[_integral(some[rows] / (top[rows] / count)[:, None])]
        q = w[likely] / (top[likely] / count)[:, None]
        low, high = np.rint(q.min(axis=1, initial=0.0)), np.rint(q.max(axis=1, initial=0.0))
        good = _integral(q) & (high - low <= 255)
        found = likely[good]
        steps[found] = top[found] / count
        centers[found] = np.where((low >= -128) & (high <= 127), 0.0, low + 128)[good]
        rows = np.setdiff1d(rows, found, assume_unique=True)
    return Grid(steps, centers)


def symmetric_steps(w: Reals) -> Reals:
    """The step of each row of ``w`` [M, K] that is int8 multiples of one; 0 for the other rows."""
    grid = row_grids(w)
    return np.where(grid.center == 0, grid.step, 0.0)


def tensor_grid(a: Reals) -> tuple[float, int] | None:
    """Step and center of all of ``a`` together, None where it has none."""
    grid = row_grids(a.reshape(1, -1))
    return (float(grid.step[0]), int(grid.center[0])) if grid.step[0] else None


def _largest(a: Reals, count: int) -> Reals:
    return a if a.shape[1] <= count else np.partition(a, a.shape[1] - count, axis=1)[:, -count:]


def _integral(q: Reals) -> NDArray[np.bool_]:
    """Which rows hold integers only."""
    return np.asarray((np.abs(q - np.rint(q)) < TOLERANCE).all(axis=1))
