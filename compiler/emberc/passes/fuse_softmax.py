"""fuse-softmax: softmax from exponentials and their sum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import Op, op_class
from emberc.ir.rewrite import Match, Pattern, Replacement, Rule, any_value, op
from emberc.ir.values import Value
from emberc.passes.fuse_fast_norm import reshaped
from emberc.passes.manager import RewritePass


@dataclass(frozen=True)
class FuseSoftmax(RewritePass):
    """exp(x - max(x)) / sum(exp(x - max(x)))  -->  softmax(x)      over the last axis

    The maximum may have been limited from below by -inf, as JAX does for empty rows.
    """

    name: ClassVar[str] = "fuse-softmax"

    def rules(self) -> Sequence[Rule]:
        x = any_value("x")
        most = reshaped(op("f.reduce", x, where=_last("max")))
        limited = reshaped(op("f.max", any_value(accepts=_lowest), most)) | most

        def exponential() -> Pattern:
            return op("f.exp", op("f.sub", x, limited))

        total = reshaped(op("f.reduce", exponential(), where=_last("sum")))
        return [(op("f.div", exponential(), total), _softmax)]


def _lowest(v: Value) -> bool:
    return v.const is not None and bool(np.isneginf(v.const).all())


def _last(kind: str) -> Callable[[Op], bool]:
    def where(o: Op) -> bool:
        axes, x = o.attrs["axes"], o.operands[0]
        rank = x.type.rank if x is not None else 0
        return o.attrs["kind"] == kind and isinstance(axes, list) and [a % rank for a in axes] == [rank - 1]

    return where


def _softmax(m: Match, b: Builder) -> Replacement:
    x = m["x"]
    return b.emit(op_class("f.softmax"), x, axis=x.type.rank - 1) if m.root.result.shape == x.shape else None
