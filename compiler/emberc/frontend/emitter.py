"""Emitter: appends float ops for importers, and leaves out those that would change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from emberc.frontend.limits import check_shape
from emberc.ir.builder import Builder
from emberc.ir.op import Op
from emberc.ir.ops import float_binary as fb
from emberc.ir.ops import float_movement as fm
from emberc.ir.ops.float_linear import MatMul
from emberc.ir.ops.float_reduce import Reduce
from emberc.ir.ops.float_unary import Cast
from emberc.ir.types import Array, DType
from emberc.ir.values import Constant, Value

# A constant that was only moved or cast keeps its name, so that reports and errors can still say which weight it is.
_KEEPS_NAME = (fm.Reshape, fm.Transpose, fm.Slice, fm.Expand, Cast)


class Emitter:
    """Float ops over a builder, with the small helpers that importers share."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    def emit(self, cls: type[Op], *operands: Any, **attrs: Any) -> Value:
        """Appends an op with one result, or folds it if all its operands are constant."""
        value = self.builder.emit(cls, *operands, **attrs)
        if isinstance(value, Constant) and issubclass(cls, _KEEPS_NAME):
            value.name = operands[0].name
        return value

    def emit_all(self, cls: type[Op], *operands: Any, **attrs: Any) -> list[Value]:
        """The same for an op with any number of results."""
        return self.builder.add(cls, *operands, **attrs)

    def constant(self, data: Any, dtype: DType | None = None) -> Constant:
        """A constant; ``dtype`` defaults to the array's own."""
        return self.builder.const(np.asarray(data, None if dtype is None else dtype.numpy))

    def scalar(self, number: float, like: Value) -> Constant:
        """A number of the element type of ``like``."""
        return self.constant(number, like.type.dtype)

    # --- arithmetic in one word

    def add(self, a: Value, b: Value) -> Value:
        return self.emit(fb.Add, a, b)

    def sub(self, a: Value, b: Value) -> Value:
        return self.emit(fb.Sub, a, b)

    def mul(self, a: Value, b: Value) -> Value:
        return self.emit(fb.Mul, a, b)

    def div(self, a: Value, b: Value) -> Value:
        return self.emit(fb.Div, a, b)

    def matmul(self, a: Value, b: Value) -> Value:
        return self.emit(MatMul, a, b)

    def where(self, c: Value, a: Value, b: Value) -> Value:
        return self.emit(fb.Where, c, a, b)

    def reduce(self, x: Value, kind: str, axes: Sequence[int], keepdims: bool = True) -> Value:
        """Over no axes at all: x itself."""
        return self.emit(Reduce, x, kind=kind, axes=list(axes), keepdims=keepdims) if axes else x

    # --- movement that vanishes where it does nothing

    def cast(self, x: Value, to: DType) -> Value:
        return x if x.type.dtype is to else self.emit(Cast, x, to=to.value)

    def reshape(self, x: Value, shape: Sequence[int]) -> Value:
        """A reshape of a reshape starts from the first one's operand."""
        while isinstance(x.producer, fm.Reshape):
            x = x.producer.x
        return x if x.shape == tuple(shape) else self.emit(fm.Reshape, x, shape=[int(s) for s in shape])

    def transpose(self, x: Value, perm: Sequence[int]) -> Value:
        """A transpose that only moves axes of size 1 becomes a reshape, which is free."""
        big = [p for p in perm if x.type.rank == len(perm) and x.shape[p] != 1]
        if big == sorted(big) and sorted(perm) == list(range(x.type.rank)):
            return self.reshape(x, [x.shape[p] for p in perm])
        return self.emit(fm.Transpose, x, perm=[int(p) for p in perm])

    def swap_last(self, x: Value) -> Value:
        """The last two axes exchanged."""
        r = x.type.rank
        return self.transpose(x, [*range(r - 2), r - 1, r - 2])

    def expand(self, x: Value, shape: Sequence[int]) -> Value:
        return x if x.shape == tuple(shape) else self.emit(fm.Expand, x, shape=[int(s) for s in shape])

    def slice(self, x: Value, axis: int, start: int, end: int, step: int = 1) -> Value:
        """``range(start, end, step)`` of one axis."""
        return self.slices(x, [axis], [start], [end], [step])

    def slices(
        self, x: Value, axes: Sequence[int], starts: Sequence[int], ends: Sequence[int], steps: Sequence[int]
    ) -> Value:
        """``range(start, end, step)`` of several axes; axes that are taken whole are left out."""
        cut = [
            (a, s, e, t)
            for a, s, e, t in zip(axes, starts, ends, steps, strict=True)
            if range(s, e, t) != range(x.shape[a])
        ]
        if not cut:
            return x
        columns = [list(c) for c in zip(*cut, strict=True)]
        return self.emit(fm.Slice, x, axes=columns[0], starts=columns[1], ends=columns[2], steps=columns[3])

    def concat(self, xs: Sequence[Value], axis: int) -> Value:
        """Empty parts are left out."""
        full = [x for x in xs if x.shape[axis]] or list(xs[:1])
        return full[0] if len(full) == 1 else self.emit(fm.Concat, full, axis=axis)

    def unsqueeze(self, x: Value, axis: int) -> Value:
        """A new axis of size 1 at ``axis`` of the result."""
        return self.reshape(x, [*x.shape[:axis], 1, *x.shape[axis:]])

    def flatten(self, x: Value, axis: int) -> Value:
        """Two axes: what stands before ``axis``, and the rest."""
        return self.reshape(x, [prod(x.shape[:axis]), prod(x.shape[axis:])])

    def iota(self, size: int, axis: int = 0, rank: int = 1) -> Constant:
        """0 .. size - 1 along ``axis`` of ``rank`` axes, int64."""
        check_shape([size], self.builder.loc)
        return self.constant(np.arange(size).reshape([size if i == axis else 1 for i in range(rank)]), DType.I64)


def array_of(value: Value | None) -> Array | None:
    """The elements of a constant; None for anything else."""
    return None if value is None else value.const
