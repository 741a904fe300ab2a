"""Rows that unrolled steps write into a buffer one by one, joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.graph import Function
from emberc.ir.op import Op, op_class
from emberc.ir.values import Value


def join_written_rows(function: Function) -> bool:
    """where(row 1, v1, where(row 0, v0, buffer))  -->  concat(v0, v1)

    Every selection takes one row (an index of one axis, known at compile time) from a value that holds no more than
    that row; together they take all rows, so nothing of the buffer is left. Loops that write ``y[t] = ..`` export so.
    """
    writes = {id(w.op.result): w for w in map(_write, function.ops) if w is not None}
    inner = {id(w.before) for w in writes.values()}
    changed = False
    for write in [w for key, w in writes.items() if key not in inner]:
        rows: dict[int, Value] = {}
        at: _Write | None = write
        while at is not None and at.axis == write.axis:
            rows.setdefault(at.row, at.value)  # the outermost write of a row is the last one
            at = writes.get(id(at.before))
        shape = write.op.result.shape
        if len(rows) != shape[write.axis]:
            continue
        builder = Builder(write.op.loc)
        one = [1 if i == write.axis else n for i, n in enumerate(shape)]
        parts = [_expanded(rows[i], one, builder) for i in range(len(rows))]
        joined = builder.emit(op_class("f.concat"), parts, axis=write.axis) if len(parts) > 1 else parts[0]
        function.ops += builder.ops
        function.replace(write.op.result, joined)
        changed = True
    if changed:
        function.sort()
        function.prune()
    return changed


@dataclass(frozen=True)
class _Write:
    """op = before, but ``value`` in row ``row`` of ``axis``."""

    op: Op
    before: Value
    value: Value
    axis: int
    row: int


def _write(op: Op) -> _Write | None:
    if op.opcode != "f.where":
        return None
    mask, value, before = op.operands
    if mask is None or mask.const is None or value is None or before is None or before.type != op.result.type:
        return None
    taken = np.atleast_1d(mask.const)
    axes = [i for i, n in enumerate(taken.shape) if n > 1]
    if len(axes) != 1 or taken.sum() != 1:
        return None
    axis = axes[0] + op.result.type.rank - taken.ndim
    own = axis - (op.result.type.rank - value.type.rank)
    if own >= 0 and value.shape[own] != 1:
        return None
    return _Write(op, before, value, axis, int(np.argmax(taken)))


def _expanded(v: Value, shape: list[int], b: Builder) -> Value:
    return v if list(v.shape) == shape else b.emit(op_class("f.expand"), v, shape=shape)
