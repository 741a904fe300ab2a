"""Fourier transforms of known length: products with constant matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emberc.frontend.context import NodeContext
from emberc.frontend.limits import check_shape
from emberc.frontend.registry import importer
from emberc.frontend.tensors import element_type
from emberc.ir.ops.float_movement import Gather
from emberc.ir.types import DType
from emberc.ir.values import Value


@importer("DFT", since=17)
def dft_17(node: NodeContext) -> Value:
    return _transform(node, node.integer("axis", 1))


@importer("DFT", since=20)
def dft(node: NodeContext) -> Value:
    return _transform(node, int(node.array(2, "axis").reshape(-1)[0]) if node.optional(2) is not None else -2)


def _transform(node: NodeContext, axis: int) -> Value:
    """x [.., n, .., 1 or 2]: the last axis holds the real and, where there are two, the imaginary part."""
    x = node.input(0)
    rank = x.type.rank
    axis = node.axis(axis, rank)
    length = node.int_list(1, "length")
    n = length[0] if length else x.shape[axis]
    check_shape([n, 2 * n], node.place)
    inverse, one_sided = bool(node.integer("inverse")), bool(node.integer("onesided"))
    if inverse and one_sided:
        full = length[0] if length else 2 * (x.shape[axis] - 1)
        matrix = real_inverse(x.shape[axis], full)
    else:
        matrix = complex_matrix(n, n // 2 + 1 if one_sided else n, x.shape[-1], inverse)
    rows = len(matrix) // x.shape[-1]
    taken = min(rows, x.shape[axis])  # a longer transform reads zeros behind the signal
    order = [k for k in range(rank - 1) if k != axis] + [axis, rank - 1]
    moved = node.transpose(node.slice(x, axis, 0, taken), order)
    lead = list(moved.shape[:-2])
    flat = node.reshape(moved, [*lead, taken * x.shape[-1]])
    y = node.matmul(flat, node.constant(matrix[: taken * x.shape[-1]], x.type.dtype))
    parts = 1 if inverse and one_sided else 2
    y = node.reshape(y, [*lead, matrix.shape[1] // parts, parts])
    return node.transpose(y, [order.index(k) for k in range(rank)])


@importer("STFT", since=17)
def stft(node: NodeContext) -> Value:
    """signal [B, L, 1]: windows of ``length`` every ``step``, each transformed: [B, frames, bins, 2]."""
    signal, window = node.input(0), node.optional(2)
    step = int(node.array(1, "frame step").reshape(-1)[0])
    length = int(node.array(3, "frame length").reshape(-1)[0]) if node.optional(3) is not None else 0
    length = length or (window.shape[0] if window is not None else signal.shape[1])
    if step < 1 or not 0 < length <= signal.shape[1]:
        raise node.invalid(f"frames of {length} every {step} do not fit {list(signal.shape)}")
    count = (signal.shape[1] - length) // step + 1
    check_shape([length, 2 * length], node.place)
    check_shape([count, length], node.place)
    places = np.arange(count)[:, None] * step + np.arange(length)
    parts = signal.shape[2] if signal.type.rank == 3 else 1
    frames = node.emit(Gather, signal, node.constant(places), axis=1)  # [B, frames, length(, 1)]
    frames = node.reshape(frames, [signal.shape[0], count, length, parts])
    if window is not None:
        frames = node.mul(frames, node.reshape(window, [length, 1]))
    bins = length // 2 + 1 if node.integer("onesided", 1) else length
    flat = node.reshape(frames, [signal.shape[0], count, length * parts])
    matrix = node.constant(complex_matrix(length, bins, parts, inverse=False), signal.type.dtype)
    return node.reshape(node.matmul(flat, matrix), [signal.shape[0], count, bins, 2])


def complex_matrix(n: int, bins: int, parts: int, inverse: bool) -> NDArray[np.float64]:
    """[n * parts, bins * 2]: y_k = sum_t x_t e^(-2 pi i k t / n), conjugated and divided by n for the inverse."""
    angle = 2 * np.pi * (np.outer(np.arange(n), np.arange(bins)) % n) / n
    sign, scale = (1.0, 1.0 / n) if inverse else (-1.0, 1.0)
    c, s = scale * np.cos(angle), scale * sign * np.sin(angle)
    real = np.stack([c, s], -1)  # what a real sample adds to (re, im)
    both = np.stack([real, np.stack([-s, c], -1)], 1) if parts == 2 else real[:, None]
    return both.reshape(n * parts, bins * 2)


def real_inverse(bins: int, n: int) -> NDArray[np.float64]:
    """[bins * 2, n]: the real signal whose first ``bins`` of n frequencies are given."""
    angle = 2 * np.pi * (np.outer(np.arange(bins), np.arange(n)) % n) / n
    twice = np.where((np.arange(bins) == 0) | (2 * np.arange(bins) == n), 1.0, 2.0)[:, None] / n
    return np.stack([twice * np.cos(angle), -twice * np.sin(angle)], 1).reshape(bins * 2, n)


@importer("MelWeightMatrix", since=17)
def mel_weight_matrix(node: NodeContext) -> Value:
    """[bins, mels]: triangles between edges that are evenly spaced on the mel scale (O'Shaughnessy 1987)."""
    names = ("number of mel bins", "transform length", "sample rate", "lower edge", "upper edge")
    mels, length, rate, low, high = (node.array(i, name).reshape(-1)[0].item() for i, name in enumerate(names))
    dtype = element_type(node.integer("output_datatype", 1), node.place)
    if mels < 1 or length < 1 or rate <= 0:
        raise node.invalid(f"{mels} bins of a transform of length {length} at {rate} Hz")
    check_shape([length, mels], node.place)
    edges = np.linspace(0, 1, mels + 2, endpoint=False) * (_mel(high) - _mel(low)) + _mel(low)
    places = np.floor((length + 1) * 700 * (10 ** (edges / 2595) - 1) / rate).astype(np.int64)
    out = np.zeros((length // 2 + 1, mels))
    for k in range(mels):
        left, center, right = places[k : k + 3]
        out[center, k] = 1.0
        for j in range(left, center):
            out[j, k] = (j - left) / (center - left)
        for j in range(center, right):
            out[j, k] = (right - j) / (right - center)
    return node.constant(out, dtype if dtype.is_float else DType.F32)


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


@importer("HannWindow", "HammingWindow", "BlackmanWindow", since=17)
def cosine_window(node: NodeContext) -> Value:
    """a0 - a1 cos(2 pi t / n) + a2 cos(4 pi t / n), n - 1 for n where the window is symmetric."""
    weights = {"HannWindow": (0.5, 0.5, 0.0), "HammingWindow": (25 / 46, 21 / 46, 0.0)}
    a0, a1, a2 = weights.get(node.op_type, (0.42, 0.5, 0.08))
    size = int(node.array(0, "size").reshape(-1)[0])
    check_shape([size], node.place)
    turn = 2 * np.pi * np.arange(size) / (size if node.integer("periodic", 1) else max(size - 1, 1))
    dtype = element_type(node.integer("output_datatype", 1), node.place)
    return node.constant(a0 - a1 * np.cos(turn) + a2 * np.cos(2 * turn), dtype)
