"""``emberc passes``: every pass with what it does and its options, straight from its class."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, Field, fields
from typing import TYPE_CHECKING, Any

import click

from emberc.cli.console import Console
from emberc.cli.values import examples, json_option

if TYPE_CHECKING:
    from emberc.passes import Pass

_EXAMPLES = examples("emberc passes", "emberc compile model.onnx --passes canonicalize,quantize{observer=mse} -o build")


@click.command("passes", epilog=_EXAMPLES, short_help="List the passes and the default pipeline.")
@json_option
def passes_command(as_json: bool) -> int:
    """List all passes, those of installed extensions included, and the order in which they run by default."""
    from emberc.passes import PASSES, default_pipeline
    from emberc.passes.manager import load_entry_points

    load_entry_points()
    console = Console(json_only=as_json)
    pipeline = default_pipeline().names()
    if as_json:
        listed = [{"name": n, "summary": summary(p), "options": _options(p)} for n, p in sorted(PASSES.items())]
        console.result({"passes": listed, "default_pipeline": pipeline})
        return 0
    width = max(map(len, PASSES))
    for name, cls in sorted(PASSES.items()):
        console.line(f"  {name:<{width}}  {summary(cls)}")
        for option in _options(cls):
            console.line(f"  {'':<{width}}    {option['name']}={option['default']}  ({option['type']})")
    console.line("\ndefault pipeline", bold=True)
    console.words(pipeline, indent=2)
    return 0


def summary(cls: type[Pass]) -> str:
    """The first line of a pass's docstring."""
    return " ".join((inspect.getdoc(cls) or "").partition("\n")[0].split())


def _options(cls: type[Pass]) -> list[dict[str, Any]]:
    from emberc.passes.manager import option_types

    types = option_types(cls)
    return [{"name": f.name.replace("_", "-"), "type": types[f.name], "default": _default(f)} for f in fields(cls)]


def _default(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else None
