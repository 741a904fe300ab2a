"""Strided loops: how a movement or a broadcast is told to a kernel with a fixed number of nested loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from emberc.errors import UnsupportedError


def row_major(shape: Sequence[int]) -> list[int]:
    """Elements from one index to the next, per axis."""
    return [prod(shape[i + 1 :]) for i in range(len(shape))]


def broadcast_strides(shape: Sequence[int], to: Sequence[int]) -> list[int]:
    """Strides of a tensor of ``shape`` read as one of shape ``to``: 0 along axes that it repeats."""
    own = [0 if n == 1 else s for n, s in zip(shape, row_major(shape), strict=True)]
    return [0] * (len(to) - len(shape)) + own


@dataclass(frozen=True)
class Loops:
    """Nested loops over ``dims``; ``strides[k]`` are tensor k's, in elements."""

    dims: list[int]
    strides: list[list[int]]

    def merged(self) -> Loops:
        """The same walk with as few loops as can be: axes of size 1 go, neighbours that one stride covers join."""
        dims: list[int] = []
        columns: list[list[int]] = [[] for _ in self.strides]
        for axis, n in enumerate(self.dims):
            if n == 1:
                continue
            here = [s[axis] for s in self.strides]
            if dims and all(column[-1] == s * n for column, s in zip(columns, here, strict=True)):
                dims[-1] *= n
                for column, s in zip(columns, here, strict=True):
                    column[-1] = s
                continue
            dims.append(n)
            for column, s in zip(columns, here, strict=True):
                column.append(s)
        return Loops(dims, columns)

    def padded(self, depth: int, loc: str) -> Loops:
        """Merged and filled up to ``depth`` loops with leading ones. Raises UnsupportedError if that is too few."""
        least = self.merged()
        missing = depth - len(least.dims)
        if missing < 0:
            raise UnsupportedError(f"needs {len(least.dims)} nested loops, the kernel has {depth}", at=loc)
        return Loops([1] * missing + least.dims, [[0] * missing + s for s in least.strides])
