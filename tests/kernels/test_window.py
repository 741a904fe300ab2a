"""Convolution and pooling: the portable kernels and every fast form against the reference, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.bench import Case
from emberc.errors import VerifyError
from emberc.ir.ops.integer_convolution import Conv
from emberc.ir.ops.integer_matmul import accumulator_bounds
from emberc.ir.ops.integer_rows import channel_bound
from emberc.ir.ops.integer_window import Depthwise, PoolMax, PoolMean
from emberc.ir.types import Array, DType
from emberc.ir.windows import Windows
from tests.kernels.boards import assert_exact, assert_exact_anywhere
from tests.kernels.check import FILLS, INT8, INT16, SIZES, check, constant, headroom, tensor, value

Geometry = dict[str, list[int]]

#: x without batch and channels, kernel, geometry
WINDOWS: list[tuple[tuple[int, ...], tuple[int, ...], Geometry]] = [
    ((17,), (3,), {"strides": [1], "dilations": [1], "pads": [2, 0]}),  # causal
    ((17,), (4,), {"strides": [3], "dilations": [2], "pads": [1, 5]}),
    ((3,), (3,), {"strides": [1], "dilations": [1], "pads": [0, 0]}),
    ((7, 5), (3, 3), {"strides": [1, 1], "dilations": [1, 1], "pads": [1, 1, 1, 1]}),
    ((5, 9), (2, 3), {"strides": [2, 1], "dilations": [1, 3], "pads": [0, 4, 1, 2]}),
    ((1, 13), (1, 1), {"strides": [1, 2], "dilations": [1, 1], "pads": [0, 0, 0, 0]}),
    ((4, 4), (3, 3), {"strides": [3, 3], "dilations": [2, 2], "pads": [3, 3, 3, 3]}),
]


def conv(
    x: Array, kernel: tuple[int, ...], n: int, groups: int, geometry: Geometry, dtype: str, fill: str = "random",
    table: bool = False, seed: int = 0,
) -> Conv:  # fmt: skip
    """A q.conv on random weights whose sums use the bits that the proof allows; x int8 is requantized without shift."""
    rng = np.random.default_rng(seed)
    w = tensor(rng, INT8, (n, *kernel, x.shape[-1] // groups), fill)
    bias = rng.integers(-1000, 1000, n).astype(np.int32)
    kind = DType.of(x.dtype)
    shift = min(0, headroom(*accumulator_bounds(w.reshape(n, -1), bias, kind)))
    factors = rng.integers(1 << 20, 1 << 24, n)
    out = INT8 if dtype == "i8" else INT16
    entries = constant(tensor(rng, out, (256,)), out.type) if table else None
    return Conv(
        value(x), constant(w, np.int8), constant(bias), constant(factors), entries, groups=groups, zx=-7, shift=shift,
        zero_point=3, dtype=dtype, **geometry,
    )  # fmt: skip


def run(op: Conv, x: Array) -> Array:
    table = None if op.table is None else op.table.const
    return check(op, x, op.w.const, op.bias.const, op.m.const, table)


@pytest.mark.parametrize("dtype", [INT8, INT16])
@pytest.mark.parametrize("geometry", range(len(WINDOWS)))
def test_conv(dtype: Any, geometry: int) -> None:
    shape, kernel, fields = WINDOWS[geometry]
    rng = np.random.default_rng(geometry)
    for channels, n, groups in ((1, 1, 1), (3, 7, 1), (17, 3, 1), (4, 6, 2), (3, 3, 3)):
        for fill in FILLS:
            x = tensor(rng, dtype, (2, *shape, channels), fill)
            for out in ("i8", "i16"):
                run(conv(x, kernel, n, groups, fields, out, fill, table=n == 7), x)


@pytest.mark.parametrize("n", SIZES)
def test_conv_of_every_size_in_tiles(n: int) -> None:
    """Windows, channels and outputs of each awkward number; 129 channels take the smallest tiles."""
    rng = np.random.default_rng(n)
    geometry = {"strides": [1], "dilations": [1], "pads": [1, 1]}
    for length, channels, outputs in ((n, 2, 5), (13, n, 3), (4, 3, n), (25, 9 * n, 2)):
        x = tensor(rng, INT8, (1, length, channels))
        run(conv(x, (3,), outputs, 1, geometry, "i8"), x)


def test_conv_is_a_moving_sum() -> None:
    x = np.arange(1, 6, dtype=np.int8).reshape(1, 5, 1)
    w = constant(np.array([10, 1]).reshape(1, 2, 1), np.int8)  # ten times the row before, plus the row itself
    geometry = {"strides": [1], "dilations": [1], "pads": [1, 0]}
    op = Conv(value(x), w, constant([2]), constant([1 << 16]), zx=0, shift=16, **geometry)
    np.testing.assert_array_equal(run(op, x).ravel(), [3, 14, 25, 36, 47])


@pytest.mark.parametrize("dtype", [INT8, INT16])
@pytest.mark.parametrize("geometry", range(len(WINDOWS)))
def test_depthwise(dtype: Any, geometry: int) -> None:
    shape, kernel, fields = WINDOWS[geometry]
    rng = np.random.default_rng(geometry)
    for channels, ratio in ((1, 1), (17, 1), (3, 2)):
        for fill in FILLS:
            c = channels * ratio
            x, w = tensor(rng, dtype, (2, *shape, channels), fill), tensor(rng, INT8, (*kernel, c), fill)
            bias = rng.integers(-1000, 1000, c).astype(np.int32)
            m = rng.integers(1, 1 << 24, c).astype(np.int32)
            bound = channel_bound(w.reshape(-1, c), bias, DType.of(x.dtype), -5)
            for out in ("i8", "i16"):
                op = Depthwise(
                    value(x), constant(w, np.int8), constant(bias), constant(m), zx=-5,
                    shift=max(0, headroom(-bound, bound)), zero_point=3, dtype=out, **fields,
                )  # fmt: skip
                check(op, x, w, bias, m)


@pytest.mark.parametrize("dtype", [INT8, INT16])
@pytest.mark.parametrize("geometry", range(len(WINDOWS)))
def test_pools(dtype: Any, geometry: int) -> None:
    shape, kernel, fields = WINDOWS[geometry]
    rng = np.random.default_rng(geometry)
    for channels in (1, 17):
        for fill in FILLS:
            x = tensor(rng, dtype, (2, *shape, channels), fill)
            check(PoolMax(value(x), kernel_shape=list(kernel), **fields), x)
            m = rng.integers(1, 1 << 26, int(np.prod(kernel)) + 1).astype(np.int32)
            for out in ("i8", "i16"):
                attrs = {"zx": 9, "shift": 4, "zero_point": -2, "dtype": out, "kernel_shape": list(kernel)}
                check(PoolMean(value(x), constant(m), **attrs, **fields), x, m)


def test_refuses() -> None:
    x = value(np.zeros((1, 4, 4, 2), np.int8))
    with pytest.raises(VerifyError, match="in the padding altogether"):
        outside = {"strides": [1], "dilations": [1], "pads": [1, 0]}
        PoolMax(value(np.zeros((1, 2, 2), np.int8)), kernel_shape=[1], **outside).verify()
    even = {"strides": [1, 1], "dilations": [1, 1], "pads": [0, 0, 0, 0]}
    with pytest.raises(VerifyError, match="larger than"):
        PoolMax(x, kernel_shape=[5, 1], **even)
    with pytest.raises(VerifyError, match="groups"):
        parts = constant(np.zeros((3, 1, 1, 1)), np.int8), constant([0] * 3), constant([0] * 3)
        Conv(x, *parts, groups=2, **even)


def cases() -> list[Case]:
    """Convolutions for the boards: every geometry, tables, groups, tiles of all lengths."""
    made = []
    rng = np.random.default_rng(5)

    def case(
        shape: tuple[int, ...], kernel: tuple[int, ...], n: int, groups: int, fields: Geometry, **more: Any
    ) -> None:
        x = tensor(rng, INT8, shape, more.get("fill", "random"))
        for dtype in ("i8", "i16"):
            op = conv(x, kernel, n, groups, fields, dtype, **more)
            op.verify()
            made.append(Case(op, {"x": x}, f"{shape} {kernel} {n}", note=f"{groups} groups {more}"))

    for shape, kernel, fields in WINDOWS:
        case((2, *shape, 3), kernel, 7, 1, fields, table=True)
        case((1, *shape, 6), kernel, 8, 2, fields)
    same = {"strides": [1], "dilations": [1], "pads": [1, 1]}
    for length in (2, 3, 4, 12, 13, 14, 25):
        case((1, length, 5), (3,), 6, 1, same)
    for fill in ("low", "high", "mixed"):
        case((1, 7, 17), (3,), 5, 1, same, fill=fill)
    case((1, 14, 300), (3,), 9, 1, same)
    return made


@pytest.mark.board
@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m7", "cortex-m55", "rv32"])
def test_conv_with_the_products_of_each_core(target: str) -> None:
    assert_exact(target, cases())


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m7", "cortex-m55", "rv32"])
def test_conv_of_each_core_as_plain_c(target: str) -> None:
    assert_exact_anywhere(target, cases())


def test_the_products_are_the_fast_ones() -> None:
    (first, *_) = cases()
    wanted = {"armv7em": "ember_conv_s8_armv7em", "mve": "ember_conv_s8_mve", "rv32": "ember_conv_s8_rv32"}
    assert {isa: first.kernel(("portable", isa)).function for isa in wanted} == wanted


def spoils(windows: Windows, shape: tuple[int, ...], x_size: int, y_size: int) -> bool:
    """Whether some result, written from the first byte of x on, hits what is read after it; channel by channel."""
    channels, place = shape[-1], np.arange(np.prod(shape)).reshape(shape)
    reads = windows.patches(place + 1, 0).reshape(-1, windows.size, channels)
    written: set[int] = set()
    for at, window in enumerate(reads):
        for c in range(channels):
            elements = [int(e) - 1 for e in window[:, c] if e]
            if any(e * x_size + k in written for e in elements for k in range(x_size)):
                return True
            first = (at * channels + c) * y_size
            written.update(range(first, first + y_size))
    return False


def test_results_lie_over_x_exactly_where_that_spoils_nothing() -> None:
    rng, found = np.random.default_rng(2), {True: 0, False: 0}
    for _ in range(400):
        n = int(rng.integers(1, 3))
        size, kernel, strides, dilations = (tuple(int(v) for v in rng.integers(1, top, n)) for top in (9, 4, 4, 3))
        windows = Windows(kernel, strides, dilations, tuple(int(v) for v in rng.integers(0, 2, 2 * n)))
        shape, (x_size, y_size) = (1, *size, 2), rng.choice([1, 2], 2).tolist()
        if any(e > s + sum(windows.pads[i::n]) for i, (e, s) in enumerate(zip(windows.extents(), size, strict=True))):
            continue
        if windows.valid(shape).min() == 0:
            continue
        fits = windows.in_order(shape, 2 * x_size, 2 * y_size)
        room = int(np.prod(windows.counts(shape))) * y_size <= int(np.prod(size)) * x_size
        assert fits == (room and not spoils(windows, shape, x_size, y_size)), (windows, size, x_size, y_size)
        found[fits] += 1
    assert min(found.values()) > 50, found
