"""What flags take: sizes, shapes, fixed inputs and lists; options that several commands share.

The parsers are click callbacks: they get the text of every use of a flag and return its value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def parse_size(ctx: click.Context, param: click.Parameter, text: str | None) -> int | None:
    """``2MiB``, ``300kB``, ``131072``: bytes."""
    from emberc.budget import parse_bytes

    return None if text is None else parse_bytes(text)


def parse_limits(ctx: click.Context, param: click.Parameter, texts: Sequence[str]) -> tuple[int | None, dict[str, int]]:
    """``512KiB`` for all of a kind, ``dtcm=64KiB,sram=256KiB`` by region, or both: (all, by region), bytes."""
    from emberc.budget import parse_bytes

    whole: int | None = None
    regions: dict[str, int] = {}
    for text in (part for given in texts for part in given.split(",")):
        name, given_name, size = text.rpartition("=")
        if given_name and (not name.strip() or name.strip().lower() in map(str.lower, regions)):
            raise click.BadParameter(f"'{text}' names no region, or one for the second time", ctx, param)
        if not given_name and whole is not None:
            raise click.BadParameter("two limits for all of it; write region=64KiB for one region", ctx, param)
        if given_name:
            regions[name.strip()] = parse_bytes(size)
        else:
            whole = parse_bytes(size)
    return whole, regions


def parse_shapes(ctx: click.Context, param: click.Parameter, texts: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """``input_ids=1x128``: static shapes by input name."""
    shapes = {}
    for text in texts:
        name, _, sizes = text.rpartition("=")
        if not name or not all(s.isascii() and s.isdigit() for s in sizes.split("x")):
            raise click.BadParameter(f"'{text}' is not a shape; write input=1x128", ctx, param)
        if name in shapes:
            raise click.BadParameter(f"'{text}' gives '{name}' a second shape", ctx, param)
        shapes[name] = tuple(map(int, sizes.split("x")))
    return shapes


def parse_fixed(ctx: click.Context, param: click.Parameter, texts: Sequence[str]) -> dict[str, int | float]:
    """``token_type_ids=0``: by input name the number that fills it."""
    fixed: dict[str, int | float] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not name or not math.isfinite(value):
            raise click.BadParameter(f"'{text}' fixes no input; write input=0", ctx, param)
        if name in fixed:
            raise click.BadParameter(f"'{text}' fixes '{name}' for the second time", ctx, param)
        fixed[name] = int(value) if value.is_integer() else value
    return fixed


def parse_states(ctx: click.Context, param: click.Parameter, texts: Sequence[str]) -> dict[str, str]:
    """``h0=hn``, or ``past.*=present.*``: the output that an input takes from the call before."""
    states: dict[str, str] = {}
    for text in texts:
        name, _, after = text.partition("=")
        if not name or not after or name.count("*") != after.count("*") or name.count("*") > 1:
            raise click.BadParameter(f"'{text}' is no state; write input=output, or in.*=out.*", ctx, param)
        states[name] = after
    return states


def parse_names(ctx: click.Context, param: click.Parameter, texts: Sequence[str]) -> list[str]:
    """``host,cortex-m7``, or the flag more than once: a list of names."""
    names = [name.strip() for text in texts for name in text.split(",")]
    if not all(names):
        raise click.BadParameter("a name is empty; write a,b", ctx, param)
    return names


def size_option(flag: str, about: str) -> Callable[[F], F]:
    """A flag that takes a size in bytes."""
    return click.option(flag, metavar="SIZE", callback=parse_size, help=about)


def limit_option(flag: str, about: str) -> Callable[[F], F]:
    """A repeatable flag that takes a size, or sizes by region."""
    metavar = "SIZE | REGION=SIZE,.."
    return click.option(flag, metavar=metavar, multiple=True, callback=parse_limits, help=about)


def names_option(flag: str, about: str, **more: Any) -> Callable[[F], F]:
    """A repeatable flag that takes names separated by commas."""
    return click.option(flag, metavar="A,B", multiple=True, callback=parse_names, help=about, **more)


def signature_options(command: F) -> F:
    """``--shape`` and ``--fix``: what makes a model's inputs static."""
    shape = click.option(
        "--shape",
        "shapes",
        metavar="INPUT=1x128",
        multiple=True,
        callback=parse_shapes,
        help="Static shape of an input; repeatable.",
    )
    fix = click.option(
        "--fix",
        metavar="INPUT=0",
        multiple=True,
        callback=parse_fixed,
        help="Make an input constant; repeatable.",
    )
    return shape(fix(command))


def json_option(command: F) -> F:
    """``--json``: one object on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, nothing else.")(
        command
    )


def examples(*lines: str) -> str:
    """The epilog of a command's help."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
