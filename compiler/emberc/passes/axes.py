"""Products seen axis by axis, through whatever transposes and reshapes exporters put between them.

A space is a list of axis sizes. A factor is a tensor and, for every axis of the space, which of its own axes runs
along it (None: it is the same all along). ``factors`` takes a value apart into the tensors that it is the product of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import Op, op_class
from emberc.ir.values import Constant, Value

#: for every axis of a space, an axis of the tensor or None
Dims = tuple[int | None, ...]


@dataclass(frozen=True)
class Factor:
    """``value`` along the axes of a space."""

    value: Value
    dims: Dims

    def along(self, axis: int) -> bool:
        """Whether it changes along an axis of the space."""
        return self.dims[axis] is not None

    def through(self, axes: Sequence[int | None]) -> Factor:
        """The same factor in another space, of which axis k is axis ``axes[k]`` of this one, or one that it lacks."""
        return Factor(self.value, tuple(None if a is None else self.dims[a] for a in axes))


def whole(value: Value) -> Factor:
    """A value in the space of its own axes."""
    return Factor(value, tuple(None if n == 1 else i for i, n in enumerate(value.shape)))


def factors(factor: Factor) -> list[Factor]:
    """The factors that a product is made of; movement between them is undone."""
    f = unmoved(factor)
    op = f.value.producer
    if op is not None and op.opcode == "f.neg" and op.operands[0] is not None:
        minus = Constant(np.asarray(-1, f.value.type.dtype.numpy))
        return [Factor(minus, (None,) * len(f.dims)), *factors(Factor(op.operands[0], f.dims))]
    if op is None or op.opcode != "f.mul":
        return [f]
    return [g for v in op.operands if v is not None for g in factors(Factor(v, broadcast(f.dims, f.value, v)))]


def unmoved(factor: Factor) -> Factor:
    """The same numbers before transposes, broadcasts and reshapes that add or drop axes of size 1."""
    f = factor
    while (op := f.value.producer) is not None:
        x = op.operands[0] if op.operands else None
        if x is None:
            break
        if op.opcode == "f.transpose":
            perm = op.attrs["perm"]
            assert isinstance(perm, list)
            f = Factor(x, tuple(None if d is None else perm[d] for d in f.dims))
        elif op.opcode == "f.expand":
            f = Factor(x, broadcast(f.dims, f.value, x))
        elif op.opcode == "f.reshape" and _big(x) == _big(f.value):
            at = dict(zip(_big_axes(f.value), _big_axes(x), strict=True))
            f = Factor(x, tuple(at.get(d) if d is not None else None for d in f.dims))
        else:
            break
    return f


def repeated(factor: Factor, axis: int) -> Factor | None:
    """The numbers that ``factor`` repeats along an axis of its space, each as often in a row: [.., G, 1, ..] that was
    expanded to [.., G, H / G, ..] and joined to [.., H, ..]. Its own axis is G long then. None where it does not."""
    at, joined = factor.dims[axis], factor.value.producer
    wide = None if joined is None or joined.opcode != "f.reshape" else joined.operands[0]
    narrow = None if wide is None or wide.producer is None or wide.producer.opcode != "f.expand" else wide.producer
    if at is None or wide is None or narrow is None or narrow.operands[0] is None:
        return None
    base, shape = narrow.operands[0], factor.value.shape
    after = [i for i in range(at + 1, len(shape)) if shape[i] != 1]  # others come and go with reshapes
    tail, heads = [shape[i] for i in after], shape[at]
    groups = base.shape[at] if base.type.rank > at else 0
    if not groups or list(base.shape) != [*shape[:at], groups, 1, *tail]:
        return None
    if list(wide.shape) != [*shape[:at], groups, heads // groups, *tail]:
        return None
    own = {i: i for i in range(at + 1)} | {i: at + 2 + k for k, i in enumerate(after)}
    return Factor(base, tuple(None if d is None else own.get(d) for d in factor.dims))


def broadcast(dims: Dims, result: Value, operand: Value) -> Dims:
    """Axes of an operand that broadcasts to ``result``, given those of ``result``."""
    shift = result.type.rank - operand.type.rank
    return tuple(None if d is None or d < shift or operand.shape[d - shift] == 1 else d - shift for d in dims)


def _big_axes(v: Value) -> list[int]:
    return [i for i, n in enumerate(v.shape) if n != 1]


def _big(v: Value) -> list[int]:
    return [n for n in v.shape if n != 1]


def arranged(factor: Factor, groups: Sequence[Sequence[int]], sizes: Sequence[int], b: Builder) -> Value:
    """``factor`` laid out by groups of axes of its space (``sizes``): one axis a group, broadcast where it must be."""
    order = [a for g in groups for a in g]
    own = [d for a in order if (d := factor.dims[a]) is not None]
    rest = [i for i in range(factor.value.type.rank) if i not in own]  # of size 1, or the factor has no place here
    assert all(factor.value.shape[i] == 1 for i in rest)
    perm, v = [*rest, *own], factor.value
    v = v if perm == sorted(perm) else b.emit(op_class("f.transpose"), v, perm=perm)
    apart = [sizes[a] if factor.along(a) else 1 for a in order]
    full = [sizes[a] for a in order]
    if apart != full:
        v = b.emit(op_class("f.expand"), _reshaped(v, apart, b), shape=full)
    return _reshaped(v, [prod(sizes[a] for a in g) for g in groups], b)


def product(parts: Sequence[Factor], sizes: Sequence[int], b: Builder) -> Factor:
    """One factor for the product of several."""
    if len(parts) == 1:
        return parts[0]
    axes = [a for a in range(len(sizes)) if any(f.along(a) for f in parts)]
    total: Value | None = None
    for f in parts:
        v = arranged(f, [[a] for a in axes if f.along(a)], sizes, b)
        v = _reshaped(v, [sizes[a] if f.along(a) else 1 for a in axes], b)
        total = v if total is None else b.emit(op_class("f.mul"), total, v)
    assert total is not None
    return Factor(total, tuple(axes.index(a) if a in axes else None for a in range(len(sizes))))


def _reshaped(v: Value, shape: list[int], b: Builder) -> Value:
    return v if list(v.shape) == shape else b.emit(op_class("f.reshape"), v, shape=shape)


@dataclass(frozen=True)
class Contraction:
    """result = the sum over the last axis of the space of a product; result axis k is axis ``kept[k]`` or of size 1."""

    op: Op
    sizes: list[int]
    factors: list[Factor]
    kept: list[int | None]


def contraction(op: Op) -> Contraction | None:
    """A matrix product, or a sum of a product over one axis."""
    if op.opcode == "f.matmul":
        return _matmul(op)
    axes, x = op.attrs.get("axes"), op.operands[0] if op.operands else None
    if (
        op.opcode != "f.reduce"
        or op.attrs["kind"] != "sum"
        or not isinstance(axes, list)
        or x is None
        or len(axes) != 1
    ):
        return None
    rest = [i for i in range(x.type.rank) if i not in axes]
    kept: list[int | None] = [rest.index(i) if i in rest else None for i in range(x.type.rank)]
    if not op.attrs["keepdims"]:
        kept = [k for k in kept if k is not None]
    order = [*rest, axes[0]]
    return Contraction(op, [x.shape[i] for i in order], [f.through(order) for f in factors(whole(x))], kept)


def _matmul(op: Op) -> Contraction | None:
    a, b = op.operands
    assert a is not None and b is not None
    if a.type.rank < 2 or b.type.rank < 2:
        return None
    batch = op.result.type.rank - 2

    def lead(v: Value) -> list[int | None]:
        shift = batch - (v.type.rank - 2)
        return [None if i < shift else i - shift for i in range(batch)]

    rows: list[int | None] = [*lead(a), a.type.rank - 2, None, a.type.rank - 1]
    columns: list[int | None] = [*lead(b), None, b.type.rank - 1, b.type.rank - 2]
    found = [f.through(rows) for f in factors(whole(a))] + [f.through(columns) for f in factors(whole(b))]
    return Contraction(op, [*op.result.shape, a.shape[-1]], found, list(range(batch + 2)))
