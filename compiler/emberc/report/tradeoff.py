"""RAM against instructions: what the planner could have built, and what it took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """One configuration: tiles of ``rows`` to ``most`` rows (0: none), attention by query rows or not, its heads one
    after the other or together, kernels that "speed", "balanced" or "memory" prefers (``backend.c.plan_for``).
    ``arena`` in bytes, ``instructions`` of one run modelled.

    With several memories ``waits`` are the cycles that accesses wait there, ``excess`` the bytes that do not fit them.
    """

    arena: int
    instructions: int
    rows: int
    queries: bool
    prefer: str
    chosen: bool = False
    most: int = 0
    heads: bool = False
    waits: int = 0
    excess: int = 0

    @property
    def cost(self) -> int:
        """Instructions and waits: cycles of a core that runs one instruction in each."""
        return self.instructions + self.waits

    def __str__(self) -> str:
        rows = f"{self.rows} to {self.most}" if self.most > self.rows else f"{self.rows}"
        tiles = f"tiles of {rows} rows" if self.rows else "no tiles"
        attention = ", attention by rows" if self.queries else ""
        heads = " and heads" if self.heads and self.queries else ", attention by heads" if self.heads else ""
        kernels = {"speed": "fast kernels", "memory": "least scratch"}
        return f"{tiles}{attention}{heads}, {kernels.get(self.prefer, 'less scratch')}"


def frontier(points: Iterable[Point]) -> list[Point]:
    """Those that no other beats in both, smallest arena first; the chosen one stays in any case."""
    kept: list[Point] = []
    for p in sorted(points, key=lambda p: (p.arena, p.cost)):
        if p.chosen or not kept or p.cost < min(k.cost for k in kept):
            kept.append(p)
    return kept


def tradeoff_lines(points: list[Point]) -> list[str]:
    """The curve as a table, the chosen point marked; at most 98 columns."""
    if len(points) < 2:
        return []
    chosen = next((p for p in points if p.chosen), points[0])
    unit = "cycles" if any(p.waits for p in points) else "instructions"
    head = f"{'trade-off':<11}{'arena':>9}  {unit}"
    rows = [f"{p.arena:>20,} {p.cost / chosen.cost:6.2f}x {'*' if p.chosen else ' '} {p}" for p in points]
    return [head, *rows]
