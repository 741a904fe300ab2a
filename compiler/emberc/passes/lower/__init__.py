"""Lowerings: how each float op becomes integer ops. One file a family; ``context.py`` has the registry.

A lowering reads the integer types that ``quant.precision`` chose, turns constants into integers and scales into
multipliers, and emits ``q.*`` ops. Users register one for an op of their own with ``emberc.lowering("my.op")``.
"""

from emberc.passes.lower import (
    attention,
    cells,
    elementwise,
    embed,
    index,
    linear,
    logic,
    magnitude,
    movement,
    norm,
    quantized,
    reduce,
    remap,
    rows,
    scan,
    window,
)
from emberc.passes.lower.context import LOWERINGS, Lowering, lowering

__all__ = [
    "LOWERINGS",
    "Lowering",
    "attention",
    "cells",
    "elementwise",
    "embed",
    "index",
    "linear",
    "logic",
    "lowering",
    "magnitude",
    "movement",
    "norm",
    "quantized",
    "reduce",
    "remap",
    "rows",
    "scan",
    "window",
]
