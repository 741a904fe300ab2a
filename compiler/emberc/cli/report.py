"""``emberc report``: what a build directory says about itself, and whether its memory plan is sound."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emberc.cli.console import Console
from emberc.cli.values import examples, json_option
from emberc.errors import UsageError

if TYPE_CHECKING:
    from emberc.report import Report

_EXAMPLES = examples(
    "emberc report build",
    "emberc report build --check --map --layers",
    "emberc report build --json",
)


@click.command("report", epilog=_EXAMPLES, short_help="Show a build's report; check its memory plan.")
@click.argument("build_dir", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Verify memory_plan.json: no overlap, true bounds.")
@click.option("--map", "show_map", is_flag=True, help="Draw the arena: steps from left to right, addresses upwards.")
@click.option("--layers", is_flag=True, help="List the accuracy of every layer, worst first; and what got 16 bits.")
@json_option
def report_command(build_dir: Path, check: bool, show_map: bool, layers: bool, as_json: bool) -> int:
    """Show the report of the build in DIR: memory, accuracy, notes. The same with pictures is in DIR/report.html.

    --check verifies the memory plan with a checker that shares no code with the planner; exits with 1 when the
    plan is unsound, claims a bound that is not true, was edited, or is another model's.
    """
    from emberc.memory import check_certificate
    from emberc.report import MemoryMap, render, render_choices, render_layers

    console = Console(json_only=as_json)
    report, data = read_report(build_dir)
    plan = read_json(build_dir, "memory_plan.json") if check or show_map else {}
    plans = 0
    if check:
        build = read_json(build_dir, "manifest.json")
        plans = check_certificate(plan, model=str(build.get("model_hash")), arena=build.get("arena_bytes", 0))
    if as_json:
        console.result({**data, "memory_plan_checked": True} if check else data)
        return 0
    console.line(f"{'model':<10} {report.model} on {report.target}")
    console.line(render(report))
    if layers:
        console.line(render_layers(report.layers))
        if report.choices:
            console.line(render_choices(report.choices))
    if show_map:
        for picture in MemoryMap.of(plan):
            console.line(picture.text())
    if check:
        parts = f"{len(plan['order'])} steps, {len(plan['tensors'])} tensors, {plans - 1} loops"
        console.line(f"{'checked':<10} {parts}: the plan is sound")
    return 0


def read_report(folder: Path) -> tuple[Report, dict[str, Any]]:
    """The report of a build directory, and its JSON. Raises UsageError when it is missing or damaged."""
    from emberc.report import Report

    data = read_json(folder, "report.json")
    try:
        return Report.from_json(data), data
    except (KeyError, TypeError, AttributeError) as e:
        raise _damaged(folder, "report.json", f"{type(e).__name__}: {e}") from e


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """The object in a JSON file of a build directory. Raises UsageError when it is missing or damaged."""
    path = folder / name
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise UsageError(
            f"'{folder}' is not a build directory: it has no {name}", hints=[f"emberc compile MODEL -o {folder}"]
        ) from None
    except ValueError as e:
        raise _damaged(folder, name, str(e)) from e
    if not isinstance(data, dict):
        raise _damaged(folder, name, "it holds no object")
    return data


def _damaged(folder: Path, name: str, why: str) -> UsageError:
    return UsageError(
        f"{name} is damaged: {why}", at=str(folder / name), hints=[f"emberc compile MODEL -o {folder} writes it again"]
    )
