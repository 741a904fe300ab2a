"""Elementwise expressions of one truth value and constants: one number where it is false, another where it is true.

Exporters and authors spell a mask in many ways: where(m, 0, -inf), (1 - m) * -1e9, (m - 1) * 1e9, log(m + 1e-45),
masked_fill(1 - m, (1 - m).bool(), -inf). Evaluated on both truth values they are all the same table of two entries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import Op, op_class
from emberc.ir.types import Array, DType
from emberc.ir.values import Value

MOVES = ("f.reshape", "f.expand", "f.transpose", "f.slice")
ELEMENTWISE = frozenset(
    {
        *("f.add", "f.sub", "f.mul", "f.div", "f.max", "f.min", "f.where", "f.and", "f.or", "f.xor", "f.not"),
        *("f.equal", "f.less", "f.less_or_equal", "f.greater", "f.greater_or_equal", "f.cast", "f.clip", "f.relu"),
        *("f.neg", "f.abs", "f.sign", "f.log", "f.exp", "f.sqrt", "f.pow"),
    }
)


@dataclass(frozen=True)
class TwoValued:
    """``off`` where ``flag`` (truth values, or integers that are 0 or 1) is false, ``on`` where it is true."""

    flag: Value
    off: Array
    on: Array

    def truth(self, b: Builder) -> Value:
        """``flag`` as truth values."""
        if self.flag.type.dtype is DType.BOOL:
            return self.flag
        return b.emit(op_class("f.cast"), self.flag, to=DType.BOOL.value)

    @property
    def is_flag(self) -> bool:
        return bool(self.off == 0) and bool(self.on == 1)


def two_valued(v: Value, b: Builder, seen: dict[int, TwoValued | None] | None = None) -> TwoValued | None:
    """The table of ``v``, with a flag of its shape; None where it is no such expression. ``seen``: answers, by id."""
    seen = {} if seen is None else seen
    if id(v) not in seen:
        found = None if v.const is not None else _from_producer(v, b, seen)
        if found is None and v.type.dtype is DType.BOOL and v.const is None:
            found = TwoValued(v, np.array(False), np.array(True))
        if found is not None and found.flag.shape != v.shape:
            found = replace(found, flag=b.emit(op_class("f.expand"), found.flag, shape=list(v.shape)))
        seen[id(v)] = found
    return seen[id(v)]


def _from_producer(v: Value, b: Builder, seen: dict[int, TwoValued | None]) -> TwoValued | None:
    root = v.producer
    if root is None or (root.opcode not in MOVES and root.opcode not in ELEMENTWISE):
        return None
    operands = [o for o in root.operands if o is not None]
    if root.opcode == "f.cast" and operands[0].type.dtype.is_integer:
        kind = v.type.dtype.numpy
        return TwoValued(operands[0], np.array(0, kind), np.array(1, kind)) if v.type.dtype.is_float else None
    numbers = [_number(o) for o in operands]
    tables = [two_valued(o, b, seen) for o, n in zip(operands, numbers, strict=True) if n is None]
    found = [t for t in tables if t is not None]
    if not found or len(found) < len(tables):
        return None
    first = found[0]
    if root.opcode in MOVES:
        return replace(first, flag=b.emit(type(root), first.flag, **root.attrs))
    if any(t.flag is not first.flag for t in found):
        both = root.opcode == "f.mul" and len(found) == 2 and all(t.is_flag for t in found)
        return replace(first, flag=b.emit(op_class("f.and"), *(t.truth(b) for t in found))) if both else None
    return TwoValued(first.flag, *(_evaluate(root, numbers, [getattr(t, end) for t in found]) for end in ("off", "on")))


def _number(v: Value) -> Array | None:
    """The one element that a constant repeats; None for anything else."""
    data = v.const
    if data is None or data.size == 0 or not bool(np.all(data == data.reshape(-1)[0])):
        return None
    number: Array = data.reshape(-1)[0].reshape(())
    return number


def _evaluate(root: Op, numbers: list[Array | None], tables: list[Array]) -> Array:
    """``root`` on the constants among its operands and one entry of each other operand's table."""
    entries = iter(tables)
    with np.errstate(all="ignore"):
        return np.asarray(root.reference(*(next(entries) if n is None else n for n in numbers)))
