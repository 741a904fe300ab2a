"""``emberc test``: builds a build directory, runs its golden vectors and compares bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emberc.cli.console import Console, Progress
from emberc.cli.values import examples, json_option, names_option
from emberc.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from emberc.harness import TestRun

_EXAMPLES = examples(
    "emberc test build --on host",
    "emberc test build --on host,cortex-m4,cortex-m7 --json",
    "emberc test build --on all",
    "emberc test build --on serial:/dev/ttyACM0@115200",
)
_HEADER = ("on", "result", "vectors", "mismatches", "instructions", "cycles (model)", "stack", "flash", "RAM")


@click.command("test", epilog=_EXAMPLES, short_help="Run a build's golden vectors on boards.")
@click.argument("build_dir", metavar="DIR", type=click.Path(path_type=Path))
@names_option("--on", "Targets, 'all', or serial:PORT[@BAUD].", required=True)
@json_option
def test_command(build_dir: Path, on: list[str], as_json: bool) -> int:
    """Build DIR for every target, run its golden vectors there and compare each output bit for bit.

    Instructions are exact counts of the emulator and cycles a model of the core, both means over the vectors;
    stack, flash and RAM are bytes. Where the target's memories have wait states, accesses are counted too, exactly, and
    what they wait. Exits with 1 on any mismatch or failure, 3 when all that is wrong is an image
    that does not fit its board, 4 when a tool is missing.
    """
    from emberc.harness import test_build

    console = Console(json_only=as_json)
    with Progress(console.out) as progress:
        runs = test_build(
            build_dir,
            on,
            progress=lambda target, stage: progress.begin(f"  {target}: {stage}") if stage != "done" else None,
        )
    if as_json:
        console.result({"runs": [run.to_json() for run in runs]})
    else:
        console.table(_HEADER, [_row(run) for run in runs])
    for run in runs:
        if run.wait_cycles is not None:
            counts = ", ".join(f"{name} {a:,} + {b:,}" for name, (a, b) in run.accesses.items())
            console.line(f"\non {run.on} accesses wait {run.wait_cycles:,} cycles (model); loads + stores: {counts}")
    for run in runs:
        if run.error:
            console.line(f"\non {run.on}\n{run.error.render()}")
    return exit_code(runs)


def exit_code(runs: Sequence[TestRun]) -> int:
    """0 when every run is bit-exact; else the code of what went wrong, a failure before an image that is too big."""
    codes = {run.error.exit_code if run.error else EXIT_FAILED for run in runs if not run.ok}
    return min(codes, default=EXIT_OK)


def _row(run: TestRun) -> tuple[str, ...]:
    result = run.error.code if run.error else "bit-exact" if run.ok else "DIFFERS"
    counts = (run.vectors, run.mismatches, run.instructions, run.modelled_cycles)
    sizes = (run.stack_bytes, run.flash_bytes, run.ram_bytes)
    return (run.on, result, *("-" if n is None else f"{n:,}" for n in (*counts, *sizes)))
