"""``report.html``: the report as one self-contained page. No script or style comes from elsewhere.

Pictures are SVG made here; the page's few lines of script only show the tooltip under the pointer. Names come from
the model file, which is untrusted: the template escapes every one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import jinja2

from emberc.quant.widen import Choice
from emberc.report.memory_map import Bar, MemoryMap, bars, boxes
from emberc.report.model import Report
from emberc.report.text import kilobytes, render

#: user units of the memory map
_WIDTH, _HEIGHT = 1000.0, 420.0
#: layers, and choices of 16 bits, that the page lists
_LAYERS = 60


def render_html(report: Report, plan: Mapping[str, Any], profiles: Sequence[Mapping[str, Any]] = ()) -> str:
    """The page. ``plan`` is the content of ``memory_plan.json``, ``profiles`` runs of ``emberc bench model --json``.

    Raises UsageError for a damaged plan.
    """
    return (
        _templates()
        .get_template("report.html.j2")
        .render(
            report=report,
            memory=report.memory,
            kilobytes=kilobytes,
            summary=render(report),
            pictures=[_picture(picture) for picture in MemoryMap.of(plan)],
            width=_WIDTH,
            height=_HEIGHT,
            flash=bars(_flash(report)),
            layers=report.layers[:_LAYERS],
            choices=_choices(report),
            left_out=max(0, len(report.layers) - _LAYERS),
            profiles=[(p, _flame(p)) for p in profiles],
        )
    )


def _choices(report: Report) -> list[Choice]:
    """Those with 16 bits, then the others, as many as the page lists of layers."""
    return sorted(report.choices, key=lambda c: c.dtype != "i16")[:_LAYERS]


def _picture(picture: MemoryMap) -> dict[str, Any]:
    """What the template draws of one arena."""
    step = _WIDTH / max(1, len(picture.steps))
    return {
        "map": picture,
        "boxes": boxes(picture, _WIDTH, _HEIGHT),
        "peak": None if picture.peak is None else (picture.peak * step, step),
        "bound_y": _HEIGHT * (1 - picture.bound / picture.arena) if picture.arena else 0,
    }


def _flash(report: Report) -> list[tuple[str, int]]:
    """Flash by tensor; what is not a constant's own bytes is packing, parameters of kernels, and code."""
    flash = report.memory.flash
    named = [*report.largest]
    rest = flash.weights + flash.tables - sum(n for _, n in named)
    named += [("packing and kernel parameters", rest)] if rest > 0 else []
    return named + ([("code", flash.code)] if flash.code else [])


def _flame(profile: Mapping[str, Any]) -> list[Bar]:
    """One bar an op in execution order, its share of the model's instructions."""
    return [
        Bar(
            f"{row['op']} {row['node']}".strip(),
            f"{row['instructions']:,} instructions, {row['share']:.1%}, {row['kernel']}"
            + (f", {row['instructions'] / row['macs']:.3f} per MAC" if row["macs"] else ""),
            float(row["share"]),
        )
        for row in profile["rows"]
    ]


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("emberc.report"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
