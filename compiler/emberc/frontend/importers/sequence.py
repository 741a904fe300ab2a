"""Operators on positions along an axis: ReverseSequence, TensorScatter, Compress, NonZero, CumProd, optional inputs."""

from __future__ import annotations

from itertools import accumulate, repeat, takewhile

import numpy as np

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.ir.ops import float_binary as fb
from emberc.ir.ops import float_unary as fu
from emberc.ir.ops.float_movement import Gather, GatherND, Pad
from emberc.ir.types import DType
from emberc.ir.values import Value


@importer("ReverseSequence", since=10)
def reverse_sequence(node: NodeContext) -> Value:
    """The first ``lengths[b]`` elements of every sequence b turned round."""
    x, lengths = node.input(0), node.cast(node.input(1), DType.I64)
    time, batch = node.axis(node.integer("time_axis", 0), 2), node.axis(node.integer("batch_axis", 1), 2)
    if time == batch:
        raise node.invalid("time and batch are one axis")
    count = node.reshape(lengths, [x.shape[batch], 1])
    at = node.iota(x.shape[time], 1, 2)
    turned = node.sub(node.sub(count, node.constant(1, DType.I64)), at)
    ids = node.where(node.emit(fb.Less, at, count), turned, at)
    order = [batch, time, *range(2, x.type.rank)]
    y = node.emit(GatherND, node.transpose(x, order), node.unsqueeze(ids, 2), batch_dims=1)
    return node.transpose(y, [order.index(k) for k in range(x.type.rank)])


@importer("TensorScatter", since=24)
def tensor_scatter(node: NodeContext) -> Value:
    """A cache whose elements from ``start[b]`` on are replaced by the update; circular: past the end come the first."""
    cache, update, start = node.input(0), node.input(1), node.optional(2)
    rank = cache.type.rank
    axis = node.axis(node.integer("axis", -2), rank)
    order = [0, axis, *[k for k in range(1, rank) if k != axis]]
    old, new = node.transpose(cache, order), node.transpose(update, order)
    size, length = old.shape[1], new.shape[1]
    at = node.iota(size, 1, 2)
    first = node.constant(np.zeros((cache.shape[0], 1)), DType.I64)
    if start is not None:
        first = node.reshape(node.cast(start, DType.I64), [cache.shape[0], 1])  # type: ignore[assignment]
    step = node.sub(at, first)
    if node.text("mode", "linear") == "circular":
        step = node.emit(fb.Mod, step, node.constant(size, DType.I64))
    inside = node.emit(fu.Clip, step, lo=0, hi=length - 1)
    moved = node.emit(GatherND, new, node.unsqueeze(inside, 2), batch_dims=1)
    taken = node.reshape(node.emit(fb.Equal, inside, step), [cache.shape[0], size, *[1] * (rank - 2)])
    return node.transpose(node.where(taken, moved, old), [order.index(k) for k in range(rank)])


@importer("Compress", since=9)
def compress(node: NodeContext) -> Value:
    """The elements where a condition known at compile time holds."""
    x = node.input(0)
    ids = np.nonzero(node.array(1, "condition").reshape(-1))[0]
    if not node.has("axis"):
        x = node.reshape(x, [x.type.elements])
    axis = node.axis(node.integer("axis", 0), x.type.rank)
    return node.emit(Gather, x, node.constant(ids), axis=axis)


@importer("NonZero", since=9)
def nonzero(node: NodeContext) -> Value:
    """Indices [rank, count] of what is not zero, in an array known at compile time."""
    return node.constant(np.array(np.nonzero(node.array(0, "number of nonzero elements"))), DType.I64)


@importer("CumProd", since=26)
def cumprod(node: NodeContext) -> Value:
    """Running products by doubling: after step k every element holds the product of the last 2^k."""
    x = node.input(0)
    axis = node.axis(int(node.array(1, "axis").reshape(-1)[0]), x.type.rank)
    size = x.shape[axis]
    reverse = bool(node.integer("reverse"))
    y = node.slice(x, axis, size - 1, -1, -1) if reverse else x
    y = _shifted(node, y, axis, 1) if node.integer("exclusive") else y
    for distance in takewhile(lambda d: d < size, accumulate(repeat(1), lambda d, _: 2 * d)):
        y = node.mul(y, _shifted(node, y, axis, distance))
    return node.slice(y, axis, size - 1, -1, -1) if reverse else y


def _shifted(node: NodeContext, x: Value, axis: int, distance: int) -> Value:
    """x moved towards the end, ones in front."""
    pads = [0] * 2 * x.type.rank
    pads[axis] = min(distance, x.shape[axis])
    return node.emit(Pad, node.slice(x, axis, 0, x.shape[axis] - pads[axis]), pads=pads, value=1.0)


@importer("OptionalHasElement", since=15)
def has_element(node: NodeContext) -> Value:
    return node.constant(np.asarray(node.optional(0) is not None))


@importer("OptionalGetElement", since=15)
def get_element(node: NodeContext) -> Value:
    return node.input(0)


@importer("Det", since=11)
def determinant(node: NodeContext) -> Value:
    """Expanded along the first row; n! products, so n is small."""
    x = node.input(0)
    n = x.shape[-1]
    if n != x.shape[-2]:
        raise node.invalid(f"{list(x.shape)} is not square")
    if n > 4:
        raise node.refuse(f"a {n} x {n} matrix", "up to 4 x 4")
    r = x.type.rank
    rows = [[_cell(node, x, i, j, r) for j in range(n)] for i in range(n)]
    return _expanded(node, rows)


def _cell(node: NodeContext, x: Value, i: int, j: int, rank: int) -> Value:
    cell = node.slices(x, [rank - 2, rank - 1], [i, j], [i + 1, j + 1], [1, 1])
    return node.reshape(cell, x.shape[:-2])


def _expanded(node: NodeContext, rows: list[list[Value]]) -> Value:
    if len(rows) == 1:
        return rows[0][0]
    total: Value | None = None
    for j, factor in enumerate(rows[0]):
        minor = _expanded(node, [row[:j] + row[j + 1 :] for row in rows[1:]])
        term = node.mul(factor, minor)
        total = term if total is None else (node.sub if j % 2 else node.add)(total, term)
    assert total is not None
    return total
