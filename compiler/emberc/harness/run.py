"""Runs a test image natively or in its emulator, and reads results and profile."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from emberc.harness.console import VectorResult, parse_console
from emberc.harness.cycles import CycleModel, cycle_model
from emberc.harness.errors import RunError
from emberc.harness.image import Image
from emberc.harness.plugin import plugin_for
from emberc.harness.profile import Counts, Profile, join_profile
from emberc.harness.tools import last_lines, run_program
from emberc.targets import Region, Target

TIMEOUT = 1800.0
"""Seconds that a run may take unless its caller says otherwise."""


@dataclass(frozen=True)
class RunResult:
    """One run of all golden vectors.

    ``mismatches`` counts output elements that differ. ``instructions`` (exact) and ``cycles`` (modelled) are means
    over the vectors, of firmware code alone; None where the target has no profile. ``stack_bytes`` is the high
    water of the painted stack, test program included; None where there is no paint. ``functions`` are sums over
    all vectors. ``accesses`` are loads and stores of up to 32 bits, exact means over the vectors, by the name of the
    target's region; ``waits`` the cycles that they take there by the target's description. Both only where a region has
    waits, else empty and None.
    """

    exit_code: int
    vectors: tuple[VectorResult, ...]
    mismatches: int
    instructions: int | None
    cycles: int | None
    stack_bytes: int | None
    regions: dict[int, Counts] = field(default_factory=dict)
    functions: dict[str, Counts] = field(default_factory=dict)
    accesses: dict[str, tuple[int, int]] = field(default_factory=dict)
    waits: int | None = None


def run_image(image: Image, target: Target, *, profile: bool = True, timeout: float = TIMEOUT) -> RunResult:
    """Run ``image`` on ``target`` to its end.

    ``profile`` counts instructions where the emulator can. Raises ToolError for a missing emulator, RunError for
    a fault, an overflowing stack, a time limit, or a target without an emulator.
    """
    if target.emulator is None:
        raise RunError(f"{target.name} has no emulator", hints=["flash the image, then read it: --on serial:PORT"])
    with tempfile.TemporaryDirectory(prefix="emberc-") as folder:
        counts = Path(folder) / "counts.txt"
        command = [word.replace("{elf}", str(image.elf)) for word in target.emulator.command]
        profiled = profile and target.emulator.profile
        if profiled:
            # QEMU splits this argument at commas; a doubled comma stands for one in a path.
            plugin, out = (str(path).replace(",", ",,") for path in (plugin_for(command[0]), counts))
            watched = "".join(f",memory={r.origin:x}-{r.origin + r.size:x}" for r in _watched(target))
            command += ["-plugin", f"{plugin},out={out}{watched}"]
        exit_code, output = run_program(command, timeout=timeout, packages=target.packages_for(command[0]))
        results = parse_console(output)
        if exit_code not in (0, 1) or bool(exit_code) != bool(results.mismatches):
            raise RunError(f"the test program ended with status {exit_code}", details=last_lines(output))
        name = target.emulator.cycle_model
        model = cycle_model(name) if name else None
        joined = _read_profile(image, counts, output, model) if profiled else None
    if results.stack and results.stack >= target.stack_bytes:
        raise RunError(f"the stack of {target.stack_bytes:,} bytes ran full", hints=["raise memory.stack in the TOML"])
    accesses = joined.accesses if joined else []
    total, n = (joined.total if joined else None), len(results.vectors)
    return RunResult(
        exit_code=exit_code,
        vectors=results.vectors,
        mismatches=results.mismatches,
        instructions=round(total.instructions / n) if total else None,
        cycles=round(total.cycles / n) if total and model else None,
        stack_bytes=results.stack or None,
        regions=joined.regions if joined else {},
        functions=joined.functions if joined else {},
        accesses={r.name: (a // n, b // n) for r, (a, b) in zip(_watched(target), accesses, strict=False)},
        waits=_waits(target, accesses, n) if accesses else None,
    )


def _watched(target: Target) -> list[Region]:
    """The memories whose accesses are counted: all, where any has waits (counting takes time)."""
    regions = [*target.ram, *target.flash]
    return regions if any(r.read_wait or r.write_wait for r in regions) else []


def _waits(target: Target, accesses: list[tuple[int, int]], vectors: int) -> int:
    """Cycles that the accesses of one vector wait."""
    pairs = zip(_watched(target), accesses, strict=True)
    return round(sum(loads * r.read_wait + stores * r.write_wait for r, (loads, stores) in pairs) / vectors)


def _read_profile(image: Image, counts: Path, output: str, model: CycleModel | None) -> Profile:
    if not counts.is_file():
        raise RunError("the emulator wrote no profile", details=last_lines(output))
    return join_profile(image, counts.read_text(encoding="ascii"), model)
