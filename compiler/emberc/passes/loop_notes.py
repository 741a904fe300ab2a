"""What is left of unrolled Loop and Scan nodes, for the report."""

from __future__ import annotations

import re

from emberc.ir.graph import Function
from emberc.ir.op import Op

#: the frontend writes the place of a body's op as NODE[STEP]/OP
_STEP = re.compile(r"^(.+?)\[(\d+)\]/")


def step_of(op: Op) -> tuple[str, int] | None:
    """The Loop or Scan that an op was unrolled from and the number of its step; None for any other op."""
    m = _STEP.match(op.loc)
    return (m.group(1), int(m.group(2))) if m else None


def without_step(loc: str) -> str:
    """The place of what stands for all steps: NODE/OP."""
    return _STEP.sub(r"\1/", loc)


def unrolled_notes(function: Function) -> list[str]:
    """One line for each Loop or Scan of which more than one step is left: its name, why, and what it costs."""
    left: dict[str, list[tuple[int, Op]]] = {}
    for op in function.ops:
        step = step_of(op)
        if step is not None:
            left.setdefault(step[0], []).append((step[1], op))
    notes: list[str] = []
    for name, found in left.items():
        steps = len({t for t, _ in found})
        macs = sum(op.cost().macs for _, op in found)
        if steps > 1:
            notes.append(
                f"'{name}' stays unrolled, because its steps are no linear recurrence: "
                f"{steps} steps, {len(found)} ops, {macs:,} multiply-accumulates"
            )
    return notes
