"""fuse-scan: a recurrence with its discretisation, its reading, its skip and its gate becomes one selective scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.graph import Function, Module
from emberc.ir.op import Op, op_class
from emberc.ir.values import Value
from emberc.passes.axes import Dims, Factor, arranged, broadcast, factors, product, repeated, unmoved, whole
from emberc.passes.equivalence import equal_on_random
from emberc.passes.manager import Pass
from emberc.passes.reroll import discard, reshape
from emberc.passes.scan_parts import Axes, Parts, Reads, parts_of, reads_of


@dataclass(frozen=True)
class FuseScan(Pass):
    """h = f.recurrence(exp(delta * a), delta * b * x);  y = sum over n of c * h
    (y + skip * x) * silu(z)                              -->  f.selective_scan(x, delta, a, b, c, skip, z)

    delta is a softplus, which moves into the scan, or something else that is never negative; a is a constant without
    positive elements. Axes may stand in any order, with transposes and reshapes in between: what counts is along
    which axes each factor changes. Nothing of size L x D x N is left. A recurrence that is read in any other way, or
    decays in another, stays as it is. Every replacement is proved on random numbers.
    """

    name: ClassVar[str] = "fuse-scan"

    def run(self, module: Module) -> bool:
        return any([_fuse_all(f) for f in module.functions.values()])


def _fuse_all(function: Function) -> bool:
    changed = False
    for op in [op for op in function.ops if op.opcode == "f.recurrence"]:
        builder = Builder(op.loc)
        pairs = _fuse(function, op, builder)
        if not pairs:
            discard(builder)
            continue
        function.ops += builder.ops
        for old, new in pairs:
            function.replace(old, new)
        function.sort()
        function.prune()
        changed = True
    return changed


def _fuse(function: Function, op: Op, b: Builder) -> list[tuple[Value, Value]]:
    """Values and what replaces them; nothing where ``op`` is no selective scan."""
    reads = reads_of(function, op)
    found = None if reads is None else parts_of(op, reads.y, b)
    if reads is None or found is None:
        return []
    parts, axes = found
    tail = _Tail(function, parts, axes, *_layout(op, reads))
    tail.walk()
    y, state = _emit(op, parts, axes, tail, b)
    pairs = [(tail.value, tail.laid_out(y, b))]
    pairs += [(last, _last(state, axes, last, dims, b)) for last, dims in reads.last]
    leaves = [*map(_before_repeats, parts.values()), *([tail.gate.factor.value] if tail.gate else [])]
    return pairs if equal_on_random([o for o, _ in pairs], [n for _, n in pairs], leaves) else []


def _layout(op: Op, reads: Reads) -> tuple[Value, list[list[int]]]:
    """The value that the contraction gives, and for each of its axes the axes of the states that run along it."""
    h = next(f for f in reads.y.factors if f.value is op.results[0])
    at = [None if k is None else h.dims[k] for k in reads.y.kept]
    return reads.y.op.result, [[] if a is None else [a] for a in at]


def _emit(op: Op, parts: Parts, axes: Axes, tail: _Tail, b: Builder) -> tuple[Value, Value]:
    """The scan on values [batch, L, channels]: y, and the last state [batch, channels, N]."""
    s, time, n = axes.sizes, [axes.time], [axes.state]
    b.loc = op.loc
    row_of, groups = _rows_by_group(parts, axes, b)
    x = product(parts.x, s, b)
    initial = op.operands[2]
    if initial is not None:
        own = [i if i < axes.time else i - 1 for i in range(len(s))]
        f = Factor(initial, tuple(None if i == axes.time else own[i] for i in range(len(s))))
        initial = arranged(f, [axes.batch, axes.channels, n], s, b)
    y, state = b.add(
        op_class("f.selective_scan"),
        arranged(x, [axes.batch, time, axes.channels], s, b),
        arranged(parts.delta, [axes.batch, time, axes.heads], s, b),
        arranged(parts.a, [axes.heads, n if parts.a.along(axes.state) else []], s, b),
        row_of[0],
        row_of[1],
        None if tail.skip is None else arranged(tail.skip, [axes.channels], s, b),
        None if tail.gate is None else arranged(tail.gate.factor, tail.gate.rows, tail.gate.sizes, b),
        initial,
        softplus=parts.softplus,
        groups=groups,
    )
    return y, state


def _rows_by_group(parts: Parts, axes: Axes, b: Builder) -> tuple[list[Value], int]:
    """b and c as [batch, L, G * N], and G: one where all heads share a row, else as many as were repeated by heads."""
    sizes, rows = axes.sizes, [axes.batch, [axes.time], [axes.state]]
    both = [parts.b, parts.c]
    if not any(f.along(k) for f in both for k in axes.heads):
        return [arranged(f, rows, sizes, b) for f in both], 1
    heads = [k for k in axes.heads if sizes[k] > 1]
    bases = [repeated(f, heads[0]) if len(heads) == 1 else None for f in both]
    rows[2] = [*axes.heads, axes.state]
    if bases[0] is None or bases[1] is None or bases[0].value.shape != bases[1].value.shape:
        return [arranged(f, rows, sizes, b) for f in both], int(np.prod([sizes[k] for k in axes.heads]))
    groups = bases[0].value.shape[bases[0].dims[heads[0]] or 0]
    sizes = [groups if k == heads[0] else n for k, n in enumerate(sizes)]
    return [arranged(f, rows, sizes, b) for f in bases if f is not None], groups


def _before_repeats(v: Value) -> Value:
    """What a leaf of the proof repeats: the scan may read that."""
    while v.producer is not None and v.producer.opcode in ("f.reshape", "f.expand") and v.producer.operands[0]:
        v = v.producer.operands[0]
    return v


def _last(state: Value, axes: Axes, like: Value, dims: Dims, b: Builder) -> Value:
    """The last state [batch, channels, N] in the layout of the value that it replaces."""
    order = [*axes.batch, *axes.channels, axes.state]
    there = [d for d in dims if d is not None and d != axes.time]
    return _in_order(state, order, there, axes.sizes, like, b)


def _in_order(v: Value, order: list[int], there: list[int], sizes: list[int], like: Value, b: Builder) -> Value:
    """v, whose axes are those of the states in ``order``, with the order ``there`` and the shape of ``like``."""
    perm = [order.index(k) for k in [*[k for k in order if k not in there], *there]]
    if perm != sorted(perm):
        v = b.emit(op_class("f.transpose"), reshape(v, [sizes[k] for k in order], b), perm=perm)
    return reshape(v, like.shape, b)


@dataclass(frozen=True)
class _Placed:
    """A factor in a space of ``sizes``, of which ``rows`` are the axes grouped as [batch, L, channels]."""

    factor: Factor
    rows: list[list[int]]
    sizes: list[int]


@dataclass
class _Tail:
    """What follows the scan as its only reader: movement, then the skip, then the gate, as far as they are there.

    ``layout`` names for each axis of ``value`` the axes of the states that run along it, in order.
    """

    function: Function
    parts: Parts
    axes: Axes
    value: Value
    layout: list[list[int]]
    skip: Factor | None = None  # in the space of the states
    gate: _Placed | None = None

    def walk(self) -> None:
        """Goes on as long as the value has one reader that the scan can take in."""
        steps = {"f.transpose": self._transpose, "f.reshape": self._reshape, "f.add": self._add, "f.mul": self._mul}
        while len(self.value.users) == 1 and not self.function.is_output(self.value):
            op = self.value.users[0]
            if op.opcode not in steps or not steps[op.opcode](op):
                return
            self.value = op.result

    def _rows(self) -> list[list[int]]:
        """The axes of ``value``, grouped as [batch, L, channels]."""
        kinds = (self.axes.batch, [self.axes.time], self.axes.channels)
        return [
            sorted(
                (r for r, of in enumerate(self.layout) if of and of[0] in kind), key=lambda r: kind.index(self._at(r))
            )
            for kind in kinds
        ]

    def _at(self, axis: int) -> int:
        return self.layout[axis][0]

    def laid_out(self, y: Value, b: Builder) -> Value:
        """y [batch, L, channels] as ``value`` has it."""
        order = [*self.axes.batch, self.axes.time, *self.axes.channels]
        there = [k for of in self.layout for k in of]
        return _in_order(y, order, there, self.axes.sizes, self.value, b)

    def _transpose(self, op: Op) -> bool:
        perm = op.attrs["perm"]
        assert isinstance(perm, list)
        self.layout = [self.layout[p] for p in perm]
        return True

    def _reshape(self, op: Op) -> bool:
        """Axes of the same kind may merge, in their order; others only gain or lose neighbours of size 1."""
        todo = [k for of in self.layout for k in of if self.axes.sizes[k] != 1]
        layout: list[list[int]] = []
        for size in op.result.shape:
            of: list[int] = []
            while size > 1 and todo and size % self.axes.sizes[todo[0]] == 0:
                size //= self.axes.sizes[todo[0]]
                of.append(todo.pop(0))
            if size != 1 or not self._runs(of):
                return False
            layout.append(of)
        self.layout = layout
        return True

    def _runs(self, of: list[int]) -> bool:
        """Whether these are neighbours among the channels or the batch."""
        for kind in (self.axes.batch, [self.axes.time], self.axes.channels):
            if of and of[0] in kind:
                start = kind.index(of[0])
                return kind[start : start + len(of)] == of
        return not of

    def _other(self, op: Op) -> Factor | None:
        """The operand beside ``value``, in the space of ``value``."""
        a, b = op.operands
        other = b if a is self.value else a
        if other is None or other is self.value or op.result.shape != self.value.shape:
            return None
        return Factor(other, broadcast(whole(op.result).dims, op.result, other))

    def _add(self, op: Op) -> bool:
        """+ skip * x"""
        other = self._other(op)
        if other is None or self.skip is not None or self.gate is not None or any(len(of) > 1 for of in self.layout):
            return False
        back: list[int | None] = [None] * len(self.axes.sizes)
        for r, of in enumerate(self.layout):
            for k in of:
                back[k] = r
        rest = [f.through(back) for f in factors(other)]
        for x in self.parts.x:
            same = [f for f in rest if f.value is x.value and f.dims == x.dims]
            if not same:
                return False
            rest.remove(same[0])
        if any(f.value.const is None or f.along(self.axes.time) for f in rest):
            return False
        builder = Builder(op.loc)
        one = Factor(builder.const(1.0), (None,) * len(back))
        skip = product(rest or [one], self.axes.sizes, builder)
        if any(skip.along(k) for k in self.axes.batch):
            return False
        self.skip = skip
        return True

    def _mul(self, op: Op) -> bool:
        """* silu(z)"""
        other = self._other(op)
        f = None if other is None or self.gate is not None else unmoved(other)
        silu = None if f is None else f.value.producer
        if f is None or silu is None or silu.opcode != "f.silu" or silu.operands[0] is None:
            return False
        self.gate = _Placed(Factor(silu.operands[0], f.dims), self._rows(), list(self.value.shape))
        return True
