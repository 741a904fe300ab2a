"""Operators that only make constants, now that every shape is known: Shape, Size, Range, ConstantOfShape, ..."""

from __future__ import annotations

import numpy as np

from emberc.frontend.context import NodeContext
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
    start, limit, delta = (node.array(i, "range") for i in range(3))
    return node.constant(np.arange(start.item(), limit.item(), delta.item(), dtype=start.dtype))


@importer("ConstantOfShape")
def constant_of_shape(node: NodeContext) -> Value:
    sizes = node.int_list(0, "shape") or []
    value = node.tensor("value").reshape(-1) if node.has("value") else np.zeros(1, np.float32)
    return node.constant(np.full(sizes, value[0]))


@importer("EyeLike")
def eye_like(node: NodeContext) -> Value:
    x = node.input(0)
    dtype = element_type(node.integer("dtype"), node.place) if node.has("dtype") else x.type.dtype
    return node.constant(np.eye(x.shape[0], x.shape[1], node.integer("k", 0)), dtype)
