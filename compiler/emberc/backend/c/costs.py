"""What ``manifest.json`` says about the calls of the generated function, for ``emberc bench model``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emberc.backend.c.program import Program, Step
from emberc.ir.ops.row_tiles import RowTiles


def call_rows(program: Program) -> list[dict[str, Any]]:
    """One row a call, in the order of the C text: ONNX node, op, kernel, and all its work in one run of the model.

    ``macs`` and ``elements`` count every tile of a call inside a loop.
    """
    return [row for step in program.steps for row in _rows(step, 1)]


def _rows(step: Step, times: int) -> Iterator[dict[str, Any]]:
    for call in step.calls:
        cost = step.op.cost() if step.op is not None else None
        yield {
            "node": step.op.loc if step.op is not None else "",
            "op": step.op.opcode if step.op is not None else "copy",
            "kernel": call.function,
            "macs": times * cost.macs if cost else 0,
            "elements": times * cost.elements if cost else 0,
        }
    inner = step.op.total() // step.op.rows if isinstance(step.op, RowTiles) else 1
    for body in step.steps:
        yield from _rows(body, times * inner)
