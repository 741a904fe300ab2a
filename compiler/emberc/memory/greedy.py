"""Placing blocks one after the other: first fit, best fit, and the orders worth trying."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from emberc.memory.blocks import Block, Packing
from emberc.memory.buffers import round_up

UNPLACED = -1


def first_fit(packing: Packing, order: Sequence[int]) -> list[int]:
    """The offsets when each block in turn takes the lowest place that is free (bytes)."""
    at = [UNPLACED] * len(packing.blocks)
    for k in order:
        spans = sorted((at[j] - below, at[j] + above) for j, below, above in packing.rivals[k] if at[j] >= 0)
        align = packing.blocks[k].align
        lowest = 0
        for low, high in spans:
            if low >= lowest:
                break
            if high > lowest:
                lowest = -(-high // align) * align
        at[k] = lowest
    return at


def best_fit(packing: Packing, order: Sequence[int]) -> list[int]:
    """The offsets when each block in turn takes the tightest gap between blocks already placed (bytes)."""
    at = [UNPLACED] * len(packing.blocks)
    for k in order:
        spans = sorted((at[j] - below, at[j] + above) for j, below, above in packing.rivals[k] if at[j] >= 0)
        align = packing.blocks[k].align
        free, tightest, best = 0, None, UNPLACED
        for low, high in spans:
            room = low - free
            if room >= 0 and (tightest is None or room < tightest):
                tightest, best = room, free
            free = max(free, round_up(high, align))
        at[k] = free if tightest is None else best
    return at


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
