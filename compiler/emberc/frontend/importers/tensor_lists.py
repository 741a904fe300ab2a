"""Operators on sequences of tensors whose length is known: scripted loops collect their results in them."""

from __future__ import annotations

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.frontend.tensor_list import TensorList
from emberc.ir.types import DType
from emberc.ir.values import Value


@importer("SequenceEmpty")
def empty(node: NodeContext) -> Value:
    node.ignore("dtype")  # that of the tensors that will come
    return TensorList([])


@importer("SequenceConstruct")
def construct(node: NodeContext) -> Value:
    return TensorList([node.input(i) for i in range(len(node.inputs))])


@importer("SequenceInsert")
def insert(node: NodeContext) -> Value:
    """Before a position, or at the end."""
    items = list(node.sequence(0))
    at = len(items) if node.optional(2) is None else _position(node, 2, len(items) + 1)
    return TensorList([*items[:at], node.input(1), *items[at:]])


@importer("SequenceErase")
def erase(node: NodeContext) -> Value:
    """Without one element, the last one unless a position is given."""
    items = node.sequence(0)
    at = len(items) - 1 if node.optional(1) is None else _position(node, 1, len(items))
    return TensorList([*items[:at], *items[at + 1 :]])


@importer("SequenceAt")
def at(node: NodeContext) -> Value:
    items = node.sequence(0)
    return items[_position(node, 1, len(items))]


@importer("SequenceLength")
def length(node: NodeContext) -> Value:
    return node.constant(len(node.sequence(0)), DType.I64)


@importer("ConcatFromSequence")
def concat(node: NodeContext) -> Value:
    """Joined along an axis, which ``new_axis`` makes first."""
    items = node.sequence(0)
    if not items:
        raise node.invalid("the sequence is empty")
    new = bool(node.integer("new_axis"))
    axis = node.axis(node.integer("axis"), items[0].type.rank + new)
    return node.concat([node.unsqueeze(v, axis) for v in items] if new else items, axis)


@importer("SplitToSequence")
def split(node: NodeContext) -> Value:
    """Parts of one size (the last may be smaller) or of given sizes; without sizes single elements."""
    x = node.input(0)
    axis = node.axis(node.integer("axis"), x.type.rank)
    total, given = x.shape[axis], node.optional(1)
    sizes = node.int_list(1, "split") or [1]
    if given is None or given.type.rank == 0:
        sizes = [min(sizes[0], total - i) for i in range(0, total, max(1, sizes[0]))]
    if sum(sizes) != total:
        raise node.invalid(f"parts {sizes} do not make axis {axis} of {list(x.shape)}")
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    parts = [node.slice(x, axis, e - s, e) for s, e in zip(sizes, ends, strict=True)]
    if given is None and not node.integer("keepdims", 1):
        parts = [node.reshape(p, [n for i, n in enumerate(p.shape) if i != axis]) for p in parts]
    return TensorList(parts)


def _position(node: NodeContext, index: int, count: int) -> int:
    """A position known at compile time, counted from the front."""
    at = int(node.array(index, "position").reshape(-1)[0])
    if not -count <= at < count:
        raise node.invalid(f"position {at} does not exist, there are {count}")
    return at % count
