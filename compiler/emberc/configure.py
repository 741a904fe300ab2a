"""Which tiles and which kernels: a few configurations are planned, and the quickest that fits is kept.

Memory and time are traded against each other in three places: how many rows a tile has, whether attention runs by
query rows, and whether fast kernels get the scratch that they want. None changes a bit of any result, so the choice is
free. A plan takes milliseconds: all of a short list are made, and their instructions modelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from emberc.backend import FunctionPlan
from emberc.backend.c import modelled_instructions, plan_levels
from emberc.ir.clone import clone_module
from emberc.ir.graph import Module
from emberc.passes import PassManager, Pipeline, TileRows
from emberc.report import Point, frontier
from emberc.targets import Target

TILES = (
    TileRows(0),
    *(TileRows(rows, queries) for queries in (False, True) for rows in (64, 32, 16, 8)),
)
"""Rewrites to try, what keeps most whole first."""
FEW_TILES = (TileRows(32), TileRows(32, queries=True), TileRows(16, queries=True), TileRows(8, queries=True))
"""For graphs of more than ``MANY_OPS`` ops, whose plans take longer."""
MANY_OPS = 250
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
    """All that were tried; ``tile`` is the pass that a pipeline ends with."""

    tried: Sequence[Candidate]

    def choose(self, prefer: str, arena_limit: int | None = None) -> Candidate:
        """The quickest whose arena is within the limit; the smallest if none is.

        Without a limit what ``prefer`` asks for: "speed" the quickest, "memory" the smallest, "balanced" that of the
        least product of both: a percent of time is worth a percent of memory.
        """
        if arena_limit is not None:
            fitting = [c for c in self.tried if c.plan.arena_bytes <= arena_limit]
            return _quickest(fitting) if fitting else self.choose("memory")
        if prefer == "speed":
            return _quickest(self.tried)
        if prefer == "memory":
            return min(self.tried, key=lambda c: (c.point.arena, c.point.instructions))
        return min(self.tried, key=lambda c: (c.point.arena * c.point.instructions, c.point.arena))

    def curve(self, chosen: Candidate) -> list[Point]:
        """The trade-off with the chosen point marked."""
        return frontier(replace(c.point, chosen=c is chosen) for c in self.tried)


def _quickest(candidates: Sequence[Candidate]) -> Candidate:
    least = min(c.point.instructions for c in candidates)
    close = [c for c in candidates if c.point.instructions <= least * SAME_SPEED]
    return min(close, key=lambda c: (c.point.arena, c.point.instructions))


def configure(module: Module, target: Target, tiles: Sequence[TileRows] | None = None) -> Candidates:
    """Plans the integer ``module`` in every configuration of ``tiles`` (None: those that suit its size).

    ``module`` stays as it is. Raises UnsupportedError that lists all ops without emitter.
    """
    if tiles is None:
        tiles = FEW_TILES if sum(1 for _ in module.ops()) > MANY_OPS else TILES
    found: dict[tuple[int, int], Candidate] = {}
    for candidate in _all(module, target, tiles):
        # Equal in both: the first, which is the simplest.
        found.setdefault((candidate.point.arena, candidate.point.instructions), candidate)
    return Candidates(list(found.values()))


def as_given(module: Module, target: Target, prefer: str) -> Candidates:
    """The module as it is, with the kernels that ``prefer`` asks for."""
    plan = plan_levels(module.main, target)[prefer]
    tile = next((p for p in module.ops() if p.opcode == "q.row_tiles"), None)
    rows = int(str(tile.attrs["rows"])) if tile is not None else 0
    return Candidates([Candidate(module, plan, _point(plan, target, TileRows(rows), prefer))])


def _all(module: Module, target: Target, tiles: Sequence[TileRows]) -> Iterator[Candidate]:
    for tile in tiles:
        copy = clone_module(module)
        PassManager(Pipeline([tile])).run(copy)
        for prefer, plan in plan_levels(copy.main, target).items():
            yield Candidate(copy, plan, _point(plan, target, tile, prefer))


def _point(plan: FunctionPlan, target: Target, tile: TileRows, prefer: str) -> Point:
    instructions = modelled_instructions(plan, target.isa)
    return Point(plan.arena_bytes, instructions, tile.rows, tile.queries, prefer)
