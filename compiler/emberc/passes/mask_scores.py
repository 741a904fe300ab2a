"""mask-scores: a mask on scores that no attention op has taken in becomes a choice instead of a sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import op_class
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, op, splat
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass
from emberc.passes.masks import HUGE, mask_and_bias

#: what is written for minus infinity: finite, and beyond any score
NEVER = -1e4


@dataclass(frozen=True)
class MaskScores(RewritePass):
    """softmax(scores + mask)               -->  softmax(where(seen, scores, NEVER))
    softmax(where(seen, scores, -inf))   -->  the same

    Added, the mask's -3.4e38 would stretch the range that integers span until all scores are equal. Chosen, it is the
    lowest integer, and quantization leaves just room enough below the scores (``quant.precision``).
    """

    name: ClassVar[str] = "mask-scores"

    def rules(self) -> Sequence[Rule]:
        x, y, c = any_value("x"), any_value("y"), any_value("c")
        return [
            (op("f.softmax", op("f.add", x, y, name="sum")), _added),
            (op("f.softmax", op("f.where", c, x, y)), _chosen),
        ]


def _softmax(m: Match, seen: Value, scores: Value, b: Builder) -> Replacement:
    never = b.const(np.array(NEVER, np.float32))
    return b.emit(op_class("f.softmax"), b.emit(op_class("f.where"), seen, scores, never), **m.root.attrs)


def _added(m: Match, b: Builder) -> Replacement:
    for scores, extra in ((m["x"], m["y"]), (m["y"], m["x"])):
        terms = mask_and_bias(extra, b)
        if terms is not None and terms[0] is not None and terms[1] is None:
            return _softmax(m, terms[0], scores, b)
    return None


def _chosen(m: Match, b: Builder) -> Replacement:
    for scores, other, negate in ((m["x"], m["y"], False), (m["y"], m["x"], True)):
        fill = splat(other)
        if fill is not None and fill <= HUGE and fill != NEVER:
            return _softmax(m, b.emit(op_class("f.not"), m["c"]) if negate else m["c"], scores, b)
    return None
