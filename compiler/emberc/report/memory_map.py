"""The memory plan as a picture: steps from left to right, addresses from bottom to top.

Both forms, text and SVG, are drawn from the same areas, which come from ``memory_plan.json``: what the checker
verified is what is shown.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emberc.errors import UsageError

_LETTERS = string.ascii_uppercase + string.ascii_lowercase
_FREE, _SMALL = ".", "+"


@dataclass(frozen=True)
class Area:
    """``size`` bytes at ``offset``, live in the steps [start, end). ``kind``: "tensor" or "scratch"."""

    name: str
    kind: str
    offset: int
    size: int
    start: int
    end: int
    over: str | None = None
    pool: str = ""

    def describe(self) -> str:
        """One line: what it is, how large, where, when."""
        over = f", written over {self.over}" if self.over else ""
        kind = "scratch of " if self.kind == "scratch" else ""
        steps = f"step {self.start}" if self.end == self.start + 1 else f"steps {self.start} .. {self.end - 1}"
        return f"{kind}{self.name}: {self.size:,} bytes at {self.offset:#x}, {steps}{over}"


@dataclass(frozen=True)
class MemoryMap:
    """Areas of one arena, largest first; ``steps`` are the ops in order, ``peak`` the step of the bound's witness.

    ``name`` is the memory that the arena lies in, where there are several, and ``bound`` what its own areas need.
    """

    areas: list[Area]
    arena: int
    bound: int
    steps: list[str]
    peak: int | None
    name: str = ""

    @staticmethod
    def of(plan: Mapping[str, Any]) -> list[MemoryMap]:
        """A map for each arena of a certificate. Raises UsageError when it is damaged."""
        try:
            views = {view for node in plan["graph"]["nodes"] for view in node["views"]}
            areas = [
                _area(name, "tensor", region, plan["inplace"].get(name))
                for name, region in plan["tensors"].items()
                if name not in views
            ]
            areas += [_area(name, "scratch", region) for name, region in plan["scratch"].items()]
            areas = [area for area in areas if area.size]
            areas.sort(key=lambda a: (-a.size, a.start, a.offset, a.name))
            steps = [str(step) for step in plan["order"]]
            if "spread" in plan:
                return [_of_memory(areas, steps, arena) for arena in plan["spread"]["arenas"]]
            peak = None if plan["witness"] is None else int(plan["witness"]["step"])
            return [MemoryMap(areas, int(plan["arena"]), int(plan["any_order_bound"]), steps, peak)]
        except (KeyError, TypeError, AttributeError, ValueError) as e:
            raise UsageError(
                f"memory_plan.json is damaged: {type(e).__name__}: {e}", hints=["emberc compile writes it again"]
            ) from e

    def text(self, width: int = 64, height: int = 20) -> str:
        """The map in characters: a letter a tensor (the largest 52), '+' a smaller one, '.' free."""
        title = [f"{self.name}:"] if self.name else []
        if not self.arena or not self.steps:
            return "\n".join([*title, "the arena is empty"])
        columns, rows = min(width, max(1, len(self.steps))), min(height, self.arena)
        letters = {id(area): _LETTERS[i] if i < len(_LETTERS) else _SMALL for i, area in enumerate(self.areas)}
        lines: list[str] = title
        for row in reversed(range(rows)):
            low, high = row * self.arena // rows, (row + 1) * self.arena // rows
            cells = [self._cell(c, columns, low, high, letters) for c in range(columns)]
            lines.append(f"{high:>9,} |" + "".join(cells) + "|")
        marks = [" "] * columns
        if self.peak is not None:
            marks[min(columns - 1, self.peak * columns // len(self.steps))] = "^"
        lines.append(" " * 11 + "".join(marks).rstrip() + ("  the peak" if self.peak is not None else ""))
        lines += [f"  {letters[id(area)]} {area.describe()}" for area in self.areas[: len(_LETTERS)]]
        if len(self.areas) > len(_LETTERS):
            lines.append(f"  {_SMALL} {len(self.areas) - len(_LETTERS)} smaller ones")
        return "\n".join(lines)

    def _cell(self, column: int, columns: int, low: int, high: int, letters: Mapping[int, str]) -> str:
        """The area that covers most bytes of [low, high) at the column's first step."""
        step = column * len(self.steps) // columns
        best, most = _FREE, 0
        for area in self.areas:
            covered = min(high, area.offset + area.size) - max(low, area.offset)
            if area.start <= step < area.end and covered > most:
                best, most = letters[id(area)], covered
        return best


def _of_memory(areas: Sequence[Area], steps: list[str], arena: Mapping[str, Any]) -> MemoryMap:
    """The map of one of several memories; its peak is the step in which most of it is live."""
    here = [area for area in areas if area.pool == arena["name"]]
    loads = [sum(area.size for area in here if area.start <= step < area.end) for step in range(len(steps))]
    peak = loads.index(max(loads)) if here and loads else None
    return MemoryMap(here, int(arena["arena"]), int(arena["bound"]), steps, peak, str(arena["name"]))


def _area(name: str, kind: str, region: Mapping[str, Any], over: str | None = None) -> Area:
    offset, size, start, end = (int(region[key]) for key in ("offset", "size", "start", "end"))
    return Area(name, kind, offset, size, start, end, over, str(region.get("pool", "")))


@dataclass(frozen=True)
class Box:
    """A rectangle of the SVG picture, in its user units, with its tooltip."""

    x: float
    y: float
    width: float
    height: float
    hue: int
    kind: str
    tip: str
    label: str


def boxes(picture: MemoryMap, width: float, height: float) -> list[Box]:
    """The areas scaled to ``width`` x ``height``; hues step by the golden angle, so that neighbours differ."""
    if not picture.arena or not picture.steps:
        return []
    dx, dy = width / len(picture.steps), height / picture.arena
    found: list[Box] = []
    for i, a in enumerate(picture.areas):
        w, h = (a.end - a.start) * dx, a.size * dy
        y = height - (a.offset + a.size) * dy
        label = a.name if w > 9 * len(a.name) and h > 14 else ""
        found.append(Box(a.start * dx, y, w, h, i * 137 % 360, a.kind, a.describe(), label))
    return found


@dataclass(frozen=True)
class Bar:
    """One bar of a chart: ``share`` of the whole, 0 .. 1."""

    label: str
    text: str
    share: float


def bars(rows: Sequence[tuple[str, int]], limit: int = 40) -> list[Bar]:
    """Bars of (name, bytes), largest first; what is beyond ``limit`` is one bar."""
    total = sum(n for _, n in rows) or 1
    shown = sorted(rows, key=lambda r: (-r[1], r[0]))
    rest = shown[limit:]
    shown = shown[:limit] + ([(f"{len(rest)} smaller ones", sum(n for _, n in rest))] if rest else [])
    return [Bar(name, f"{n:,} bytes, {n / total:.1%}", n / total) for name, n in shown]
