"""Operators that move elements: reshape, transpose, slice, concat, split, pad, expand, tile."""

from __future__ import annotations

from math import prod

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.ir.ops import float_movement as fm
from emberc.ir.types import Array
from emberc.ir.values import Value


@importer("Reshape")
def reshape(node: NodeContext) -> Value:
    """A size 0 keeps x's own (unless allowzero), one -1 takes what is left."""
    x = node.input(0)
    sizes = node.int_list(1, "shape") or []
    if not node.integer("allowzero"):
        if any(s == 0 and i >= x.type.rank for i, s in enumerate(sizes)):
            raise node.invalid(f"shape {sizes} copies an axis that {list(x.shape)} does not have")
        sizes = [x.shape[i] if s == 0 else s for i, s in enumerate(sizes)]
    if -1 in sizes:
        known = prod(s for s in sizes if s != -1)
        if sizes.count(-1) > 1 or not known or x.type.elements % known:
            raise node.invalid(f"{list(x.shape)} can't take the shape {sizes}")
        sizes = [x.type.elements // known if s == -1 else s for s in sizes]
    return node.reshape(x, sizes)


@importer("Flatten")
def flatten(node: NodeContext) -> Value:
    x = node.input(0)
    axis = node.integer("axis", 1)
    return node.flatten(x, axis + x.type.rank if axis < 0 else axis)


@importer("Squeeze")
def squeeze(node: NodeContext) -> Value:
    x = node.input(0)
    axes = node.int_list(1, "axes") if node.optional(1) is not None else node.integers("axes")
    if axes is None:
        axes = [i for i, s in enumerate(x.shape) if s == 1]
    gone = {node.axis(a, x.type.rank) for a in axes}
    if any(x.shape[a] != 1 for a in gone):
        raise node.invalid(f"axes {sorted(gone)} of {list(x.shape)} are not all of size 1")
    return node.reshape(x, [s for i, s in enumerate(x.shape) if i not in gone])


@importer("Unsqueeze")
def unsqueeze(node: NodeContext) -> Value:
    x = node.input(0)
    axes = (node.int_list(1, "axes") if node.optional(1) is not None else node.integers("axes")) or []
    rank = x.type.rank + len(axes)
    new = {node.axis(a, rank) for a in axes}
    if len(new) != len(axes):
        raise node.invalid(f"axes {axes} name one axis twice")
    rest = iter(x.shape)
    return node.reshape(x, [1 if i in new else next(rest) for i in range(rank)])


@importer("Transpose")
def transpose(node: NodeContext) -> Value:
    x = node.input(0)
    perm = node.integers("perm")
    return node.transpose(x, list(range(x.type.rank))[::-1] if perm is None else perm)


@importer("Slice")
def slice_attributes(node: NodeContext) -> Value:
    """Before opset 10 everything is an attribute."""
    starts, ends = node.integers("starts") or [], node.integers("ends") or []
    return _sliced(node, starts, ends, node.integers("axes"), [1] * len(starts))


@importer("Slice", since=10)
def slice_inputs(node: NodeContext) -> Value:
    starts, ends = node.int_list(1, "starts") or [], node.int_list(2, "ends") or []
    axes = node.int_list(3, "axes")
    return _sliced(node, starts, ends, axes, node.int_list(4, "steps") or [1] * len(starts))


def _sliced(node: NodeContext, starts: list[int], ends: list[int], axes: list[int] | None, steps: list[int]) -> Value:
    x = node.input(0)
    axes = [node.axis(a, x.type.rank) for a in (range(len(starts)) if axes is None else axes)]
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise node.invalid(f"starts {starts}, ends {ends}, axes {axes} and steps {steps} do not fit")
    # slice.indices clamps as ONNX does; its negative end means "past element 0", as in f.slice.
    taken = [slice(s, e, t).indices(x.shape[a]) for s, e, t, a in zip(starts, ends, steps, axes, strict=True)]
    return node.slices(x, axes, [t[0] for t in taken], [t[1] for t in taken], steps)


@importer("Concat")
def concat(node: NodeContext) -> Value:
    xs = [node.input(i) for i in range(len(node.inputs))]
    return node.concat(xs, node.axis(node.integer("axis"), xs[0].type.rank))


@importer("Split")
def split(node: NodeContext) -> list[Value]:
    """Sizes as attribute or input, or equal parts of which the last may be smaller."""
    x = node.input(0)
    axis = node.axis(node.integer("axis", 0), x.type.rank)
    sizes = node.int_list(1, "split") if node.optional(1) is not None else node.integers("split")
    if sizes is None:
        parts = node.integer("num_outputs", node.output_count)
        if parts != node.output_count or not parts:
            raise node.invalid(f"num_outputs is {parts}, it has {node.output_count} outputs")
        part = -(-x.shape[axis] // parts)
        sizes = [max(0, min(part, x.shape[axis] - i * part)) for i in range(parts)]
    if sum(sizes) != x.shape[axis]:
        raise node.invalid(f"parts {sizes} do not make axis {axis} of {list(x.shape)}")
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [node.slice(x, axis, e - s, e) for s, e in zip(sizes, ends, strict=True)]


@importer("Expand")
def expand(node: NodeContext) -> Value:
    """Broadcasts both ways: a size 1 in the shape leaves x's own."""
    x = node.input(0)
    sizes = node.int_list(1, "shape") or []
    rank = max(len(sizes), x.type.rank)
    own = [1] * (rank - x.type.rank) + list(x.shape)
    asked = [1] * (rank - len(sizes)) + sizes
    return node.expand(x, [o if a == 1 else a for o, a in zip(own, asked, strict=True)])


@importer("Tile")
def tile(node: NodeContext) -> Value:
    """reshape to [1, d, ..], expand to [r, d, ..], reshape to [r * d, ..]; axes with r = 1 stay as they are."""
    x = node.input(0)
    repeats = node.int_list(1, "repeats") or []
    if len(repeats) != x.type.rank:
        raise node.invalid(f"repeats {repeats} do not fit {list(x.shape)}")
    pairs = list(zip(repeats, x.shape, strict=True))
    apart = node.reshape(x, [n for r, d in pairs for n in ((1, d) if r != 1 else (d,))])
    wide = node.expand(apart, [n for r, d in pairs for n in ((r, d) if r != 1 else (d,))])
    return node.reshape(wide, [r * d for r, d in pairs])


@importer("Pad")
def pad(node: NodeContext) -> Value:
    """Negative pads cut; the rest is f.pad."""
    x = node.input(0)
    given = (node.int_list(1, "pads") if node.optional(1) is not None else node.integers("pads")) or []
    rank = x.type.rank
    axes = [node.axis(a, rank) for a in node.int_list(3, "axes") or range(rank)]
    if len(given) != 2 * len(axes):
        raise node.invalid(f"pads {given} do not fit the axes {axes}")
    before, after = [0] * rank, [0] * rank
    for i, a in enumerate(axes):
        before[a], after[a] = given[i], given[len(axes) + i]
    fill: Array | None = node.array(2, "fill value") if node.optional(2) is not None else None
    value = node.number("value", 0.0) if fill is None or not fill.size else fill.reshape(-1)[0].item()
    starts = [max(0, -b) for b in before]
    ends = [n - max(0, -e) for n, e in zip(x.shape, after, strict=True)]
    x = node.slices(x, list(range(rank)), starts, ends, [1] * rank)
    pads = [max(0, p) for p in before + after]
    if not any(pads):
        return x
    mode = node.text("mode", "constant")
    return node.emit(fm.Pad, x, pads=pads, value=float(value), mode=mode)


@importer("DepthToSpace", "SpaceToDepth")
def depth_space(node: NodeContext) -> Value:
    """Blocks of b x b positions in exchange for channels."""
    x, b = node.input(0), node.integer("blocksize", 1)
    if x.type.rank != 4 or b < 1:
        raise node.invalid(f"blocks of {b} x {b} do not fit {list(x.shape)}")
    n, c, h, w = x.shape
    if node.op_type == "SpaceToDepth":
        parts = node.reshape(x, [n, c, h // b, b, w // b, b])
        order = [0, 3, 5, 1, 2, 4] if node.text("mode", "DCR") == "DCR" else [0, 1, 3, 5, 2, 4]
        return node.reshape(node.transpose(parts, order), [n, c * b * b, h // b, w // b])
    if node.text("mode", "DCR") == "DCR":
        parts = node.transpose(node.reshape(x, [n, b, b, c // (b * b), h, w]), [0, 3, 4, 1, 5, 2])
    else:
        parts = node.transpose(node.reshape(x, [n, c // (b * b), b, b, h, w]), [0, 1, 4, 2, 5, 3])
    return node.reshape(parts, [n, c // (b * b), h * b, w * b])
