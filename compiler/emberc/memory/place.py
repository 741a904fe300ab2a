"""The placement ladder: cheap rules first, stop at the first proof."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from emberc.memory.blocks import Packing
from emberc.memory.buffers import Buffer, Placement
from emberc.memory.climb import climb
from emberc.memory.exact import OutOfNodesError, Search, node_cost, solve_with_restarts
from emberc.memory.greedy import greedy_placements
from emberc.memory.merging import solve_merged

# Counted limits of one unit of effort, together about a second. A first-fit trial of the climb costs in
# proportion to the pairs of blocks live together, a node of the search to the blocks.
_CLIMB_PAIRS = 300_000
_SEARCH_BLOCKS = 1_500_000
_FIRST_LOOK = 300


def place(
    buffers: Sequence[Buffer],
    tied: Sequence[Sequence[int]] = (),
    *,
    capacity: int | None = None,
    effort: int = 1,
) -> Placement:
    """Give every buffer an offset so that buffers live together never overlap, as low as can be found.

    ``tied`` are groups of indices of buffers that share one offset (in-place chains). The search stops at a
    proof, at ``capacity`` bytes when given, or at limits in proportion to ``effort`` (about seconds; 0 is a
    first look): counts, never time, so the same buffers always get the same offsets.

    Raises VerifyError for a buffer tied twice, one of no bytes tied, or a group not live in one stretch.
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

    search = Search(packing.blocks)
    budget = effort * _SEARCH_BLOCKS // node_cost(len(packing.blocks))
    try:
        found = solve_with_restarts(search, goal, _FIRST_LOOK * (1 + effort))
        if found is not None:
            return "search", found, packing.bound
    except OutOfNodesError:
        found = solve_merged(packing.blocks, goal, _FIRST_LOOK * (1 + effort)) if effort else None
        if found is not None:
            return "merged", found, packing.bound
        rounds = min(effort, 2) * _CLIMB_PAIRS // (packing.pairs + 1)
        climbed = climb(packing, order, at, goal, rounds)
        if packing.height(climbed) < height:
            method, at = "hill climb", climbed
        if packing.height(at) <= goal:
            return method, at, packing.bound
    return _close_in(packing, search, goal, budget, (method, at))


def _close_in(
    packing: Packing, search: Search, goal: int, budget: int, known: tuple[str, list[int]]
) -> tuple[str, list[int], int]:
    """Search at the goal, then by bisection between it and the known height, ``budget`` nodes in all.

    A height proved impossible lifts the bound; one that ran out of nodes is only not tried again.
    """
    method, at = known
    unit = math.gcd(*(n for block in packing.blocks for n in (block.align, *(h for _, _, h in block.steps))))
    bound = lowest = packing.bound
    height = goal
    while lowest < packing.height(at) and search.spent < budget:
        # Most of what is left goes to each height: a low one is worth more than several middling ones.
        nodes = max((budget - search.spent) * 2 // 3, _FIRST_LOOK)
        try:
            found = solve_with_restarts(search, height, nodes)
            if found is not None:
                method, at = "search", found
            elif bound == lowest:
                bound = lowest = height + unit
            else:
                lowest = height + unit
        except OutOfNodesError:
            lowest = height + unit
        height = lowest + (packing.height(at) - lowest) // (2 * unit) * unit
    return method, at, min(bound, packing.height(at))
