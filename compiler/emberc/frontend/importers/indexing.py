"""Operators that pick elements by index: Gather, GatherElements, GatherND, OneHot, Trilu."""

from __future__ import annotations

import numpy as np

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.ir.ops import float_binary as fb
from emberc.ir.ops import float_movement as fm
from emberc.ir.types import DType
from emberc.ir.values import Constant, Value


@importer("Gather")
def gather(node: NodeContext) -> Value:
    """Constant indices that are one or a plain range become a slice, which costs less."""
    x, ids = node.input(0), node.input(1)
    axis = node.axis(node.integer("axis", 0), x.type.rank)
    if isinstance(ids, Constant) and not isinstance(x, Constant) and ids.type.elements:
        size = x.shape[axis]
        flat = ids.data.reshape(-1).astype(np.int64)
        flat = np.where(flat < 0, flat + size, flat)
        if flat.min() >= 0 and flat.max() < size and np.array_equal(flat, flat[0] + np.arange(flat.size)):
            part = node.slice(x, axis, int(flat[0]), int(flat[-1]) + 1)
            return node.reshape(part, [*x.shape[:axis], *ids.shape, *x.shape[axis + 1 :]])
    return node.emit(fm.Gather, x, ids, axis=axis)


@importer("GatherND")
def gather_nd(node: NodeContext) -> Value:
    """dynamo writes constant indices that name every element in order: that is x itself."""
    x, ids = node.input(0), node.input(1)
    batch = node.integer("batch_dims", 0)
    if isinstance(ids, Constant) and not batch and not isinstance(x, Constant):
        depth = ids.shape[-1]
        index = tuple(np.moveaxis(ids.data, -1, 0).astype(np.int64))
        try:
            taken = np.arange(int(np.prod(x.shape[:depth]))).reshape(x.shape[:depth])[index]
        except IndexError:
            raise node.invalid(f"indices lie outside {list(x.shape)}") from None
        if np.array_equal(taken.reshape(-1), np.arange(int(np.prod(x.shape[:depth])))):
            return node.reshape(x, [*ids.shape[:-1], *x.shape[depth:]])
    return node.emit(fm.GatherND, x, ids, batch_dims=batch)


@importer("GatherElements")
def gather_elements(node: NodeContext) -> Value:
    """y[i, j] = x[ids[i, j], j]: a GatherND whose other indices count up."""
    x, ids = node.input(0), node.cast(node.input(1), DType.I64)
    axis = node.axis(node.integer("axis", 0), x.type.rank)
    columns = [
        node.unsqueeze(ids if k == axis else node.expand(node.iota(n, k, ids.type.rank), ids.shape), ids.type.rank)
        for k, n in enumerate(ids.shape)
    ]
    return node.emit(fm.GatherND, x, node.concat(columns, ids.type.rank), batch_dims=0)


@importer("OneHot")
def one_hot(node: NodeContext) -> Value:
    """on where the index equals the position along a new axis, else off; indices count from the end too."""
    ids, values = node.cast(node.input(0), DType.I64), node.input(2)
    depth = int(node.array(1, "depth").reshape(-1)[0])
    axis = node.axis(node.integer("axis", -1), ids.type.rank + 1)
    column = node.unsqueeze(ids, axis)
    inside = node.emit(
        fb.And,
        node.emit(fb.GreaterOrEqual, column, node.constant(-depth, DType.I64)),
        node.emit(fb.Less, column, node.constant(depth, DType.I64)),
    )
    wrapped = node.emit(fb.Mod, column, node.constant(depth, DType.I64))
    hit = node.emit(fb.Equal, wrapped, node.iota(depth, axis, ids.type.rank + 1))
    off, on = node.slice(values, 0, 0, 1), node.slice(values, 0, 1, 2)
    return node.where(node.emit(fb.And, hit, inside), on, off)


@importer("Trilu")
def trilu(node: NodeContext) -> Value:
    """Keeps what stands on or above (upper) or below the k-th diagonal, 0 elsewhere."""
    x = node.input(0)
    k = int(node.array(1, "k").reshape(-1)[0]) if node.optional(1) is not None else 0
    rows, columns = np.ogrid[: x.shape[-2], : x.shape[-1]]
    keep = columns - rows >= k if node.integer("upper", 1) else columns - rows <= k
    return node.where(node.constant(keep), x, node.constant(0, x.type.dtype))
