"""fuse-one-hot: a product of one-hot rows is a table look-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import op_class
from emberc.ir.ops.float_unary import Unary
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, constant, op
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass
from emberc.passes.windows_last import unary_opcodes


@dataclass(frozen=True)
class FuseOneHot(RewritePass):
    """linear(ids == 0 1 2 .., W, b)  -->  gather(W^T + b, ids)
    f(gather(table, ids))          -->  gather(f(table), ids)      f of one variable

    An id that is in no table is EMBER_ERR_RANGE in firmware, where the floats have a row of zeros.
    """

    name: ClassVar[str] = "fuse-one-hot"

    def rules(self) -> Sequence[Rule]:
        ids, numbers, w = any_value("ids"), any_value("numbers", _counts), constant("w")
        looked_up = op("f.gather", constant("table"), any_value("ids"), name="gather")
        rules: list[Rule] = [(op(code, looked_up), _inside) for code in unary_opcodes()]
        for pair in ((ids, numbers), (numbers, ids)):
            hot = op("f.cast", op("f.equal", *pair))
            rules += [(op("f.linear", hot, w), _gather), (op("f.linear", hot, w, constant("b")), _gather)]
        return rules


def _counts(v: Value) -> bool:
    """0, 1, 2, .. along the last axis."""
    c = v.const
    if c is None or not c.ndim or c.size != c.shape[-1] or c.size < 2:
        return False
    return bool(np.array_equal(c.reshape(-1), np.arange(c.size)))


def _gather(m: Match, b: Builder) -> Replacement:
    ids, w, y = m["ids"], m.const("w"), m.root.result
    if ids.type.dtype.is_float or ids.shape != (*y.shape[:-1], 1):
        return None
    table = w.T + (m.const("b") if "b" in m else 0)
    rows = b.const(np.ascontiguousarray(table, w.dtype), m["w"].name)
    flat = b.emit(op_class("f.reshape"), ids, shape=list(y.shape[:-1]))
    return b.emit(op_class("f.gather"), rows, flat, axis=0)


def _inside(m: Match, b: Builder) -> Replacement:
    table, root = m["table"], m.root
    if not m.private(m.ops["gather"].result) or not isinstance(root, Unary) or not table.type.dtype.is_float:
        return None
    entries = b.emit(type(root), table, **root.attrs)
    if entries.const is None or root.result.type.dtype is not entries.type.dtype:
        return None
    named = b.const(entries.const, table.name)
    return b.emit(op_class("f.gather"), named, m["ids"], **m.ops["gather"].attrs)
