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
#: rows whose candidates are tried together, 255 of each
CHUNK = 2048


class Grid(NamedTuple):
    """w = step * (q + center) with int8 q, for each row; ``step`` is 0 where there is no such grid.

    ``center`` is 0 wherever int8 holds w / step itself.
    """

    step: Reals
    center: Reals


def row_grids(w: Reals) -> Grid:
    """The grid of each row of ``w`` [M, K]. A row of zeros has none."""
    steps, centers = np.zeros(len(w)), np.zeros(len(w))
    for start in range(0, len(w), CHUNK):
        part = slice(start, start + CHUNK)
        steps[part], centers[part] = _grids(w[part])
    return Grid(steps, centers)


def _grids(w: Reals) -> tuple[Reals, Reals]:
    """Steps and centers of a few rows."""
    steps, centers = np.zeros(len(w)), np.zeros(len(w))
    top = np.abs(w).max(axis=1, initial=0.0)
    rows, counts = _candidates(w, top)
    while len(rows):
        likely, first = np.unique(rows, return_index=True)  # the smallest Q left of every row
        step = top[likely] / counts[first]
        q = w[likely] / step[:, None]
        low, high = np.rint(q.min(axis=1, initial=0.0)), np.rint(q.max(axis=1, initial=0.0))
        good = _integral(q) & (high - low <= 255)
        found = likely[good]
        steps[found] = step[good]
        centers[found] = np.where((low >= -128) & (high <= 127), 0.0, low + 128)[good]
        left = ~np.isin(rows, found)
        left[first] = False
        rows, counts = rows[left], counts[left]
    return steps, centers


def _candidates(w: Reals, top: Reals) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and their Q that make integers of a row's sample, by row and then by Q.

    One element of a row already rules out all but one Q in thousands, so all 255 are tried on one alone.
    """
    every = np.arange(1, 256)
    rows = np.nonzero(top > 0)[0]
    some = _largest(np.abs(w[rows]), SAMPLE)
    one = some[:, :1] / top[rows, None] * every
    row, q = np.nonzero(np.abs(one - np.rint(one)) < 2 * TOLERANCE)
    good = _integral(some[row] / (top[rows[row]] / every[q])[:, None])
    return rows[row[good]], every[q[good]]


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
