"""q.running_sum, q.cache and q.slide: kernels against references, pieces against the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.errors import UsageError, VerifyError
from emberc.ir.ops.integer_reduce import ReduceSum
from emberc.ir.ops.integer_stream import Cache, RunningSum, Slide
from tests.kernels.calls import OutOfRangeError, run_kernel
from tests.kernels.check import FILLS, INT8, INT16, SIZES, check, check_results, tensor, value


@pytest.mark.parametrize("dtype", [INT8, INT16])
@pytest.mark.parametrize("n", SIZES)
def test_running_sum(dtype: Any, n: int) -> None:
    rng = np.random.default_rng(n)
    for fill in FILLS:
        for axis in range(3):
            x = tensor(rng, dtype, (2, n, 3), fill)
            shape = tuple(1 if i == axis else s for i, s in enumerate(x.shape))
            initial = rng.integers(-(1 << 31), 1 << 31, shape).astype(np.int32)
            for out in ("i8", "i16"):
                op = RunningSum(
                    value(x), value(initial), axis=axis, limit=200, m=1 << 22, shift=5, zx=-9, zero_point=3, dtype=out
                )
                check_results(op, [x, initial])


def test_pieces_equal_the_whole() -> None:
    rng = np.random.default_rng(1)
    x = tensor(rng, INT8, (1, 9, 4))
    common = {"axis": 1, "zx": -3, "m": 1 << 27, "shift": 3, "zero_point": 5}
    (want,) = ReduceSum(value(x), keepdims=True, **common).run(x)  # type: ignore[arg-type]
    total = np.zeros((1, 1, 4), np.int32)
    for t in range(0, 9, 3):
        op = RunningSum(value(x[:, :3]), value(total), limit=9, **common)
        y, total = op.run(x[:, t : t + 3], total)
    np.testing.assert_array_equal(y, want)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32])
def test_cache(dtype: Any) -> None:
    rng = np.random.default_rng(2)
    for capacity, count, first in ((1, 1, 0), (7, 1, 6), (7, 3, 0), (17, 3, 14)):
        x = rng.integers(-99, 99, (2, capacity, 3)).astype(dtype)
        rows, at = rng.integers(-99, 99, (2, count, 3)).astype(dtype), np.array([first], np.int32)
        got = check(Cache(value(x), value(rows), value(at)), x, rows, at)
        np.testing.assert_array_equal(got[:, first : first + count], rows)


@pytest.mark.parametrize("first", [-1, 6, 2**31 - 1])
def test_a_full_cache_is_an_error(first: int) -> None:
    x, rows, at = np.zeros((1, 7, 2), np.int8), np.ones((1, 2, 2), np.int8), np.array([first], np.int32)
    op = Cache(value(x), value(rows), value(at))
    with pytest.raises(UsageError, match="outside a cache of 7 rows"):
        op.run(x, rows, at)
    with pytest.raises(OutOfRangeError):
        run_kernel(op, [x, rows, at])


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32])
def test_slide(dtype: Any) -> None:
    """Also over its operand; as many new rows as it has, and one."""
    rng = np.random.default_rng(3)
    cases = (((1, 1, 3), 1, 1), ((2, 7, 3), 1, 1), ((2, 17, 3), 3, 1), ((7, 129), 7, 0), ((3, 4), 1, 1))
    for shape, count, axis in cases:
        x = rng.integers(-99, 99, shape).astype(dtype)
        rows = rng.integers(-99, 99, [count if i == axis else n for i, n in enumerate(shape)]).astype(dtype)
        got = check(Slide(value(x), value(rows), axis=axis), x, rows)
        both = np.concatenate([x, rows], axis)
        np.testing.assert_array_equal(got, both.take(range(count, shape[axis] + count), axis))


def test_refuses() -> None:
    x, total = value(np.zeros((1, 7, 2), np.int8)), value(np.zeros((1, 1, 2), np.int32))
    with pytest.raises(VerifyError, match="the shifted sum"):
        RunningSum(x, total, axis=1, limit=1 << 24, m=1, shift=2).verify()
    with pytest.raises(VerifyError, match="initial is"):
        RunningSum(x, total, axis=2, limit=1, m=1)
    with pytest.raises(VerifyError, match="do not fit into"):
        Cache(x, value(np.zeros((1, 8, 2), np.int8)), value(np.zeros(1, np.int32)))
    for rows in (np.zeros((1, 8, 2), np.int8), np.zeros((1, 1, 3), np.int8), np.zeros((1, 1, 2), np.int16)):
        with pytest.raises(VerifyError, match="do not fit into"):
            Slide(x, value(rows))
