"""Associative scans: the tree of slices, products and sums that parallel scans unfold to, told from what it computes.

Every element that is followed carries the steps that it stands for: A(i..j) is the product of decays i to j, B(i..j)
the state after step j from nothing before step i. Two neighbours combine as the scan does,

    A(i..j) * A(j+1..k) = A(i..k)        A(j+1..k) * B(i..j) + B(j+1..k) = B(i..k)

and movement carries them along. A tensor in which element t is B(0..t) is the recurrence, however the tree was cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.graph import Function
from emberc.ir.op import Op, op_class
from emberc.ir.types import Array
from emberc.ir.values import Value
from emberc.passes.equivalence import equal_on_random
from emberc.passes.reroll import discard

_MOVES = ("f.slice", "f.concat", "f.reshape", "f.transpose", "f.pad", "f.expand")
#: kinds of element: 0 and 1 as numbers, decays, states, a decay times a state, anything else
_ZERO, _ONE, _A, _B, _AB, _OTHER = range(6)


@dataclass(frozen=True)
class _Steps:
    """Per element: what it is, its first step, its last, and for _AB the first step of the decay."""

    kind: Array
    first: Array
    last: Array
    middle: Array

    @staticmethod
    def of(kind: int, step: Array) -> _Steps:
        """Elements of one kind that each stand for one step."""
        step = step.astype(np.int32)
        return _Steps(np.full(step.shape, kind, np.int8), step, step, step)

    def arrays(self) -> list[Array]:
        return [self.kind, self.first, self.last, self.middle]

    def where(self, mask: Array, kind: Array | int, first: Array, last: Array, middle: Array | int = 0) -> _Steps:
        """The same, but these where ``mask`` holds."""
        new = (kind, first, last, middle)
        return _Steps(*[np.where(mask, n, a).astype(a.dtype) for n, a in zip(new, self.arrays(), strict=True)])

    def are_states(self, step: Array) -> bool:
        """Whether every element is the state after its step from the very beginning."""
        return bool(((self.kind == _B) & (self.first == 0) & (self.last == step)).all())


@dataclass(frozen=True)
class _Seed:
    """The operands of a scan along ``axis``."""

    decay: Value
    update: Value
    axis: int


def recover_trees(function: Function) -> bool:
    """Puts f.recurrence in place of every associative scan; returns whether there was one."""
    changed = False
    alive = {id(op) for op in function.ops}
    for op in list(function.ops):
        if id(op) in alive and any(_recover(function, seed) for seed in _seeds(op)):
            alive = {id(o) for o in function.ops}  # without the tree's inner levels, which are scans themselves
            changed = True
    return changed


def _seeds(op: Op) -> Iterator[_Seed]:
    """Every way to read a sum as a[..] * b[..] + b[..] over parts of two tensors of one shape."""
    if op.opcode != "f.add":
        return
    for product, rest in (op.operands, op.operands[::-1]):
        if product is None or rest is None or product.producer is None or product.producer.opcode != "f.mul":
            continue
        update, along = _source(rest)
        for a, b in (product.producer.operands, product.producer.operands[::-1]):
            if a is None or b is None:
                continue
            (decay, _), (same, across) = _source(a), _source(b)
            axis = along if across is None else across
            if axis is not None and same is update and decay is not update and decay.shape == update.shape:
                yield _Seed(decay, update, axis)


def _source(v: Value) -> tuple[Value, int | None]:
    """The tensor that a value is a part of, and the axis along which it is."""
    axis: int | None = None
    while v.producer is not None and v.producer.opcode in ("f.slice", "f.pad") and v.producer.operands[0] is not None:
        axes = v.producer.attrs.get("axes")
        if isinstance(axes, list) and len(axes) == 1:
            axis = int(axes[0])
        v = v.producer.operands[0]
    return v, axis


def _recover(function: Function, seed: _Seed) -> bool:
    states = _states(function, seed)
    if states is None or states.producer is None:
        return False
    builder = Builder(states.producer.loc)
    new = builder.emit(op_class("f.recurrence"), seed.decay, seed.update, None, axis=seed.axis)
    if not equal_on_random([states], [new], [seed.decay, seed.update]):
        discard(builder)
        return False
    function.ops += builder.ops
    function.replace(states, new)
    function.sort()
    function.prune()
    return True


def _states(function: Function, seed: _Seed) -> Value | None:
    """The tensor in which every element holds the state after its step."""
    shape = seed.update.shape
    step = np.broadcast_to(
        np.arange(shape[seed.axis]).reshape([-1 if i == seed.axis else 1 for i in range(len(shape))]), shape
    )
    known = {id(seed.decay): _Steps.of(_A, step), id(seed.update): _Steps.of(_B, step)}
    for op in function.ops:
        operands = [v for v in op.operands if v is not None]
        if len(op.results) != 1 or not any(id(v) in known for v in operands):
            continue
        found = _apply(op, operands, known)
        if found is None:
            continue
        known[id(op.result)] = found
        if op.result.shape == shape and found.are_states(step):
            return op.result
    return None


def _apply(op: Op, operands: list[Value], known: dict[int, _Steps]) -> _Steps | None:
    if op.opcode not in (*_MOVES, "f.add", "f.mul") or not all(id(v) in known for v in operands):
        return None
    parts = [known[id(v)] for v in operands]
    if op.opcode == "f.add":
        return _sum(*parts)
    if op.opcode == "f.mul":
        return _product(*parts)
    if op.opcode == "f.pad":
        return _padded(op, parts[0])
    return _Steps(*[np.asarray(op.reference(*columns)) for columns in zip(*[p.arrays() for p in parts], strict=True)])


def _padded(op: Op, x: _Steps) -> _Steps:
    """Around x lie zeros or ones: neutral to a sum and a product."""
    value, pads = op.attrs["value"], op.attrs["pads"]
    assert isinstance(pads, list)
    width = [(int(b), int(e)) for b, e in zip(pads[: len(pads) // 2], pads[len(pads) // 2 :], strict=True)]
    known = _ZERO if value == 0 else _ONE if value == 1 else _OTHER
    fill = known if op.attrs["mode"] == "constant" else _OTHER
    arrays = [np.pad(a, width, constant_values=fill if a is x.kind else 0) for a in x.arrays()]
    return _Steps(*arrays)


def _product(x: _Steps, y: _Steps) -> _Steps:
    """Neighbours combine in either order; a zero swallows, a one passes."""
    left, right = _broadcast(x, y)
    out = _Steps.of(_OTHER, left.first)
    for a, b in ((left, right), (right, left)):
        meet = (a.last + 1 == b.first) & (b.kind == _A)
        out = out.where(meet & (a.kind == _A), _A, a.first, b.last)
        out = out.where(meet & (a.kind == _B), _AB, a.first, b.last, b.first)
        out = out.where(a.kind == _ONE, b.kind, b.first, b.last, b.middle)
        out = out.where(a.kind == _ZERO, _ZERO, a.first, a.last)
    return out


def _sum(x: _Steps, y: _Steps) -> _Steps:
    left, right = _broadcast(x, y)
    out = _Steps.of(_OTHER, left.first)
    for a, b in ((left, right), (right, left)):
        meet = (a.kind == _AB) & (b.kind == _B) & (a.middle == b.first) & (a.last == b.last)
        out = out.where(meet, _B, a.first, a.last)
        out = out.where(a.kind == _ZERO, b.kind, b.first, b.last, b.middle)
    return out


def _broadcast(x: _Steps, y: _Steps) -> tuple[_Steps, _Steps]:
    shape = np.broadcast_shapes(x.kind.shape, y.kind.shape)
    left, right = (_Steps(*[np.broadcast_to(a, shape) for a in s.arrays()]) for s in (x, y))
    return left, right
