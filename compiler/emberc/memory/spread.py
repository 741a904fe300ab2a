"""A plan of one arena, spread over several memories: one arena each, the order and the in-place writes as they are.

A tensor and what is written over it lie in one pool; so does the scratch of a node as a whole, the arena of a loop
included. ``pools.assign`` chooses, and each pool is then placed like an arena of its own, with its own lower bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from emberc.memory.blocks import Packing
from emberc.memory.buffers import Buffer
from emberc.memory.place import place
from emberc.memory.plan import Plan, Region
from emberc.memory.pools import Access, Arena, Item, Pool, Spread, assign, by_size, least_waits

HOT, SIZE = "hot", "size"
PLACEMENTS = (HOT, SIZE)
"""What decides on a pool: the accesses that kernels make, or size alone (to compare with)."""

# How often a pool is filled less full when its buffers could not be placed within its capacity.
_TRIES = 6


def spread(plan: Plan, pools: Sequence[Pool], access: Mapping[str, Access], rule: str = HOT) -> Plan:
    """``plan`` over ``pools``; ``access`` counts accesses by tensor (no views) and, for scratch, by node name.

    ``rule`` "hot": where accesses wait least; "size": largest first into the first pool with room. What fits nowhere
    lies in the slowest pool beyond its capacity: ``Spread.excess`` says by how much. Deterministic.
    """
    problem = _Problem.of(plan, access)
    limits = [pool.capacity for pool in pools]
    for _ in range(_TRIES):
        choice = by_size(problem.items, pools) if rule == SIZE else list(assign(problem.items, pools, limits).pool_of)
        arenas, places = problem.placed(choice, pools)
        gaps = [a.bytes - a.pool.capacity if a.bound <= a.pool.capacity else 0 for a in arenas]
        if rule == SIZE or max(gaps) <= 0:
            break
        # Gaps that placement could not close: leave that much room for them.
        limits = [limit - max(0, gap) for limit, gap in zip(limits, gaps, strict=True)]
    waits = sum(item.access.waits(pools[p]) for item, p in zip(problem.items, choice, strict=True))
    bound = least_waits(problem.items, pools)
    return _rewritten(plan, places, access, Spread(tuple(arenas), waits, bound), rule)


@dataclass(frozen=True)
class _Problem:
    """The buffers of a plan, and the items that they make: what is tied to one offset is one item."""

    buffers: Sequence[Buffer]
    tied: Sequence[Sequence[int]]
    items: Sequence[Item]
    item_of: Sequence[int | None]

    @staticmethod
    def of(plan: Plan, access: Mapping[str, Access]) -> _Problem:
        buffers = [
            Buffer(name, region.size, region.start, region.end, plan.align)
            for name, region in [*((n, plan.tensors[n]) for n in plan.graph.storage), *plan.scratch.items()]
        ]
        number = {name: i for i, name in enumerate(plan.graph.storage)}
        tied = [[number[name] for name in group] for group in plan.alias_groups]
        packing = Packing(buffers, tied)
        totals = [Access() for _ in packing.blocks]
        for buffer, block in zip(buffers, packing.block_of, strict=True):
            if block is not None:
                totals[block] += access.get(buffer.name, Access())
        items = [Item(block.steps, total) for block, total in zip(packing.blocks, totals, strict=True)]
        return _Problem(buffers, tied, items, packing.block_of)

    def placed(self, choice: Sequence[int], pools: Sequence[Pool]) -> tuple[list[Arena], list[tuple[str, int]]]:
        """The arena of each pool, and (pool, offset) of each buffer; an empty buffer lies in the first pool."""
        pool_of = [0 if item is None else choice[item] for item in self.item_of]
        places = [("", 0)] * len(self.buffers)
        arenas: list[Arena] = []
        for p, pool in enumerate(pools):
            members = [i for i, q in enumerate(pool_of) if q == p]
            at = {i: k for k, i in enumerate(members)}
            tied = [[at[i] for i in group] for group in self.tied if group[0] in at]
            found = place([self.buffers[i] for i in members], tied, effort=0)
            if found.bound <= pool.capacity < found.height:
                found = place([self.buffers[i] for i in members], tied, capacity=pool.capacity)
            arenas.append(Arena(pool, found.height, found.bound))
            for i, offset in zip(members, found.offsets, strict=True):
                places[i] = pool.name, offset
        return arenas, places


def _rewritten(
    plan: Plan, places: Sequence[tuple[str, int]], access: Mapping[str, Access], found: Spread, rule: str
) -> Plan:
    """``plan`` with its buffers at their new places; views lie inside their bases as before."""
    where = dict(zip([*plan.graph.storage, *plan.scratch], places, strict=True))
    tensors: dict[str, Region] = {}
    for name, region in plan.tensors.items():
        base, inside = plan.graph.home[name]
        pool, offset = where[base]
        tensors[name] = replace(region, offset=offset + inside, pool=pool, access=access.get(name, Access()))
    scratch = {
        name: replace(region, offset=where[name][1], pool=where[name][0], access=access.get(name, Access()))
        for name, region in plan.scratch.items()
    }
    method = f"{plan.method}; pools: {rule}"
    total = sum(arena.bytes for arena in found.arenas)
    return replace(plan, tensors=tensors, scratch=scratch, arena=total, method=method, spread=found)


@dataclass(frozen=True)
class Peak:
    """The step in which most is live in one pool: ``bytes`` of ``names``, scratch by its node's name."""

    node: str
    bytes: int
    names: tuple[str, ...]


def peak(plan: Plan, pool: str) -> Peak | None:
    """Where the arena in ``pool`` is fullest; None if nothing lies there."""
    regions = [(name, plan.tensors[name]) for name in plan.graph.storage] + list(plan.scratch.items())
    here = [(name, region) for name, region in regions if region.pool == pool and region.size]
    if not here or not plan.order:
        return None

    def live(step: int) -> list[tuple[str, Region]]:
        return [(name, region) for name, region in here if region.start <= step < region.end]

    def top(step: int) -> int:
        return max((region.offset + region.size for _, region in live(step)), default=0)

    step = max(range(len(plan.order)), key=lambda step: (top(step), -step))
    return Peak(plan.order[step], top(step), tuple(name for name, _ in live(step)))
