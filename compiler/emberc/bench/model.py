"""``emberc bench model``: what each op of a compiled model costs on an emulated core.

The build's model source is copied with a region marker in front of every call, so that the profile's regions are the
calls. The generated function's own few instructions between calls count to the call before; markers are not counted.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emberc.errors import UsageError
from emberc.harness import Counts, build_image, check_tools, load_manifest, run_image
from emberc.harness.campaign import expand_targets
from emberc.targets import Target, load_target

CALLS_AN_IMAGE = 60
"""The profiler tells 63 regions apart; further calls are counted in further runs."""

_BAR = 40


@dataclass(frozen=True)
class OpRow:
    """One call of the generated function, means over the golden vectors; ``share`` of the model's instructions."""

    node: str
    op: str
    kernel: str
    macs: int
    elements: int
    instructions: int
    modelled_cycles: int | None
    share: float

    def to_json(self) -> dict[str, Any]:
        """The row as ``emberc bench model --json`` prints it."""
        return dict(vars(self))


@dataclass(frozen=True)
class ModelBench:
    """A build on one target: its calls in order, and their sums.

    ``runtime_bytes``: code of the kernels that the model links, with their constants, without start-up code, the
    generated source and library routines.
    """

    on: str
    rows: list[OpRow]
    instructions: int
    modelled_cycles: int | None
    macs: int
    mismatches: int
    runtime_bytes: int

    def to_json(self) -> dict[str, Any]:
        """The bench as ``--json`` prints it."""
        return {**vars(self), "rows": [row.to_json() for row in self.rows]}

    def flame(self) -> list[str]:
        """One line an op, its share as a bar."""
        return [
            f"{row.share:6.1%} {'#' * round(row.share * _BAR):<{_BAR}} {row.op} {row.node}".rstrip()
            for row in self.rows
        ]


def bench_model(build: Path, targets: Sequence[str] = (), *, opt: str | None = None) -> list[ModelBench]:
    """Counts every call of the build directory ``build`` on each target, its own without ``targets``.

    Raises UsageError for a folder that is no build directory, TargetError, ToolError, BuildError and RunError.
    """
    manifest = load_manifest(build)
    calls = _calls(build)
    boards = [load_target(name) for name in expand_targets(targets or [manifest.target])]
    check_tools(boards)
    return [_on(build, board, calls, opt) for board in boards]


def _on(build: Path, board: Target, calls: list[dict[str, Any]], opt: str | None) -> ModelBench:
    if not (board.emulator and board.emulator.profile):
        raise UsageError(f"{board.name} has no profiler", hints=["bench a build on an emulated core: --on cortex-m4"])
    counts: list[Counts] = []
    mismatches = vectors = runtime = 0
    for first in range(0, len(calls), CALLS_AN_IMAGE):
        part = range(first, min(first + CALLS_AN_IMAGE, len(calls)))
        with tempfile.TemporaryDirectory(prefix="emberc-") as folder:
            marked = Path(folder) / "build"
            shutil.copytree(build, marked)
            _mark(marked, calls, part)
            image = build_image(marked, board, Path(folder) / "work", opt=opt)
            result = run_image(image, board)
        vectors, mismatches = len(result.vectors), result.mismatches
        runtime = sum(o.text + o.rodata for o in image.objects if o.name.startswith("kernels_"))
        counts += [result.regions.get(i - first + 1, Counts()) for i in part]
    total = sum(c.instructions for c in counts) or 1
    has_model = board.emulator.cycle_model is not None
    rows = [
        OpRow(
            call["node"],
            call["op"],
            call["kernel"],
            call["macs"],
            call["elements"],
            round(c.instructions / vectors),
            round(c.cycles / vectors) if has_model else None,
            round(c.instructions / total, 4),
        )
        for call, c in zip(calls, counts, strict=True)
    ]
    cycles = round(sum(c.cycles for c in counts) / vectors) if has_model and counts else None
    macs = sum(row.macs for row in rows)
    return ModelBench(board.name, rows, round(total / max(1, vectors)), cycles, macs, mismatches, runtime)


def _calls(build: Path) -> list[dict[str, Any]]:
    data = json.loads((build / "manifest.json").read_text(encoding="utf-8"))
    calls = data.get("calls")
    if not isinstance(calls, list) or not all(isinstance(c, dict) for c in calls):
        raise UsageError("the build directory does not list its calls", at=str(build), hints=["compile it again"])
    return calls


def _mark(build: Path, calls: list[dict[str, Any]], part: range) -> None:
    """Puts region markers before every call of the model's source: regions 1 .. for ``part``, 0 for the others."""
    manifest = load_manifest(build)
    path = build / f"{manifest.model}.c"
    head, start, body = path.read_text(encoding="utf-8").partition(f"int {manifest.entry}(")
    lines: list[str] = []
    found = 0
    for line in body.splitlines():
        name = calls[found]["kernel"] if found < len(calls) else ""
        if name and re.match(rf"\s+(status = )?{re.escape(name)}\(", line):
            region = found - part.start + 1 if found in part else 0
            lines.append(f"    ember_region_begin({region}u);")
            found += 1
        lines.append(line)
    if found != len(calls):
        raise UsageError(
            f"{path.name} has {found} of the {len(calls)} calls that manifest.json lists", hints=["compile it again"]
        )
    text = "\n".join([f'#include "ember_port.h"\n{head}{start}{lines[0]}', *lines[1:]])
    path.write_text(text + "\n", encoding="utf-8")
