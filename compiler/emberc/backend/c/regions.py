"""Several memories: arenas and constants each to the one where their accesses wait least (``memory.pools``).

The names that the C has for a memory: ``SPAM_IN_DTCM`` is the section attribute of what lies there, ``AT_DTCM`` a
pointer into its arena, ``dtcm`` the member of the struct of arenas that the caller fills.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emberc.backend.c.constants import ConstantArray, ConstantPool
from emberc.backend.c.context import at_macro
from emberc.backend.c.naming import c_identifier
from emberc.backend.c.program import Kernels, Program
from emberc.backend.c.traffic import Traffic, traffic_of
from emberc.backend.planning import ARENA_ALIGN, FunctionPlan
from emberc.memory import Access, Arena, Pool, Spread
from emberc.memory.pools import Item, assign, by_size
from emberc.targets import Region, Target


def spread_plan(plan: FunctionPlan, target: Target, pools: Sequence[Pool], rule: str) -> FunctionPlan:
    """``plan`` with an arena in each of ``pools``, on the kernels that ``target`` runs."""
    traffic = traffic_of(plan, Kernels(target.isa, plan.plain))
    return plan.spread(pools, traffic.values, traffic.scratch, rule)


@dataclass(frozen=True)
class Constants(Spread):
    """Constants over flash regions; ``waits_by_size`` is what they would wait placed by size alone."""

    waits_by_size: int


def place_constants(
    plan: FunctionPlan, program: Program, target: Target, pools: Sequence[Pool], rule: str
) -> Constants:
    """Gives every constant array of ``program`` one of the flash ``pools``: what is read most for its bytes where that
    waits least."""
    pool = program.pool
    traffic = traffic_of(plan, Kernels(target.isa, plan.plain))
    reads = _reads(pool, traffic)
    items = [
        Item(((0, 1, -(-array.text.nbytes // ARENA_ALIGN) * ARENA_ALIGN),), Access(reads[array.symbol]))
        for array in pool.arrays
    ]
    found = assign(items, pools)
    naive = by_size(items, pools)
    choice = naive if rule == "size" else found.pool_of
    pool.region_of = {array.symbol: pools[p].name for array, p in zip(pool.arrays, choice, strict=True)}
    sizes = [sum(i.size for i, q in zip(items, choice, strict=True) if q == p) for p in range(len(pools))]
    waits, by_size_waits = (
        sum(item.access.waits(pools[p]) for item, p in zip(items, some, strict=True)) for some in (choice, naive)
    )
    arenas = tuple(Arena(p, n, n) for p, n in zip(pools, sizes, strict=True))
    return Constants(arenas, waits, found.bound, by_size_waits)


def constants_json(found: Constants) -> dict[str, Any]:
    """What ``manifest.json`` says of them: bytes by region, waits of a run."""
    return {
        "regions": {arena.pool.name: arena.bytes for arena in found.arenas},
        "waits": found.waits,
        "waits_bound": found.waits_bound,
        "waits_by_size": found.waits_by_size,
    }


def _reads(pool: ConstantPool, traffic: Traffic) -> dict[str, int]:
    """Reads by symbol: an op's reads of weights go to its weight arrays by their bytes, a look-up to each table."""
    arrays: dict[int, list[ConstantArray]] = {}
    for array in pool.arrays:
        for user in pool.users[array.symbol]:
            arrays.setdefault(user, []).append(array)
    reads = {array.symbol: 0 for array in pool.arrays}
    for user, used in arrays.items():
        weights = sum(array.text.nbytes for array in used if array.kind == "weights")
        for array in used:
            if array.kind == "tables":
                reads[array.symbol] += traffic.lookups.get(user, 0)
            else:
                reads[array.symbol] += traffic.weights.get(user, 0) * array.text.nbytes // max(1, weights)
    return reads


@dataclass(frozen=True)
class RegionText:
    """A memory as the templates show it; ``bytes`` are those of its arena."""

    name: str
    field: str
    macro: str
    section: str
    bytes: int
    at: str
    used: bool


def ram_regions(plan: FunctionPlan, program: Program, target: Target, prefix: str) -> list[RegionText]:
    """The RAM regions of a target that has several, in its order; else nothing. All of them, used or not: what the
    caller writes for a board stays the same when the plan changes."""
    if plan.memory.spread is None:
        return []
    sizes = dict(plan.arenas)
    return [_text(r, prefix, sizes.get(r.name, 0), program.uses_arena(r.name)) for r in target.ram]


def flash_regions(pool: ConstantPool, target: Target, prefix: str) -> list[RegionText]:
    """The flash regions beside the linker's own that constants lie in."""
    used = set(pool.region_of.values())
    return [_text(r, prefix, 0, True) for r in target.flash if r.section and r.name in used]


def _text(region: Region, prefix: str, size: int, used: bool) -> RegionText:
    name = region.name
    macro = f"{prefix.upper()}_IN_{name.upper()}"
    return RegionText(name, c_identifier(name.lower()), macro, region.section, size, at_macro(name), used)


def section_rows(ram: Sequence[RegionText], flash: Sequence[RegionText]) -> list[list[str]]:
    """``manifest.json``'s sections: [section, kind of memory, region]."""
    rows = [[r.section, "ram", r.name] for r in ram if r.section]
    return rows + [[r.section, "flash", r.name] for r in flash]
