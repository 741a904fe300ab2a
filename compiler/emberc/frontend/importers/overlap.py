"""Operators that add windows up where they overlap: Col2Im, ConvTranspose."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from emberc.frontend.context import NodeContext
from emberc.frontend.limits import check_shape
from emberc.frontend.registry import importer
from emberc.ir.ops.float_movement import Gather, Pad
from emberc.ir.values import Value


@dataclass(frozen=True)
class Windows:
    """``counts`` windows of ``kernel`` elements over an image of ``sizes``, ``before`` of whose front is cut."""

    sizes: list[int]
    kernel: list[int]
    counts: list[int]
    strides: list[int]
    dilations: list[int]
    before: list[int]

    def sources(self, place: str) -> list[list[int]]:
        """For every pixel of the image the elements (kernel position * windows + window) that land on it; ``place``
        names the node in errors."""
        check_shape([*self.kernel, *self.counts], place)
        check_shape(self.sizes, place)
        k = np.indices(self.kernel).reshape(len(self.kernel), -1, 1)
        w = np.indices(self.counts).reshape(len(self.counts), 1, -1)
        column = [np.asarray(v).reshape(-1, 1, 1) for v in (self.strides, self.dilations, self.before, self.sizes)]
        at = w * column[0] + k * column[1] - column[2]
        inside = ((at >= 0) & (at < column[3])).all(0).reshape(-1)
        pixel = np.ravel_multi_index(list(np.clip(at, 0, column[3] - 1)), self.sizes).reshape(-1)
        found: list[list[int]] = [[] for _ in range(prod(self.sizes))]
        for source in np.nonzero(inside)[0]:
            found[pixel[source]].append(int(source))
        return found


def overlap_add(node: NodeContext, columns: Value, windows: Windows) -> Value:
    """[N, C, kernel * windows] -> [N, C, sizes..]: a gather of what lands on each pixel, and its sum."""
    n, c, count = columns.shape
    sources = windows.sources(node.place)
    most = max(1, max(map(len, sources)))
    ids = np.array([s + [count] * (most - len(s)) for s in sources]).T  # [most, pixels]; ``count`` is a zero
    padded = node.emit(Pad, columns, pads=[0, 0, 0, 0, 0, 1], value=0.0)
    parts = node.emit(Gather, padded, node.constant(ids.copy()), axis=2)
    return node.reshape(node.reduce(parts, "sum", [2], keepdims=False), [n, c, *windows.sizes])


@importer("Col2Im", since=18)
def col2im(node: NodeContext) -> Value:
    x = node.input(0)
    sizes, kernel = node.int_list(1, "image shape") or [], node.int_list(2, "block shape") or []
    d = len(sizes)
    strides, dilations = node.integers("strides") or [1] * d, node.integers("dilations") or [1] * d
    pads = node.integers("pads") or [0] * 2 * d
    counts = [
        (sizes[i] + pads[i] + pads[d + i] - dilations[i] * (kernel[i] - 1) - 1) // strides[i] + 1 for i in range(d)
    ]
    columns = node.reshape(x, [x.shape[0], x.shape[1] // prod(kernel), prod(kernel) * x.shape[2]])
    return overlap_add(node, columns, Windows(sizes, kernel, counts, strides, dilations, pads[:d]))


@importer("ConvTranspose")
def conv_transpose(node: NodeContext) -> Value:
    """x [N, C, D..], w [C, M / group, K..]: every element of x spreads the kernel; what overlaps is added up."""
    x, w, bias = node.input(0), node.input(1), node.optional(2)
    groups = node.integer("group", 1)
    n, c, *sizes = x.shape
    kernel, per_group = list(w.shape[2:]), w.shape[1]
    windows = _spread(node, sizes, kernel)
    lead = [groups] if groups > 1 else []  # weights of one group stay a matrix: the product is a linear
    weights = node.reshape(w, [*lead, c // groups, per_group * prod(kernel)])
    rows = node.transpose(node.reshape(x, [n, groups, c // groups, prod(sizes)]), [0, 1, 3, 2])
    spread = node.transpose(node.matmul(rows, weights), [0, 1, 3, 2])  # [N, g, M / g * K, D]
    y = overlap_add(node, node.reshape(spread, [n, groups * per_group, prod(kernel) * prod(sizes)]), windows)
    return y if bias is None else node.add(y, node.reshape(bias, [groups * per_group, *[1] * len(kernel)]))


def _spread(node: NodeContext, sizes: list[int], kernel: list[int]) -> Windows:
    """Geometry of a transposed convolution with auto_pad and output_shape resolved."""
    d = len(sizes)
    node.ignore("kernel_shape")
    strides, dilations = node.integers("strides") or [1] * d, node.integers("dilations") or [1] * d
    extra = node.integers("output_padding") or [0] * d
    full = [strides[i] * (sizes[i] - 1) + extra[i] + dilations[i] * (kernel[i] - 1) + 1 for i in range(d)]
    auto, wanted = node.text("auto_pad", "NOTSET"), node.integers("output_shape")
    if wanted is None and auto.startswith("SAME"):
        wanted = [s * n for s, n in zip(strides, sizes, strict=True)]
    pads = node.integers("pads") or [0] * 2 * d
    if wanted is None:
        out = [full[i] - pads[i] - pads[d + i] for i in range(d)]
        return Windows(out, kernel, sizes, strides, dilations, pads[:d])
    total = [f - w for f, w in zip(full, wanted[-d:], strict=True)]
    before = [t // 2 if auto == "SAME_UPPER" else t - t // 2 for t in total]
    return Windows(wanted[-d:], kernel, sizes, strides, dilations, before)
