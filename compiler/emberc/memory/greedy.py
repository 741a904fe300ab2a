"""Placing blocks one after the other: first fit, best fit, and the orders worth trying."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from emberc.memory.blocks import Block, Packing

UNPLACED = -1
# Rivals of a block from which arrays are quicker than lists.
_CROWDED = 48


class _Placed:
    """The blocks placed so far: ``at`` has their offsets (bytes), ``taken`` what they leave to another one."""

    def __init__(self, packing: Packing) -> None:
        self.at = [UNPLACED] * len(packing.blocks)
        self._rivals = packing.rivals
        self._crowded = packing.rival_arrays if packing.pairs > _CROWDED * len(packing.blocks) else None
        self._at = np.array(self.at, dtype=np.int64)

    def put(self, k: int, offset: int) -> None:
        self.at[k] = self._at[k] = offset

    def taken(self, k: int) -> list[tuple[int, int]]:
        """The open intervals in which block k may not lie, lowest first."""
        if self._crowded is None:
            at = self.at
            return sorted((at[j] - below, at[j] + above) for j, below, above in self._rivals[k] if at[j] >= 0)
        rival, below, above = self._crowded[k]
        at_rival = self._at[rival]
        placed = at_rival >= 0
        low, high = (at_rival - below)[placed], (at_rival + above)[placed]
        rank = np.argsort(low)
        return list(zip(low[rank].tolist(), high[rank].tolist(), strict=True))


def first_fit(packing: Packing, order: Sequence[int]) -> list[int]:
    """The offsets when each block in turn takes the lowest place that is free (bytes)."""
    placed = _Placed(packing)
    for k in order:
        align = packing.blocks[k].align
        lowest = 0
        for low, high in placed.taken(k):
            if low >= lowest:
                break
            if high > lowest:
                lowest = -(-high // align) * align
        placed.put(k, lowest)
    return placed.at


def best_fit(packing: Packing, order: Sequence[int]) -> list[int]:
    """The offsets when each block in turn takes the tightest gap between blocks already placed (bytes)."""
    placed = _Placed(packing)
    for k in order:
        align = packing.blocks[k].align
        free, tightest, best = 0, None, UNPLACED
        for low, high in placed.taken(k):
            room = low - free
            if room >= 0 and (tightest is None or room < tightest):
                tightest, best = room, free
            if high > free:
                free = -(-high // align) * align
        placed.put(k, free if tightest is None else best)
    return placed.at


_KEYS: dict[str, Callable[[Block], tuple[int, ...]]] = {
    "size": lambda b: (-b.height, -(b.end - b.start), b.start),
    "area": lambda b: (-b.area, b.start),
    "lifetime": lambda b: (-(b.end - b.start), -b.height, b.start),
    "start": lambda b: (b.start, -b.height, -b.end),
    "end": lambda b: (-b.end, -b.height, b.start),
}
_FITS = {"first-fit": first_fit, "best-fit": best_fit}


def greedy_orders(packing: Packing) -> Iterator[tuple[str, list[int]]]:
    """The orders worth trying, by name; ties go to the block given first."""
    for name, key in _KEYS.items():
        yield name, sorted(range(len(packing.blocks)), key=lambda k: key(packing.blocks[k]))


def greedy_placements(packing: Packing) -> Iterator[tuple[str, list[int], list[int]]]:
    """``(method, order, offsets)`` of every greedy rule, best known first."""
    for fit_name, fit in _FITS.items():
        for name, order in greedy_orders(packing):
            yield f"{fit_name} by {name}", order, fit(packing, order)
