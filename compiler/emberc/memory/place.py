"""The placement ladder: cheap rules first, stop at the first proof."""

from __future__ import annotations

import time
from collections.abc import Sequence

from emberc.memory.blocks import Packing
from emberc.memory.buffers import Buffer, Placement
from emberc.memory.climb import climb
from emberc.memory.greedy import greedy_placements

# First-fit trials of the climb are dear in proportion to the pairs of blocks live together.
_CLIMB_WORK = 1_500_000


def place(buffers: Sequence[Buffer], tied: Sequence[Sequence[int]] = (), *, target: int | None = None) -> Placement:
    """Give every buffer an offset so that buffers live together never overlap, as low as can be found.

    ``tied`` are groups of indices of buffers that share one offset (in-place chains). The search stops at
    ``target`` bytes when given, else only at a proof or at its counted limits: the answer never depends on
    the clock. Raises VerifyError for a buffer tied twice.
    """
    began = time.perf_counter()
    packing = Packing(buffers, tied)
    goal = max(packing.bound, target or 0)

    def done(at: list[int], method: str) -> Placement:
        offsets = tuple(at[k] for k in packing.block_of)
        return Placement(offsets, packing.height(at), packing.bound, time.perf_counter() - began, method)

    tried = []
    for method, order, at in greedy_placements(packing):
        if packing.height(at) <= goal:
            return done(at, method)
        tried.append((packing.height(at), method, order, at))
    height, method, order, at = min(tried, key=lambda t: t[0])
    pairs = sum(map(len, packing.rivals)) + len(packing.blocks)
    climbed = climb(packing, order, at, goal, _CLIMB_WORK // pairs)
    if packing.height(climbed) < height:
        return done(climbed, "hill climb")
    return done(at, method)
