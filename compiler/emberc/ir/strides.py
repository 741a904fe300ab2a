"""Strides of the movement and broadcasting kernels: shape arithmetic that the C side gets as plain numbers.

Axes along which all operands advance evenly are merged, so that a kernel's inner loop is as long as it can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emberc.errors import UnsupportedError
from emberc.ir.op import Op
from emberc.ir.ops import movement

#: EMBER_DIMS and EMBER_COPY_DIMS of the C headers.
BROADCAST_DIMS = 5
COPY_DIMS = 6


@dataclass(frozen=True)
class Copy:
    """y[y_offset + sum i*ys] = x[x_offset + sum i*xs] for every index i of dims, in elements (ember_copy)."""

    dims: tuple[int, ...]
    xs: tuple[int, ...]
    ys: tuple[int, ...]
    x_offset: int = 0
    y_offset: int = 0


def row_major(shape: Sequence[int]) -> list[int]:
    """Elements from one index to the next along each axis."""
    out = [1] * len(shape)
    for i in range(len(shape) - 1, 0, -1):
        out[i - 1] = out[i] * shape[i]
    return out


def merge(dims: Sequence[int], strides: Sequence[Sequence[int]], rank: int) -> tuple[list[int], list[list[int]]]:
    """The same walk in exactly ``rank`` axes: size-1 axes go, evenly advancing neighbours merge, 1s pad the front.

    Raises UnsupportedError when more than ``rank`` axes remain.
    """
    shape: list[int] = []
    steps: list[list[int]] = [[] for _ in strides]
    for axis, n in enumerate(dims):
        if n == 1:
            continue
        now = [s[axis] for s in strides]
        if shape and all(kept[-1] == step * n for kept, step in zip(steps, now, strict=True)):
            shape[-1] *= n
            for kept, step in zip(steps, now, strict=True):
                kept[-1] = step
        else:
            shape.append(n)
            for kept, step in zip(steps, now, strict=True):
                kept.append(step)
    if len(shape) > rank:
        raise UnsupportedError(
            f"a tensor of shape {list(dims)} is walked along {len(shape)} axes, kernels have {rank}",
            hints=["reshape or transpose in fewer dimensions"],
        )
    pad = rank - len(shape)
    return [1] * pad + shape, [[0] * pad + kept for kept in steps]


def broadcast_strides(
    out: Sequence[int], operands: Sequence[Sequence[int]], rank: int = BROADCAST_DIMS
) -> tuple[list[int], list[list[int]]]:
    """Dims, and one list of strides an operand, that walk ``out`` in order while the operands broadcast to it."""
    strides: list[list[int]] = []
    for shape in operands:
        lead = len(out) - len(shape)
        steps = [0] * lead + row_major(shape)
        strides.append([0 if i < lead or shape[i - lead] == 1 else step for i, step in enumerate(steps)])
    return merge(out, strides, rank)


def copies(op: Op) -> list[Copy]:
    """The strided copies that carry out a movement op, one an operand; a q.pad is filled first.

    Raises UnsupportedError for an op that is no movement, or one with too many separate axes.
    """
    if isinstance(op, movement.Concat):
        return _concat(op)
    x, y = op.operands[0], op.results[0]
    if x is None:
        raise UnsupportedError(f"{op.opcode} has nothing to copy", at=op.loc)
    xs, ys = row_major(x.shape), row_major(y.shape)
    if isinstance(op, movement.Reshape):
        return [_copy([y.type.elements], [1], [1])]
    if isinstance(op, movement.Transpose):
        return [_copy(y.shape, [xs[p] for p in op.perm], ys)]
    if isinstance(op, movement.Slice):
        offset = 0
        for axis, taken in op.ranges().items():
            offset += taken.start * xs[axis] if taken else 0
            xs[axis] *= taken.step
        return [_copy(y.shape, xs, ys, offset)]
    if isinstance(op, movement.Expand):
        lead = y.type.rank - x.type.rank
        steps = [0] * lead + [0 if n == 1 else s for n, s in zip(x.shape, xs, strict=True)]
        return [_copy(y.shape, steps, ys)]
    if isinstance(op, movement.Pad):
        return [_copy(x.shape, xs, ys, 0, sum(p * s for p, s in zip(op.pads, ys, strict=False)))]
    raise UnsupportedError(f"{op.opcode} is no copy", at=op.loc)


def _concat(op: movement.Concat) -> list[Copy]:
    ys = row_major(op.y.shape)
    at, out = 0, []
    for x in op.xs:
        out.append(_copy(x.shape, row_major(x.shape), ys, 0, at * ys[op.axis]))
        at += x.shape[op.axis]
    return out


def _copy(dims: Sequence[int], xs: Sequence[int], ys: Sequence[int], x_offset: int = 0, y_offset: int = 0) -> Copy:
    shape, (x, y) = merge(dims, [xs, ys], COPY_DIMS)
    return Copy(tuple(shape), tuple(x), tuple(y), x_offset, y_offset)
