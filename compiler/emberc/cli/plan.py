"""``emberc plan``: the memory planner on buffers of your own."""

from __future__ import annotations

from pathlib import Path

import click

from emberc.cli.console import Console, Progress
from emberc.cli.values import examples, json_option, size_option

_EXAMPLES = examples("emberc plan buffers.csv", "emberc plan buffers.csv --capacity 64KiB --json",
                     "emberc plan thousands.csv --effort 100")  # fmt: skip


@click.command("plan", epilog=_EXAMPLES, short_help="Place buffers of a CSV file in memory.")
@click.argument("file", metavar="BUFFERS.csv", type=click.Path(path_type=Path))
@size_option("--capacity", "Stop as soon as they fit in this many bytes; exit with 3 when they don't.")
@click.option("--effort", type=click.IntRange(min=0), metavar="N",
              help="How long to search, about N seconds, counted so that results repeat. "
                   "[default: 24 up to 450 buffers, falling to 2 for 1,000]")  # fmt: skip
@json_option
def plan_command(file: Path, capacity: int | None, effort: int | None, as_json: bool) -> int:
    """Give every buffer of BUFFERS.csv an offset so that none overlap while they live, in the least memory found.

    The columns are id, lower, upper and size, named by the first line: a buffer of size bytes lives in the steps
    lower <= t < upper. The answer says whether it is proved to be the smallest. This places in one memory; over the
    several memories of a target `emberc compile` spreads a model's buffers, by the accesses that kernels make.
    """
    from emberc.memory.csvtool import plan_csv

    console = Console(json_only=as_json)
    with Progress(console.out) as progress:
        progress.begin(f"  placing {file.name}")
        plan = plan_csv(file, capacity, effort)
    if as_json:
        console.result(plan.to_json())
    else:
        console.line(plan.to_text())
    return 0
