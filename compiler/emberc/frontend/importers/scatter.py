"""Scatter operators with indices known at compile time: a selection between the data and rearranged updates."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.ir.op import Op
from emberc.ir.ops import float_binary as fb
from emberc.ir.ops.float_movement import Gather
from emberc.ir.values import Value

REDUCTIONS: dict[str, type[Op] | None] = {"none": None, "add": fb.Add, "mul": fb.Mul, "max": fb.Max, "min": fb.Min}


@importer("ScatterND")
def scatter_nd(node: NodeContext) -> Value:
    """y = x, but y[ids[i..]] = updates[i..]"""
    x, updates = node.input(0), node.input(2)
    ids = node.array(1, "indices").astype(np.int64)
    depth = ids.shape[-1]
    places = _flat([ids[..., k] for k in range(depth)], x.shape[:depth], node)
    width = prod(x.shape[depth:])
    spread = places.reshape(-1, 1) * width + np.arange(width)
    return _merge(node, x, updates, spread.reshape(-1))


@importer("ScatterElements", "Scatter")
def scatter_elements(node: NodeContext) -> Value:
    """y = x, but y[ids[i, j], j] = updates[i, j] along the axis."""
    x, updates = node.input(0), node.input(2)
    ids = node.array(1, "indices").astype(np.int64)
    axis = node.axis(node.integer("axis", 0), x.type.rank)
    grid = [np.broadcast_to(g, ids.shape) for g in np.ogrid[tuple(slice(n) for n in ids.shape)]]
    grid[axis] = ids
    return _merge(node, x, updates, _flat(grid, x.shape, node).reshape(-1))


def _flat(columns: list[NDArray[np.int64]], shape: tuple[int, ...], node: NodeContext) -> NDArray[np.int64]:
    """Row-major positions of index tuples; negative indices count from the end."""
    for column, size in zip(columns, shape, strict=True):
        if column.size and (column.min() < -size or column.max() >= size):
            raise node.invalid(f"indices lie outside {list(shape)}")
    wrapped = [np.where(c < 0, c + n, c) for c, n in zip(columns, shape, strict=True)]
    return np.ravel_multi_index(wrapped, shape).astype(np.int64)


def _merge(node: NodeContext, x: Value, updates: Value, places: NDArray[np.int64]) -> Value:
    """x with element ``places[i]`` combined with element i of ``updates``; without a reduction the last one counts."""
    kind = node.text("reduction", "none")
    if kind not in REDUCTIONS:
        raise node.refuse(f"reduction={kind!r}", ", ".join(map(repr, REDUCTIONS)))
    combine = REDUCTIONS[kind]
    flat = node.reshape(updates, [updates.type.elements])
    for source in _rounds(places, x.type.elements, every=combine is not None):
        taken = source >= 0
        moved = node.emit(Gather, flat, node.constant(np.where(taken, source, 0)), axis=0)
        moved = node.reshape(moved, x.shape)
        new = moved if combine is None else node.emit(combine, x, moved)
        x = node.where(node.constant(taken.reshape(x.shape)), new, x)
    return x


def _rounds(places: NDArray[np.int64], size: int, *, every: bool) -> list[NDArray[np.int64]]:
    """Which update each element takes, -1 for none: one array, or with ``every`` one for each time it is hit."""
    if not places.size:
        return []
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)  # how often the place was hit before
    out = np.full((int(rank.max()) + 1, size), -1, np.int64)
    out[rank, ordered] = order
    if every:
        return list(out)
    last = np.full(size, -1, np.int64)
    last[places] = np.arange(places.size)
    return [last]
