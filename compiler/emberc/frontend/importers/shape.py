"""Operators that only make constants, now that every shape is known: Shape, Size, Range, ConstantOfShape, ..."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emberc.frontend.context import NodeContext
from emberc.frontend.limits import check_shape
from emberc.frontend.registry import importer
from emberc.frontend.tensors import element_type
from emberc.ir.types import DType
from emberc.ir.values import Value


@importer("Constant")
def constant(node: NodeContext) -> Value:
    if node.has("value"):
        return node.constant(node.tensor("value"))
    if node.has("value_float"):
        return node.constant(node.number("value_float"), DType.F32)
    if node.has("value_floats"):
        return node.constant(node.numbers("value_floats"), DType.F32)
    if node.has("value_int"):
        return node.constant(node.integer("value_int"), DType.I64)
    if node.has("value_ints"):
        return node.constant(node.integers("value_ints"), DType.I64)
    raise node.refuse(f"{next(iter(node.attributes), 'an empty Constant')}", "value, value_int(s), value_float(s)")


@importer("Shape")
def shape(node: NodeContext) -> Value:
    sizes = node.input(0).shape
    return node.constant(sizes[slice(node.integer("start", 0), node.integer("end", len(sizes)))], DType.I64)


@importer("Size")
def size(node: NodeContext) -> Value:
    return node.constant(node.input(0).type.elements, DType.I64)


@importer("Range")
def range_(node: NodeContext) -> Value:
    start, limit, delta = (node.array(i, "range").reshape(-1)[0].item() for i in range(3))
    if not delta:
        raise node.invalid("a range with step 0 never ends")
    count = max(0.0, np.ceil((limit - start) / delta))
    _check_size(node, [count])
    return node.constant(start + np.arange(int(count)) * delta, node.input(0).type.dtype)


@importer("ConstantOfShape")
def constant_of_shape(node: NodeContext) -> Value:
    sizes = node.int_list(0, "shape") or []
    value = node.tensor("value").reshape(-1) if node.has("value") else np.zeros(1, np.float32)
    _check_size(node, sizes)
    return node.constant(np.full(sizes, value[0]))


@importer("EyeLike")
def eye_like(node: NodeContext) -> Value:
    x = node.input(0)
    dtype = element_type(node.integer("dtype"), node.place) if node.has("dtype") else x.type.dtype
    return node.constant(np.eye(x.shape[0], x.shape[1], node.integer("k", 0)), dtype)


def _check_size(node: NodeContext, sizes: Sequence[float]) -> None:
    if any(s < 0 for s in sizes):
        raise node.invalid(f"shape {list(sizes)} has a negative size")
    check_shape(sizes, node.place)
