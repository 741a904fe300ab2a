"""fuse-embedding: table look-ups that are added up become one op."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import Op, op_class
from emberc.ir.rewrite import Match, Pattern, Replacement, Rule, any_value, constant, op
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass


@dataclass(frozen=True)
class FuseEmbedding(RewritePass):
    """gather(T, ids)                       -->  embed(ids; T)
    embed(i..; T..) + embed(j..; U..)       -->  embed(i.., j..; T.., U..)
    embed(ids..; T..) + constant rows       -->  the constant is one more table, indexed by position

    A constant row (a fixed token type) is added to a table that is there already.
    """

    name: ClassVar[str] = "fuse-embedding"

    def rules(self) -> Sequence[Rule]:
        left, right = _any_embed("left"), _any_embed("right")
        return [
            (op("f.gather", constant("table"), any_value("ids"), where=_row_gather), _embed),
            (op("f.add", left, right), _join),
            (op("f.add", left, constant("rows")), _absorb),
        ]


def _any_embed(name: str) -> Pattern:
    return any_value(name, lambda v: v.producer is not None and v.producer.opcode == "f.embed")


def _row_gather(o: Op) -> bool:
    table = o.operands[0]
    return o.attrs.get("axis") == 0 and table is not None and table.type.rank == 2 and table.type.dtype.is_float


def _embed(m: Match, b: Builder) -> Replacement:
    if m["ids"].const is not None or m["ids"].type.rank == 0:
        return None
    return b.emit(op_class("f.embed"), [m["ids"], m["table"]])


def _parts(v: Value) -> tuple[list[Value], list[Value]]:
    assert v.producer is not None
    parts = [p for p in v.producer.operands if p is not None]
    half = len(parts) // 2
    return parts[:half], parts[half:]


def _join(m: Match, b: Builder) -> Replacement:
    if m["left"] is m["right"] or m["left"].shape != m["right"].shape:
        return None
    if not m.private(m["left"]) or not m.private(m["right"]):
        return None
    ids, tables = _parts(m["left"])
    more_ids, more_tables = _parts(m["right"])
    return b.emit(op_class("f.embed"), [*ids, *more_ids, *tables, *more_tables])


def _absorb(m: Match, b: Builder) -> Replacement:
    """Constant rows: one row goes into the smallest table, several become a table indexed by position."""
    rows, y = m.const("rows"), m["left"]
    if not m.private(y) or m.root.result.shape != y.shape:
        return None
    ids, tables = _parts(y)
    length, d = y.shape[-2:]
    if rows.shape[-1:] != (d,):
        return None
    if rows.size == d:
        i = min(range(len(tables)), key=lambda k: tables[k].type.elements)
        table = tables[i].const
        assert table is not None
        tables[i] = b.const(table + rows.reshape(d), tables[i].name)
        return b.emit(op_class("f.embed"), [*ids, *tables])
    if rows.size != length * d or rows.shape[-2] != length:
        return None
    known = next((i for i, v in enumerate(ids) if _is_position(v)), None)
    if known is not None:
        table = tables[known].const
        assert table is not None
        tables[known] = b.const((table[:length] + rows.reshape(length, d)).astype(table.dtype), tables[known].name)
    else:
        position = np.arange(length).reshape([1] * (len(y.shape) - 2) + [length])
        ids, tables = [*ids, b.const(position)], [*tables, b.const(rows.reshape(length, d), m["rows"].name)]
    return b.emit(op_class("f.embed"), [*ids, *tables])


def _is_position(v: Value) -> bool:
    return v.const is not None and bool(np.array_equal(v.const.reshape(-1), np.arange(v.const.size)))
