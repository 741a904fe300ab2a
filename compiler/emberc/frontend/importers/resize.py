"""Resize and Upsample: every axis by itself, as a gather (nearest) or a product with a constant matrix."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, isfinite

import numpy as np
from numpy.typing import NDArray

from emberc.frontend.context import NodeContext
from emberc.frontend.limits import check_shape
from emberc.frontend.registry import importer
from emberc.ir.ops.float_movement import Gather
from emberc.ir.values import Value

Matrix = NDArray[np.float64]
MODES = ("nearest", "linear", "cubic")


@dataclass(frozen=True)
class Axis:
    """One axis: sizes before and after, the factor between them, and the part [start, end] that a crop keeps."""

    axis: int
    size: int
    new: int
    scale: float
    start: float = 0.0
    end: float = 1.0


@importer("Upsample")
def upsample(node: NodeContext) -> Value:
    """Resize as it was before opset 10: output i shows position floor(i / scale)."""
    x = node.input(0)
    scales = [float(s) for s in node.array(1, "scales").reshape(-1)] if node.optional(1) else node.numbers("scales")
    axes = [
        Axis(i, n, floor(n * s), s) for i, (n, s) in enumerate(zip(x.shape, scales or [1.0] * x.type.rank, strict=True))
    ]
    return _resized(node, axes, "asymmetric", "floor")


@importer("Resize", since=10)
def resize_10(node: NodeContext) -> Value:
    scales = [float(s) for s in node.array(1, "scales").reshape(-1)]
    axes = [Axis(i, n, floor(n * s), s) for i, (n, s) in enumerate(zip(node.input(0).shape, scales, strict=True))]
    return _resized(node, axes, "asymmetric", "floor")


@importer("Resize", since=11)
def resize(node: NodeContext) -> Value:
    transform = node.text("coordinate_transformation_mode", "half_pixel")
    return _resized(node, _axes(node), transform, node.text("nearest_mode", "round_prefer_floor"))


def _axes(node: NodeContext) -> list[Axis]:
    x = node.input(0)
    axes = [node.axis(a, x.type.rank) for a in node.integers("axes") or range(x.type.rank)]
    old = [x.shape[a] for a in axes]
    roi = node.array(1, "roi").reshape(-1) if node.optional(1) is not None else np.zeros(0)
    given = node.array(2, "scales").reshape(-1) if node.optional(2) is not None else np.zeros(0)
    sizes = node.int_list(3, "sizes")
    policy = node.text("keep_aspect_ratio_policy", "stretch")
    if sizes:
        scales = [new / n for new, n in zip(sizes, old, strict=True)]
        if policy != "stretch":
            one = min(scales) if policy == "not_larger" else max(scales)
            scales = [one] * len(axes)
            sizes = [floor(one * n + 0.5) for n in old]
    else:
        scales = [float(s) for s in given]
        if len(scales) != len(axes):
            raise node.invalid(f"{len(scales)} scales do not fit {len(axes)} axes")
        sizes = [floor(n * s) for n, s in zip(old, scales, strict=True)]
    crop = node.text("coordinate_transformation_mode") == "tf_crop_and_resize"
    starts, ends = (roi[: len(axes)], roi[len(axes) :]) if crop else (np.zeros(len(axes)), np.ones(len(axes)))
    columns = zip(axes, old, sizes, scales, starts, ends, strict=True)
    return [Axis(a, n, new, s, float(first), float(last)) for a, n, new, s, first, last in columns]


def _resized(node: NodeContext, axes: list[Axis], transform: str, rounding: str) -> Value:
    mode = node.text("mode", "nearest")
    if mode not in MODES:
        raise node.refuse(f"mode={mode!r}", ", ".join(MODES))
    antialias, exclude = bool(node.integer("antialias")), bool(node.integer("exclude_outside"))
    a, fill = node.number("cubic_coeff_a", -0.75), node.number("extrapolation_value", 0.0)
    y = node.input(0)
    new = {d.axis: d.new for d in axes}
    check_shape([new.get(k, n) for k, n in enumerate(y.shape)], node.place)
    for d in axes:
        if d.size == d.new and d.scale == 1.0 and (d.start, d.end) == (0.0, 1.0):
            continue
        if d.new < 1 or not isfinite(d.scale):
            raise node.invalid(f"axis {d.axis} would have {d.new} elements")
        check_shape([d.new, d.size] if mode != "nearest" else [d.new], node.place)
        at = _positions(node, d, transform)
        if mode == "nearest":
            y = node.emit(Gather, y, node.constant(np.clip(_rounded(at, rounding), 0, d.size - 1)), axis=d.axis)
        else:
            matrix = _matrix(at, d.size, min(d.scale, 1.0) if antialias else 1.0, mode, a, exclude)
            y = along_axis(node, y, d.axis, matrix)
        outside = (at < 0) | (at > d.size - 1)
        if transform == "tf_crop_and_resize" and outside.any():
            column = node.constant(outside.reshape([-1 if k == d.axis else 1 for k in range(y.type.rank)]))
            y = node.where(column, node.scalar(fill, y), y)
    return y


def along_axis(node: NodeContext, x: Value, axis: int, matrix: Matrix) -> Value:
    """y[.., o, ..] = sum_i matrix[o, i] x[.., i, ..] along ``axis``."""
    last = x.type.rank - 1
    order = [k for k in range(last + 1) if k != axis] + [axis]
    moved = node.matmul(node.transpose(x, order), node.constant(matrix.T, x.type.dtype))
    return node.transpose(moved, [order.index(k) for k in range(last + 1)])


def _positions(node: NodeContext, d: Axis, transform: str) -> Matrix:
    """Where on the old axis each of the new elements stands."""
    i, width = np.arange(d.new, dtype=np.float64), d.scale * d.size
    if transform == "align_corners":
        return i * (d.size - 1) / (width - 1) if width != 1 else 0 * i
    if transform == "asymmetric":
        return i / d.scale
    if transform == "tf_crop_and_resize":
        if width == 1:
            return 0 * i + (d.start + d.end) * (d.size - 1) / 2
        return d.start * (d.size - 1) + i * (d.end - d.start) * (d.size - 1) / (width - 1)
    half = (i + 0.5) / d.scale - 0.5
    if transform == "half_pixel":
        return half
    if transform == "pytorch_half_pixel":
        return half if width != 1 else 0 * i - 0.5
    if transform == "half_pixel_symmetric":
        return half + d.size / 2 * (1 - d.new / width)
    known = "half_pixel, half_pixel_symmetric, pytorch_half_pixel, align_corners, asymmetric, tf_crop_and_resize"
    raise node.refuse(f"coordinate_transformation_mode={transform!r}", known)


def _rounded(at: Matrix, rounding: str) -> NDArray[np.int64]:
    if rounding == "round_prefer_floor":
        rounded = np.ceil(at - 0.5)
    elif rounding == "round_prefer_ceil":
        rounded = np.floor(at + 0.5)
    else:
        rounded = np.floor(at) if rounding == "floor" else np.ceil(at)
    return rounded.astype(np.int64)


def _matrix(at: Matrix, size: int, stretch: float, mode: str, a: float, exclude: bool) -> Matrix:
    """Row o holds the weights of output o; ``stretch`` < 1 widens the filter against aliasing."""
    reach = ceil((1 if mode == "linear" else 2) / stretch)
    rows = np.zeros((len(at), size))
    for o, x in enumerate(at):
        taps = np.arange(floor(x) - reach, floor(x) + reach + 2)
        weights = _filter(np.abs(taps - x) * stretch, mode, a)
        if exclude:
            weights = np.where((taps >= 0) & (taps < size), weights, 0.0)
        np.add.at(rows[o], np.clip(taps, 0, size - 1), weights / weights.sum())
    return rows


def _filter(d: Matrix, mode: str, a: float) -> Matrix:
    """The weight at distance d: a triangle, or the cubic of Keys 1981 with the free parameter ``a``."""
    if mode == "linear":
        return np.maximum(1 - d, 0)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))
