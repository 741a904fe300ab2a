"""``emberc test``: one build directory, built, run and compared on a list of targets."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emberc.errors import EmberError, FitError
from emberc.harness.errors import BuildError, RunError, StackError
from emberc.harness.image import Image, build_image, check_symbols
from emberc.harness.manifest import Manifest, load_manifest
from emberc.harness.profile import Counts
from emberc.harness.run import TIMEOUT, run_image
from emberc.harness.serial import PREFIX, run_serial
from emberc.harness.stack import worst_stack
from emberc.harness.symbols import check_objects, symbols_error
from emberc.harness.tools import check_tools
from emberc.targets import Target, load_target, target_names

Progress = Callable[[str, str], None]
"""Called as ``progress(target, stage)`` with stage "build", "run" or "done"."""


@dataclass(frozen=True)
class TestRun:
    """The outcome on one target; sizes in bytes, None where they can't be known.

    ``mismatches`` counts output elements over all vectors that differ from the integer reference, a refused vector
    counting one. ``instructions`` (exact) and ``modelled_cycles`` are means over the vectors. ``flash_bytes`` is
    the firmware: code, weights, tables. ``ram_bytes`` is arena + state + I/O + worst-case stack (+ writable
    globals of custom kernels). ``accesses`` and ``wait_cycles``: exact loads and stores of a vector by memory, and the
    cycles that they wait by the target's description, where that names waits. ``error`` says why there is no result;
    ``functions`` are sums over all vectors.
    """

    __test__ = False  # not a test class, whatever its name tells pytest

    on: str
    vectors: int | None = None
    mismatches: int | None = None
    instructions: int | None = None
    modelled_cycles: int | None = None
    stack_bytes: int | None = None
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    painted_stack_bytes: int | None = None
    functions: dict[str, Counts] = field(default_factory=dict)
    accesses: dict[str, tuple[int, int]] = field(default_factory=dict)
    wait_cycles: int | None = None
    error: EmberError | None = None

    @property
    def ok(self) -> bool:
        """Every vector ran and is bit-exact."""
        return self.error is None and self.mismatches == 0

    def to_json(self) -> dict[str, Any]:
        """The run as ``emberc test --json`` prints it; ``error`` is present only when there is one."""
        row: dict[str, Any] = {
            "on": self.on,
            "vectors": self.vectors,
            "mismatches": self.mismatches,
            "instructions": self.instructions,
            "modelled_cycles": self.modelled_cycles,
            "stack_bytes": self.stack_bytes,
            "flash_bytes": self.flash_bytes,
            "ram_bytes": self.ram_bytes,
        }
        if self.wait_cycles is not None:
            row["wait_cycles"] = self.wait_cycles
            row["accesses"] = {name: {"loads": a, "stores": b} for name, (a, b) in self.accesses.items()}
        if self.error:
            row["error"] = {"code": self.error.code, "message": self.error.message, "hints": self.error.hints}
        return row


def expand_targets(names: Sequence[str]) -> list[str]:
    """Target names with "all" replaced by every target that comes with emberc; repetitions dropped."""
    expanded = [n for name in names for n in (target_names() if name == "all" else [name])]
    return list(dict.fromkeys(expanded))


def test_build(
    build_dir: Path,
    targets: Sequence[str],
    *,
    progress: Progress | None = None,
    opt: str | None = None,
    extra_cflags: Sequence[str] = (),
    profile: bool = True,
    timeout: float = TIMEOUT,
) -> list[TestRun]:
    """Build and run every golden vector of ``build_dir`` on each target; results in the order of ``targets``.

    A target is a name, an alias, a path to a TOML file, "all", or "serial:PORT[@BAUD]".

    Raises before anything is built: UsageError for a folder that is no build directory, TargetError for an unknown
    target, ToolError naming every missing tool. What goes wrong on one target alone (it does not fit, it does not
    build, it faults) is that run's ``error``, and the others go on.
    """
    manifest = load_manifest(build_dir)
    names = expand_targets(targets)
    boards = {name: load_target(name) for name in names if not name.startswith(PREFIX)}
    check_tools(boards.values())
    runs = []
    for name in names:
        tell = _teller(progress, name)
        try:
            if name in boards:
                run = _on_board(build_dir, boards[name], tell, opt, extra_cflags, profile, timeout)
            else:
                run = _on_serial(name, manifest, tell)
        except (BuildError, FitError, RunError) as error:
            on = boards[name].name if name in boards else name
            run = TestRun(on, vectors=manifest.vectors, error=error)
        tell("done")
        runs.append(run)
    return runs


def _teller(progress: Progress | None, name: str) -> Callable[[str], None]:
    return (lambda stage: progress(name, stage)) if progress else (lambda _: None)


def _on_board(
    build_dir: Path,
    target: Target,
    tell: Callable[[str], None],
    opt: str | None,
    extra_cflags: Sequence[str],
    profile: bool,
    timeout: float,
) -> TestRun:
    with tempfile.TemporaryDirectory(prefix="emberc-") as work:
        tell("build")
        image = build_image(build_dir, target, Path(work), opt=opt, extra_cflags=extra_cflags)
        manifest = image.manifest
        # On a hosted target the C library is the system's and may hold anything.
        forbidden = check_symbols(image) if target.linker_script else []
        if forbidden:
            # The object that asks for a symbol tells more than the image that has it.
            asked = check_objects(sorted(Path(work).glob("*.o")), target)
            raise symbols_error(asked or {image.elf.name: forbidden}, target)
        stack = _stack(image, manifest)
        tell("run")
        result = run_image(image, target, profile=profile, timeout=timeout)
    if len(result.vectors) != manifest.vectors:
        raise RunError(f"ran {len(result.vectors)} vectors, the manifest says {manifest.vectors}")
    ram = manifest.arena_bytes + manifest.state_bytes + manifest.io_bytes + image.static_ram_bytes
    return TestRun(
        on=target.name,
        vectors=len(result.vectors),
        mismatches=result.mismatches,
        instructions=result.instructions,
        modelled_cycles=result.cycles,
        stack_bytes=stack,
        flash_bytes=image.flash_bytes,
        ram_bytes=None if stack is None else ram + stack,
        painted_stack_bytes=result.stack_bytes,
        functions=result.functions,
        accesses=result.accesses,
        wait_cycles=result.waits,
    )


def _stack(image: Image, manifest: Manifest) -> int | None:
    """None where the compiler writes no call graphs; on a board, a stack without a bound is an error of the build."""
    if not image.callgraphs:
        return None
    try:
        return worst_stack(image.callgraphs, manifest.entry).total
    except StackError as error:
        # On the host sanitizers add calls of their own, and nobody budgets its stack.
        if not image.target.linker_script:
            return None
        raise BuildError(error.message, code=error.code, at=error.at, hints=error.hints) from None


def _on_serial(name: str, manifest: Manifest, tell: Callable[[str], None]) -> TestRun:
    tell("run")
    result = run_serial(name)
    if len(result.vectors) != manifest.vectors:
        raise RunError(
            f"the board ran {len(result.vectors)} vectors, the manifest says {manifest.vectors}",
            at=name,
            hints=["flash the image of this build directory"],
        )
    return TestRun(name, len(result.vectors), result.mismatches, painted_stack_bytes=result.stack or None)
