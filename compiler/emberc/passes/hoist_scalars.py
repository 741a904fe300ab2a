"""hoist-scalars: one number on a factor becomes one number on the product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import op_class
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, op, scalar, splat
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass


@dataclass(frozen=True)
class HoistScalars(RewritePass):
    """matmul(mul(x, c), y)    -->  mul(matmul(x, y), c)     and the same for y
    reshape(mul(x, c))         -->  mul(reshape(x), c)       transpose likewise
    mul(mul(x, c), d)          -->  mul(x, c*d)

    Attention's scale, which exporters put on Q, on K, half on each or on the scores, ends on the scores; a gain on
    an activation ends in the next layer's weights. After fuse-gelu, whose halves must not be taken away.
    """

    name: ClassVar[str] = "hoist-scalars"

    def rules(self) -> Sequence[Rule]:
        x, y = any_value("x"), any_value("y")
        scaled_x, scaled_y = op("f.mul", x, scalar(name="c")), op("f.mul", y, scalar(name="c"))
        return [
            (op("f.matmul", scaled_x, y), _from_factor),
            (op("f.matmul", x, scaled_y), _from_factor),
            (op("f.transpose", scaled_x), _from_move),
            (op("f.reshape", scaled_x), _from_move),
            (op("f.mul", scaled_x, scalar(name="d")), _merge),
        ]


def scale(b: Builder, x: Value, c: float) -> Value:
    """x * c, with c of x's element type."""
    return b.emit(op_class("f.mul"), x, b.const(np.asarray(c, x.type.dtype.numpy)))


def number(m: Match, name: str) -> float:
    """The number that a pattern's ``scalar`` bound."""
    value = splat(m[name])
    assert value is not None
    return value


def _one_number(v: Value, x: Value) -> bool:
    """Whether ``v`` holds one number and multiplying ``x`` by it leaves the rank alone."""
    return v.type.elements == 1 and v.type.rank <= x.type.rank


def _from_factor(m: Match, b: Builder) -> Replacement:
    x, y = m["x"], m["y"]
    if not _one_number(m["c"], x) or not _one_number(m["c"], y):
        return None
    return scale(b, b.emit(op_class("f.matmul"), x, y), number(m, "c"))


def _from_move(m: Match, b: Builder) -> Replacement:
    if not _one_number(m["c"], m["x"]):
        return None
    return scale(b, b.emit(type(m.root), m["x"], **m.root.attrs), number(m, "c"))


def _merge(m: Match, b: Builder) -> Replacement:
    if not _one_number(m["c"], m["x"]) or not _one_number(m["d"], m["x"]):
        return None
    return scale(b, m["x"], number(m, "c") * number(m, "d"))
