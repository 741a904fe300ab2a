"""fuse-magnitude: the length of two components from squares, sum and root."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from emberc.ir.builder import Builder
from emberc.ir.op import op_class
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, op
from emberc.passes.manager import RewritePass


@dataclass(frozen=True)
class FuseMagnitude(RewritePass):
    """sqrt(x*x + y*y)  -->  magnitude(x, y)

    The squares span twice the bits of the parts: apart, no integer type of theirs holds quiet and loud ones.
    """

    name: ClassVar[str] = "fuse-magnitude"

    def rules(self) -> Sequence[Rule]:
        x, y = any_value("x"), any_value("y")
        squares = op("f.mul", x, x), op("f.mul", y, y)
        return [(op("f.sqrt", op("f.add", *squares)), _magnitude)]


def _magnitude(m: Match, b: Builder) -> Replacement:
    x, y = m["x"], m["y"]
    return b.emit(op_class("f.magnitude"), x, y) if x.type == y.type else None
