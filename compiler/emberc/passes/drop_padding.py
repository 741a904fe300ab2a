"""drop-padding: rows that are filled up before a computation and cut off after it are not computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from emberc.ir.builder import Builder
from emberc.ir.op import Op
from emberc.ir.ops.float_binary import Binary
from emberc.ir.ops.float_unary import Unary
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, op
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass


@dataclass(frozen=True)
class DropPadding(RewritePass):
    """slice(pad(x) + c * pad(z))   -->  x + c * z     what is cut off is what was filled up

    Through any element-wise ops that nothing else reads. Chunked scans fill the last chunk up (Dao and Gu, 2024); once
    the chunks are gone, the filling only stands between the scan, its skip and its gate.
    """

    name: ClassVar[str] = "drop-padding"

    def rules(self) -> Sequence[Rule]:
        return [(op("f.slice", any_value("x"), name="slice", where=_one_axis), _without)]


def _one_axis(o: Op) -> bool:
    return o.attrs["steps"] == [1]


def _without(m: Match, b: Builder) -> Replacement:
    cut, x = m.ops["slice"], m["x"]
    axes, starts = cut.attrs["axes"], cut.attrs["starts"]
    assert isinstance(axes, list) and isinstance(starts, list)
    taken = _Taken(x.type.rank - axes[0], starts[0], cut.results[0].shape[axes[0]])
    if not taken.drops(x):
        return None
    new = taken.of(x, b)
    return new if new.type == cut.results[0].type else None


@dataclass(frozen=True)
class _Taken:
    """``size`` rows from ``start`` on, along the axis that is ``back`` from the last."""

    back: int
    start: int
    size: int

    def drops(self, x: Value) -> bool:
        """Whether ``x`` is made of paddings of just these rows, and of what is the same in every row."""
        source = x.producer
        if source is None:
            return False
        if source.opcode == "f.pad":
            return self._filled(source)
        apart = len(x.users) == 1 and isinstance(source, Unary | Binary)
        return apart and all(self._same(v) or self.drops(v) for v in source.operands if v is not None)

    def of(self, x: Value, b: Builder) -> Value:
        """Those rows of ``x``."""
        source = x.producer
        if source is None or self._same(x):
            return x
        if source.opcode == "f.pad":
            assert source.operands[0] is not None
            return source.operands[0]
        operands = [None if v is None else self.of(v, b) for v in source.operands]
        b.loc = source.loc
        return b.emit(type(source), **dict(zip(source.operand_fields, operands, strict=True)), **source.attrs)

    def _same(self, v: Value) -> bool:
        return v.type.rank < self.back or v.shape[-self.back] == 1

    def _filled(self, pad: Op) -> bool:
        """Whether the padding goes along this axis alone, around as many rows as are taken."""
        x, pads = pad.operands[0], pad.attrs["pads"]
        assert x is not None and isinstance(pads, list)
        axis = x.type.rank - self.back
        others = [p for i, p in enumerate(pads) if i % x.type.rank != axis]
        return axis >= 0 and not any(others) and pads[axis] == self.start and x.shape[axis] == self.size
