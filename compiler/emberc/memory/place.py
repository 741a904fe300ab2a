"""The placement ladder: cheap rules first, stop at the first proof."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from emberc.memory.blocks import Packing
from emberc.memory.buffers import Buffer, Placement
from emberc.memory.climb import climb
from emberc.memory.exact import OutOfNodesError, Search, solve_with_restarts
from emberc.memory.greedy import greedy_placements

# Counted limits of one unit of effort, about a second each on a slow core. A first-fit trial of the climb
# costs in proportion to the pairs of blocks live together, a node of the search to the blocks.
_CLIMB_PAIRS = 500_000
_SEARCH_BLOCKS = 4_000_000
_FIRST_LOOK = 2_000


def place(
    buffers: Sequence[Buffer],
    tied: Sequence[Sequence[int]] = (),
    *,
    capacity: int | None = None,
    effort: int = 1,
) -> Placement:
    """Give every buffer an offset so that buffers live together never overlap, as low as can be found.

    ``tied`` are groups of indices of buffers that share one offset (in-place chains). The search stops at a
    proof, at ``capacity`` bytes when given, or at limits in proportion to ``effort``: counts, never time, so
    the same buffers always get the same offsets. Raises VerifyError for a buffer tied twice,
    one of no bytes tied, or a group that is not live in one stretch.
    """
    began = time.perf_counter()
    packing = Packing(buffers, tied)
    method, at, bound = _climb_ladder(packing, max(packing.bound, capacity or 0), effort)
    return Placement(packing.offsets(at), packing.height(at), bound, time.perf_counter() - began, method)


def _climb_ladder(packing: Packing, goal: int, effort: int) -> tuple[str, list[int], int]:
    """(method, offsets by block, proved lower bound)."""
    best: tuple[int, str, list[int], list[int]] | None = None
    for method, order, at in greedy_placements(packing):
        height = packing.height(at)
        if height <= goal:
            return method, at, packing.bound
        if best is None or height < best[0]:
            best = height, method, order, at
    assert best is not None, "there is a greedy rule"
    height, method, order, at = best

    search = Search(packing)
    nodes = effort * _SEARCH_BLOCKS // (len(packing.blocks) + 50)
    try:
        found = solve_with_restarts(search, goal, min(_FIRST_LOOK, nodes))
        if found is not None:
            return "search", found, packing.bound
    except OutOfNodesError:
        climbed = climb(packing, order, at, goal, effort * _CLIMB_PAIRS // (sum(map(len, packing.rivals)) + 1))
        if packing.height(climbed) < height:
            method, at = "hill climb", climbed
        if packing.height(at) <= goal:
            return method, at, packing.bound
    return _bisect(packing, search, goal, nodes, (method, at))


def _bisect(
    packing: Packing, search: Search, goal: int, nodes: int, known: tuple[str, list[int]]
) -> tuple[str, list[int], int]:
    """Search at the goal, and where that has no answer between it and the known height.

    A height proved impossible lifts the bound; one that ran out of nodes is only not tried again.
    """
    method, at = known
    unit = math.gcd(*(n for block in packing.blocks for n in (block.align, *(h for _, _, h in block.steps))))
    bound = tried = packing.bound
    height = goal
    while tried < packing.height(at):
        try:
            found = solve_with_restarts(search, height, nodes)
            if found is None:
                if bound == tried:
                    bound = height + unit
                tried = height + unit
            else:
                method, at = "search", found
        except OutOfNodesError:
            tried = height + unit
            nodes //= 2
        height = tried + (packing.height(at) - tried) // (2 * unit) * unit
    return method, at, min(bound, packing.height(at))
