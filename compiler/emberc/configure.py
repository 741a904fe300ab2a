"""Which tiles and which kernels: a few configurations are planned, and the quickest that fits is kept.

Memory and time are traded against each other in four places: how many rows a tile has, whether attention runs by
query rows, whether its heads run one after the other, and whether fast kernels get the scratch that they want. None
changes a bit of any result, so the choice is free. A plan takes milliseconds: all of a short list are made, and their
instructions modelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from emberc.backend import FunctionPlan
from emberc.backend.c import modelled_instructions, plan_fast, plan_levels
from emberc.ir.clone import clone_module
from emberc.ir.graph import Module
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.row_tiles import RowTiles
from emberc.passes import PassManager, Pipeline, TileRows
from emberc.passes.widen_tiles import larger_tiles, with_rows
from emberc.report import Point, frontier
from emberc.targets import Target

BY_HEAD = tuple(TileRows(rows, queries=True, heads=True, recompute=True) for rows in (8, 4))
"""The tightest rewrites: for models with attention."""
TILES = (
    TileRows(0),
    *(TileRows(rows, queries) for queries in (False, True) for rows in (64, 32, 16, 8)),
    *BY_HEAD,
)
"""Rewrites to try, what keeps most whole first."""
FEW_TILES = (TileRows(32), TileRows(32, queries=True), TileRows(16, queries=True), TileRows(8, queries=True))
"""For graphs of more than ``MANY_OPS`` ops, whose plans take longer."""
MANY_OPS = 250
WIDE = 32
"""Tiles of so many rows are as quick as larger ones, to a percent."""
SAME_SPEED = 1.01
"""Differences below one percent are within the model's noise: there the smaller arena is taken."""


@dataclass(frozen=True)
class Candidate:
    """A module with its plan, and what the two cost."""

    module: Module
    plan: FunctionPlan
    point: Point


@dataclass(frozen=True)
class Candidates:
    """All that were tried, no two of them alike in arena and cost."""

    tried: Sequence[Candidate]

    def choose(self, prefer: str, arena_limit: int | None = None) -> Candidate:
        """The quickest whose arena is within the limit; the smallest if none is.

        Without a limit what ``prefer`` asks for: "speed" the quickest, "memory" the smallest, "balanced" that of the
        least product of both: a percent of time is worth a percent of memory. Whatever is asked for, what fits several
        memories comes before what does not.
        """
        least = min(c.point.excess for c in self.tried)
        tried = [c for c in self.tried if c.point.excess == least]
        if arena_limit is not None:
            fitting = [c for c in tried if c.plan.arena_bytes <= arena_limit]
            return _quickest(fitting) if fitting else self.choose("memory")
        if prefer == "speed":
            return _quickest(tried)
        if prefer == "memory":
            return min(tried, key=lambda c: (c.point.arena, c.point.cost))
        return min(tried, key=lambda c: (c.point.arena * c.point.cost, c.point.arena))

    def curve(self, chosen: Candidate) -> list[Point]:
        """The trade-off with the chosen point marked."""
        return frontier(replace(c.point, chosen=c is chosen) for c in self.tried)


def _quickest(candidates: Sequence[Candidate]) -> Candidate:
    least = min(c.point.cost for c in candidates)
    close = [c for c in candidates if c.point.cost <= least * SAME_SPEED]
    return min(close, key=lambda c: (c.point.arena, c.point.cost))


Split = Callable[[FunctionPlan], FunctionPlan]
"""What spreads a plan over the memories of a target that has several."""


def configure(
    module: Module, target: Target, tiles: Sequence[TileRows] | None = None, split: Split | None = None
) -> Candidates:
    """Plans the integer ``module`` in every configuration of ``tiles`` (None: those that suit its size).

    ``split`` spreads each plan over several memories. ``module`` stays as it is. Raises UnsupportedError that lists all
    ops without emitter.
    """
    if tiles is None:
        tiles = FEW_TILES if sum(1 for _ in module.ops()) > MANY_OPS else TILES
        if not any(isinstance(op, Attention) for op in module.ops()):
            tiles = [tile for tile in tiles if not tile.queries]
    found: dict[tuple[int, int], Candidate] = {}
    for candidate in _all(module, target, tiles, split):
        # Equal in both: the first, which is the simplest.
        found.setdefault((candidate.point.arena, candidate.point.cost), candidate)
    return Candidates(list(found.values()))


def as_given(module: Module, target: Target, prefer: str, split: Split | None = None) -> Candidates:
    """The module as it is, with the kernels that ``prefer`` asks for."""
    plan = plan_levels(module.main, target)[prefer]
    plan = split(plan) if split else plan
    return Candidates([Candidate(module, plan, _point(plan, target, TileRows(0), prefer))])


def _all(module: Module, target: Target, tiles: Sequence[TileRows], split: Split | None) -> Iterator[Candidate]:
    for tile in tiles:
        copy = clone_module(module)
        PassManager(Pipeline([tile])).run(copy)
        for prefer, whole in plan_levels(copy.main, target).items():
            plan = split(whole) if split else whole
            yield Candidate(copy, plan, _point(plan, target, tile, prefer))
            if prefer == "speed" and tile.queries and tile.rows < WIDE:
                yield from _widened(copy, whole, target, tile, split)


def _widened(
    module: Module, plan: FunctionPlan, target: Target, tile: TileRows, split: Split | None
) -> Iterator[Candidate]:
    """The module with larger tiles in those loops that have room for them, where the arena stays as it is.

    One loop is at the peak; the tiles of all others were made as small as its are for nothing.
    """
    wide = clone_module(module)
    changed = False
    for op, call in zip(module.main.ops, wide.main.ops, strict=True):
        if type(call) is not RowTiles:
            continue
        room = plan.room(op)
        for rows in larger_tiles(call, WIDE):
            body = with_rows(call, rows)
            if plan_fast(body, target).arena_bytes <= room:
                wide.functions[call.body] = call.callee = body
                call.attrs["rows"] = rows
                changed = True
                break
    if changed and (better := plan_fast(wide.main, target)).arena_bytes <= plan.arena_bytes:
        better = split(better) if split else better
        yield Candidate(wide, better, _point(better, target, tile, "speed"))


def _point(plan: FunctionPlan, target: Target, tile: TileRows, prefer: str) -> Point:
    instructions, found = modelled_instructions(plan, target.isa), plan.memory.spread
    rows = [op.rows for op in plan.ops if isinstance(op, RowTiles)]
    return Point(
        plan.arena_bytes, instructions, min(rows, default=0), tile.queries, prefer,
        most=max(rows, default=0), heads=tile.heads,
        waits=found.waits if found else 0, excess=found.excess if found else 0,
    )  # fmt: skip
