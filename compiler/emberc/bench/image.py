"""Cases as a build directory: the harness builds, runs and profiles it like any model's.

Vector i is run i: one kernel on one case, its results compared with the reference in C, guard bytes around each result
and behind the scratch included. So a region of the profile is a run, and the kernels are its only firmware.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from emberc.backend.c.interface import interface_of
from emberc.backend.c.kernels import Kernel, collect_files
from emberc.backend.c.literals import ArrayText, array_text
from emberc.backend.c.program import Program, build_program
from emberc.backend.planning import FunctionPlan, plan_function
from emberc.bench.case import Case
from emberc.ir.types import Array
from emberc.ir.values import Value

GUARD = 32
"""Bytes before and behind a result, and behind the scratch, that a kernel must not touch."""

_ALIGN = 16


@dataclass(frozen=True)
class Run:
    """A case on the kernel that a target with these ISA features takes; ("portable",) is the baseline."""

    case: Case
    isa: tuple[str, ...]

    @property
    def kernel(self) -> Kernel:
        return self.case.kernel(self.isa)


def write_image(runs: Sequence[Run], folder: Path, target: str) -> None:
    """Writes the build directory of ``runs`` to ``folder``: ``bench_golden.c``, the kernels, ``manifest.json``."""
    parts = [_Part(i, run) for i, run in enumerate(runs)]
    kernels = collect_files([k for p in parts for k in p.program.kernels], extra_headers=("ember.h", "ember_golden.h"))
    files = {**kernels.sources, **kernels.headers}
    files["bench_golden.c"] = _template().render(
        parts=parts,
        headers=kernels.declared_in,
        guard=GUARD,
        result_bytes=max(p.result_bytes for p in parts),
        arena_bytes=max(p.arena_bytes for p in parts),
    )
    manifest: dict[str, Any] = {
        "model": "bench",
        "target": target,
        "sources": list(kernels.sources),
        "golden": "bench_golden.c",
        "include_dirs": [".", "include"],
        "vectors": len(runs),
        "arena_bytes": 0,
        "state_bytes": 0,
        "io_bytes": 0,
        "weights_bytes": 0,
        "tables_bytes": 0,
        "entry": "ember_golden_run",
    }
    files["manifest.json"] = json.dumps(manifest, indent=1) + "\n"
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class _Output:
    """One result: ``start`` is its place in the results' buffer, guard bytes lie from ``guard`` to there and behind
    ``end``, which is that of a wider operand where it is written over one."""

    name: str
    text: ArrayText
    elements: int
    guard: int
    start: int
    end: int


class _Part:
    """One run as the template sees it."""

    def __init__(self, index: int, run: Run) -> None:
        self.name = f"run{index}"
        self.title = f"{run.kernel.function} {run.case.shape}"
        self._case = run.case
        self._plan = _plan(run)
        self.program: Program = build_program(
            self._plan, run.isa, self.name, interface_of(run.case.function, self.name)
        )

    @property
    def _inputs(self) -> list[Value]:
        return self._case.function.inputs

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Name and padded array of every input, the bytes that are its own, and the result that goes over it."""
        over = {id(self._case.overwritten_by(name)): name for name in self._case.expected}
        found = []
        for v in self._inputs:
            array, skipped = self._case.array_of(v), self.misalign * v.type.dtype.size
            own = range(skipped, skipped + array.nbytes)
            found.append({"name": v.name, "text": self._text(array), "bytes": own, "over": over.get(id(v))})
        return found

    @cached_property
    def outputs(self) -> list[_Output]:
        found: list[_Output] = []
        end = 0
        for name, array in self._case.expected.items():
            start = -(-(end + GUARD) // _ALIGN) * _ALIGN + self.misalign * array.dtype.itemsize
            over = self._case.overwritten_by(name)
            guard, end = end, start + max(array.nbytes, 0 if over is None else over.type.nbytes)
            found.append(_Output(name, array_text(np.atleast_1d(array)), array.size, guard, start, end))
        return found

    @property
    def misalign(self) -> int:
        return self._case.misalign

    @property
    def arena_bytes(self) -> int:
        return self._plan.arena_bytes

    @property
    def result_bytes(self) -> int:
        return self.outputs[-1].end + GUARD

    @property
    def can_fail(self) -> bool:
        return self.program.can_fail

    def _text(self, array: Array) -> ArrayText:
        flat = np.atleast_1d(array).reshape(-1)
        return array_text(np.concatenate([np.zeros(self._case.misalign, flat.dtype), flat]))


def _plan(run: Run) -> FunctionPlan:
    return plan_function(run.case.function, run.kernel.scratch_bytes)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("emberc.bench"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template("bench_golden.c.j2")
