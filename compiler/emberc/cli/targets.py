"""``emberc targets``: what can be compiled for, and whether this machine has the tools."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import click

from emberc.cli.console import Console
from emberc.cli.values import examples, json_option

if TYPE_CHECKING:
    from emberc.targets import Target


@click.command(
    "targets", epilog=examples("emberc targets", "emberc targets --json"), short_help="List the boards and their tools."
)
@json_option
def targets_command(as_json: bool) -> int:
    """List the targets that come with emberc. A target of your own is a TOML file: give its path to --target."""
    from emberc.targets import load_target, target_names

    console = Console(json_only=as_json)
    targets = [load_target(name) for name in target_names()]
    missing = {t.name: _missing_tools(t) for t in targets}
    if as_json:
        console.result({"targets": [_json(t, missing[t.name]) for t in targets]})
        return 0
    rows = [
        (t.name, t.title, t.isa[-1], _size(t.flash_bytes), _size(t.ram_bytes), _tools(missing[t.name])) for t in targets
    ]
    console.table(("target", "board", "kernels", "flash", "RAM", "tools"), rows)
    packages = sorted({p for t in targets for tool in missing[t.name] for p in t.packages_for(tool).split()})
    if packages:
        console.line(f"\nto install what is missing: apt-get install -y {' '.join(packages)}")
    return 0


def _missing_tools(target: Target) -> list[str]:
    from emberc.harness.tools import required_tools

    return [tool for tool in required_tools(target, run=True) if shutil.which(tool) is None]


def _tools(missing: list[str]) -> str:
    return f"missing {', '.join(missing)}" if missing else "ready"


def _size(size: int | None) -> str:
    """KiB or MiB, in which boards' memories are sold; ``-`` where there is no limit."""
    if size is None:
        return "-"
    return f"{size / 1024**2:g} MiB" if size % 1024**2 == 0 else f"{size / 1024:g} KiB"


def _json(target: Target, missing: list[str]) -> dict[str, object]:
    return {
        "name": target.name,
        "title": target.title,
        "aliases": list(target.aliases),
        "cpu": target.cpu,
        "isa": list(target.isa),
        "flash_bytes": target.flash_bytes,
        "ram_bytes": target.ram_bytes,
        "emulated": target.emulator is not None,
        "missing_tools": missing,
    }
