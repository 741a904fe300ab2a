"""``emberc bench``: kernels of the runtime and compiled models on emulated cores, checked and counted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emberc.cli.console import Console, Progress
from emberc.cli.report import read_json, read_report
from emberc.cli.values import examples, json_option, names_option
from emberc.errors import EXIT_FAILED, EXIT_OK, UsageError

if TYPE_CHECKING:
    from emberc.bench import KernelRow, ModelBench

_EXAMPLES = examples(
    "emberc bench kernels --on cortex-m4",
    "emberc bench kernels matmul softmax --on cortex-m4,cortex-m7 --baseline",
    "emberc bench kernels --on all --json",
)
_HEADER = ("on", "kernel", "shape", "unit", "instructions", "per unit", "cycles (model)", "equal", "flash", "scratch")


@click.group("bench", epilog=_EXAMPLES, short_help="Count kernels' instructions on emulated cores.")
def bench_command() -> None:
    """Measure the runtime's kernels, or the ops of a compiled model."""


@bench_command.command("kernels", epilog=_EXAMPLES, short_help="Run and count kernels on emulated cores.")
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


_MODEL_EXAMPLES = examples(
    "emberc bench model build",
    "emberc bench model build --on cortex-m4,cortex-m33 --json",
    "emberc bench model build --html profile.html",
)
_MODEL_HEADER = ("node", "op", "kernel", "MACs", "instructions", "per MAC", "cycles (model)", "share")


@bench_command.command("model", epilog=_MODEL_EXAMPLES, short_help="Count each op of a build.")
@click.argument("build_dir", metavar="DIR", type=click.Path(path_type=Path))
@names_option("--on", "Targets, or 'all'; the build's own without.")
@click.option("--html", type=click.Path(path_type=Path), help="Write the build's report with the profile to this page.")
@json_option
def model_command(build_dir: Path, on: list[str] | None, html: Path | None, as_json: bool) -> int:
    """Count each op of the build directory DIR: instructions (exact), share, chosen kernel, multiply-accumulates.

    Figures are means over the build's golden vectors. Exits with 1 when an output is not bit-exact.
    """
    from emberc.bench import bench_model

    console = Console(json_only=as_json)
    with Progress(console.out) as progress:
        progress.begin("  counting")
        runs = bench_model(build_dir, on or [])
    if html is not None:
        _write_page(build_dir, html, runs)
    if as_json:
        console.result({"runs": [run.to_json() for run in runs]})
    else:
        for run in runs:
            _print_model(console, run)
    return EXIT_OK if not any(run.mismatches for run in runs) else EXIT_FAILED


def _write_page(build_dir: Path, path: Path, runs: list[ModelBench]) -> None:
    from emberc.report import render_html

    page = render_html(
        read_report(build_dir)[0], read_json(build_dir, "memory_plan.json"), [run.to_json() for run in runs]
    )
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as e:
        raise UsageError(f"can't write '{path}': {e.strerror}") from e


def _print_model(console: Console, run: ModelBench) -> None:
    sums = f"{run.instructions:,} instructions, {run.macs:,} MACs, {run.runtime_bytes:,} bytes of kernels"
    console.line(f"{run.on}: {sums}", bold=True)
    rows = [
        (
            row.node or "-",
            row.op,
            row.kernel,
            f"{row.macs:,}",
            f"{row.instructions:,}",
            f"{row.instructions / row.macs:.3f}" if row.macs else "-",
            "-" if row.modelled_cycles is None else f"{row.modelled_cycles:,}",
            f"{row.share:.1%}",
        )
        for row in run.rows
    ]
    console.table(_MODEL_HEADER, rows)
    for line in run.flame():
        console.line(line)


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
