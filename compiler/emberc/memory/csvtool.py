"""The planner as a tool: any buffers from a CSV, placed. ``emberc plan buffers.csv``"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emberc.errors import FitError, UsageError
from emberc.memory.buffers import Buffer, Placement
from emberc.memory.place import place

COLUMNS = ("id", "lower", "upper", "size")
# A person waits for this answer: up to about a minute for the hardest few hundred buffers known. A search seldom ends
# with more, and all rungs of the ladder take longer: the effort falls with their cube, to a few seconds for 1,000.
_PATIENCE = 24
_FEW = 450


@dataclass(frozen=True, slots=True)
class CsvPlan:
    """The placement of a CSV's buffers, in the order of its lines."""

    buffers: tuple[Buffer, ...]
    placement: Placement

    def to_json(self) -> dict[str, Any]:
        """``height``, ``bound`` (bytes), ``proved``, ``seconds``, ``method`` and ``offsets`` by id."""
        found = self.placement
        return {
            "height": found.height,
            "bound": found.bound,
            "proved": found.proved,
            "seconds": round(found.seconds, 3),
            "method": found.method,
            "offsets": {b.name: at for b, at in zip(self.buffers, found.offsets, strict=True)},
        }

    def to_text(self) -> str:
        """The same for a person: a line of verdict, then one line a buffer from the lowest address up."""
        found = self.placement
        verdict = "proved smallest" if found.proved else f"at least {found.bound:,} needed"
        lines = [f"{len(self.buffers)} buffers in {found.height:,} bytes, {verdict} ({found.method})"]
        wide = max((len(b.name) for b in self.buffers), default=0)
        placed = zip(found.offsets, self.buffers, strict=True)
        for at, b in sorted(placed, key=lambda pair: (pair[0], pair[1].start)):
            lines.append(f"  {b.name:<{wide}}  {at:>10} .. {at + b.size:<10}  steps {b.start} .. {b.end}")
        return "\n".join(lines)


def patience(count: int) -> int:
    """The effort for so many buffers when nobody says another: counts, never time."""
    return max(1, _PATIENCE * _FEW**3 // max(count, _FEW) ** 3)


def plan_csv(path: Path, capacity: int | None = None, effort: int | None = None) -> CsvPlan:
    """Place the buffers of a CSV file with the columns id, lower, upper, size (any order, others ignored).

    ``lower <= step < upper`` is the lifetime; sizes are bytes and placed to the byte. With ``capacity`` the
    search ends as soon as they fit; ``effort`` is that of ``place``, None what suits their number. Raises
    UsageError naming the line for a file that can't be read so, and FitError when no placement within
    ``capacity`` was found, saying whether there is one.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            buffers = _read(lines, str(path))
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        raise UsageError(f"can't read it as CSV: {wrong}", at=str(path), hints=[_HINT]) from wrong
    found = place(buffers, capacity=capacity, effort=patience(len(buffers)) if effort is None else effort)
    if capacity is not None and found.height > capacity:
        raise FitError(
            f"the buffers take {found.height:,} bytes, the capacity is {capacity:,}",
            at=str(path),
            details=[f"lower bound {found.bound:,}: " + _fit_verdict(found.bound, capacity)],
            hints=[f"give it --capacity {found.height}"],
        )
    return CsvPlan(tuple(buffers), found)


_HINT = "the first line names the columns id,lower,upper,size; each line after it is one buffer"


def _fit_verdict(bound: int, capacity: int) -> str:
    return "nothing can make them fit" if bound > capacity else "a placement that fits may exist, none was found"


def _read(lines: Iterable[str], path: str) -> list[Buffer]:
    rows = csv.reader(lines)
    header = [name.strip().lower() for name in next(rows, [])]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise UsageError(f"column {', '.join(missing)} is missing", at=f"{path}:1", hints=[_HINT])
    column = {name: header.index(name) for name in COLUMNS}
    buffers: dict[str, Buffer] = {}
    for cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        at = f"{path}:{rows.line_num}"
        if len(cells) < len(header):
            raise UsageError(f"{len(cells)} values, the header has {len(header)} columns", at=at, hints=[_HINT])
        name = cells[column["id"]].strip()
        lower, upper, size = (_number(cells[column[key]], key, at) for key in COLUMNS[1:])
        if upper <= lower:
            hint = "lifetimes are half-open: lower <= step < upper"
            raise UsageError(f"lifetime [{lower}, {upper}) is empty", at=at, hints=[hint])
        if name in buffers:
            raise UsageError(f"id '{name}' stands twice", at=at)
        buffers[name] = Buffer(name, size, lower, upper, align=1)
    return list(buffers.values())


def _number(text: str, column: str, at: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise UsageError(f"{column} '{text.strip()}' is not a whole number from 0", at=at)
    return value
