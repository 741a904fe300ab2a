"""Rows of ``emberc bench kernels``: every kernel of a target on a list of cases, checked and counted."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emberc.backend.c.kernels import PORTABLE, collect_files
from emberc.bench.case import Case
from emberc.bench.image import Run, write_image
from emberc.bench.suite import suite
from emberc.harness import Image, RunResult, build_image, check_tools, run_image
from emberc.harness.campaign import expand_targets
from emberc.targets import Target, load_target

RUNS_AN_IMAGE = 60
"""The profiler tells 62 regions apart."""

FLASH_AN_IMAGE = 3 << 20
"""Bytes of constants that an image holds at most: the smallest board has 4 MiB."""


@dataclass(frozen=True)
class KernelRow:
    """One kernel on one case and target.

    ``per_unit`` is exact instructions for each MAC or element (``unit``), ``modelled_cycles_per_unit`` the cycle
    model's figure; None where the target has no profile or no model. ``equal``: all bits are the reference's and no
    guard byte was touched. ``flash`` is the kernel's code with what it calls in the runtime, ``scratch`` its part of
    the arena, both in bytes.
    """

    on: str
    kernel: str
    shape: str
    unit: str
    units: int
    instructions: int | None
    per_unit: float | None
    modelled_cycles_per_unit: float | None
    equal: bool
    flash: int
    scratch: int

    def to_json(self) -> dict[str, Any]:
        """The row as ``emberc bench kernels --json`` prints it."""
        return dict(vars(self))


def bench_kernels(
    targets: Sequence[str],
    names: Sequence[str] = (),
    *,
    baseline: bool = False,
    cases: Sequence[Case] | None = None,
    opt: str | None = None,
    progress: Callable[[str, str], None] | None = None,
) -> list[KernelRow]:
    """Runs the suite's cases, or those whose kernel's name contains one of ``names``, on every target.

    ``baseline`` adds the portable kernel of every case that has a faster one; ``cases`` replaces the suite. Raises
    UsageError for a name that no kernel has, TargetError, ToolError, BuildError and RunError.
    """
    boards = [load_target(name) for name in expand_targets(targets)]
    check_tools(boards)
    chosen = suite(names) if cases is None else cases
    rows: list[KernelRow] = []
    for board in boards:
        runs = [Run(case, isa) for case in chosen for isa in _isas(case, board, baseline)]
        for part in _images(runs):
            if progress:
                progress(board.name, f"{part[0].kernel.function} ...")
            image, result = execute(part, board, opt=opt)
            rows += [_row(i, run, board, image, result) for i, run in enumerate(part)]
    return rows


def check_cases(
    cases: Sequence[Case],
    target: str,
    *,
    kernels_of: str | None = None,
    opt: str | None = None,
    extra_cflags: Sequence[str] = (),
) -> list[str]:
    """Runs the target's kernels on ``cases`` in one image, without a profile; what differs, one line each.

    ``kernels_of`` names another target whose kernels are taken: their plain C runs on any core.
    """
    board = load_target(target)
    runs = [Run(case, load_target(kernels_of or target).isa) for case in cases]
    _, result = execute(runs, board, opt=opt, extra_cflags=extra_cflags, profile=False)
    return [
        f"{run.kernel.function} {run.case.shape} {run.case.note}: {v.mismatches} differ, status {v.status}"
        for run, v in zip(runs, result.vectors, strict=True)
        if v.mismatches or v.status
    ]


def execute(
    runs: Sequence[Run],
    board: Target,
    *,
    opt: str | None = None,
    extra_cflags: Sequence[str] = (),
    profile: bool = True,
) -> tuple[Image, RunResult]:
    """Builds and runs one image of ``runs``."""
    with tempfile.TemporaryDirectory(prefix="emberc-") as folder:
        build, work = Path(folder) / "build", Path(folder) / "work"
        write_image(runs, build, board.name)
        image = build_image(build, board, work, opt=opt, extra_cflags=extra_cflags)
        return image, run_image(image, board, profile=profile)


def _isas(case: Case, board: Target, baseline: bool) -> list[tuple[str, ...]]:
    portable = (PORTABLE,)
    same = case.kernel(board.isa).function == case.kernel(portable).function
    return [board.isa] if same or not baseline else [portable, board.isa]


def _images(runs: Sequence[Run]) -> Iterator[list[Run]]:
    """``runs`` in lists that fit one image each."""
    part: list[Run] = []
    size = 0
    for run in runs:
        need = sum(v.type.nbytes for v in (*run.case.op.results, *run.case.op.operands) if v is not None)
        if part and (len(part) == RUNS_AN_IMAGE or size + need > FLASH_AN_IMAGE):
            yield part
            part, size = [], 0
        part.append(run)
        size += need
    if part:
        yield part


def _row(index: int, run: Run, board: Target, image: Image, result: RunResult) -> KernelRow:
    case, kernel = run.case, run.kernel
    counts = result.regions.get(index + 1)
    has_model = bool(board.emulator and board.emulator.cycle_model)
    objects = {f"{name.rpartition('.')[0].replace('/', '_')}.o" for name in collect_files([kernel]).sources}
    vector = result.vectors[index]
    return KernelRow(
        on=board.name,
        kernel=kernel.function,
        shape=case.shape,
        unit=case.unit,
        units=case.units,
        instructions=counts.instructions if counts else None,
        per_unit=round(counts.instructions / case.units, 4) if counts else None,
        modelled_cycles_per_unit=round(counts.cycles / case.units, 4) if counts and has_model else None,
        equal=not vector.mismatches and not vector.status,
        flash=sum(o.flash for o in image.objects if o.name in objects),
        scratch=kernel.scratch_bytes(case.op),
    )
