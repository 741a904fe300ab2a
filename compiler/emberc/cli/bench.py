"""``emberc bench``: kernels of the runtime on emulated cores, checked and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from emberc.cli.console import Console, Progress
from emberc.cli.values import examples, json_option, names_option
from emberc.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from emberc.bench import KernelRow

_EXAMPLES = examples(
    "emberc bench kernels --on cortex-m4",
    "emberc bench kernels matmul softmax --on cortex-m4,cortex-m7 --baseline",
    "emberc bench kernels --on all --json",
)
_HEADER = ("on", "kernel", "shape", "unit", "instructions", "per unit", "cycles (model)", "equal", "flash", "scratch")


@click.group("bench", epilog=_EXAMPLES, short_help="Count kernels' instructions on emulated cores.")
def bench_command() -> None:
    """Measure the runtime's kernels."""


@bench_command.command("kernels", epilog=_EXAMPLES)
@click.argument("names", nargs=-1)
@names_option("--on", "Targets, or 'all'.", required=True)
@click.option("--baseline", is_flag=True, help="Also run the portable kernel where a faster one exists.")
@json_option
def kernels_command(names: tuple[str, ...], on: list[str], baseline: bool, as_json: bool) -> int:
    """Run the kernels whose name contains one of NAMES (all without) over a list of shapes on every target.

    Instructions are exact counts for each multiply-accumulate or element, cycles those of the core's model. Every
    result is compared bit for bit with the reference: exits with 1 when one differs.
    """
    from emberc.bench import bench_kernels

    console = Console(json_only=as_json)
    with Progress(console.out) as progress:
        rows = bench_kernels(
            on, names, baseline=baseline, progress=lambda target, stage: progress.begin(f"  {target}: {stage}")
        )
    if as_json:
        console.result({"rows": [row.to_json() for row in rows]})
    else:
        console.table(_HEADER, [_cells(row) for row in rows])
    return EXIT_OK if all(row.equal for row in rows) else EXIT_FAILED


def _cells(row: KernelRow) -> tuple[str, ...]:
    def number(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    return (
        row.on,
        row.kernel,
        row.shape,
        row.unit,
        number(row.instructions, ","),
        number(row.per_unit, ".3f"),
        number(row.modelled_cycles_per_unit, ".3f"),
        "yes" if row.equal else "NO",
        f"{row.flash:,}",
        f"{row.scratch:,}",
    )
