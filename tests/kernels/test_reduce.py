"""q.reduce_sum, q.reduce_max and q.top_k: bits against the references."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.errors import VerifyError
from emberc.ir.ops.integer_reduce import ReduceMax, ReduceSum, TopK
from tests.kernels.check import FILLS, INT8, INT16, SIZES, check, check_results, tensor, value


@pytest.mark.parametrize("dtype", [INT8, INT16])
@pytest.mark.parametrize("n", SIZES)
def test_reduce(dtype: Any, n: int) -> None:
    rng = np.random.default_rng(n)
    for shape, axis in (((n,), 0), ((2, n, 3), 1), ((n, 7), 0), ((3, n), 1)):
        for fill in FILLS:
            x = tensor(rng, dtype, shape, fill)
            for keepdims in (False, True):
                check(ReduceMax(value(x), axis=axis, keepdims=keepdims), x)
                for out in ("i8", "i16"):
                    m = round((1 << 30) / n) >> (9 if out == "i8" and dtype == INT16 else 1)
                    check(
                        ReduceSum(value(x), axis=axis, keepdims=keepdims, zx=-3, m=m, shift=3, zero_point=5, dtype=out),
                        x,
                    )


@pytest.mark.parametrize("dtype", [INT8, INT16, np.dtype(np.int32)])
@pytest.mark.parametrize("n", SIZES)
def test_top_k(dtype: Any, n: int) -> None:
    """Ties too: every fill but the random one has two values at most."""
    rng = np.random.default_rng(n)
    for shape, axis in (((n,), 0), ((2, n, 3), 1)):
        for fill in FILLS:
            x = tensor(rng, dtype, shape, fill)
            for k in {0, 1, min(n, 5)}:
                for smallest in (False, True):
                    for last in (False, True):
                        check_results(TopK(value(x), k=k, axis=axis, smallest=smallest, last=last), [x])


def test_of_equals_the_first_or_the_last_stands_first() -> None:
    x = np.array([3, 9, 9, -1, -1], np.int8)
    for smallest, last, want in (
        (False, False, [1, 2]),
        (False, True, [2, 1]),
        (True, False, [3, 4]),
        (True, True, [4, 3]),
    ):
        _, positions = check_results(TopK(value(x), k=2, axis=0, smallest=smallest, last=last), [x])
        assert positions.tolist() == want


def test_a_mean_is_a_sum_with_another_multiplier() -> None:
    x = tensor(np.random.default_rng(1), INT8, (5, 100))
    got = check(ReduceSum(value(x), axis=1, m=round(2**32 / 100)), x)
    np.testing.assert_array_equal(got, np.floor(x.mean(axis=1) + 0.5))


def test_refuses() -> None:
    x = value(np.zeros((4, 1 << 12), np.int16))
    with pytest.raises(VerifyError, match="shifted sum"):
        ReduceSum(x, axis=1, m=1, shift=5).verify()
    with pytest.raises(VerifyError, match="no axis 2"):
        ReduceMax(x, axis=2)
    with pytest.raises(VerifyError, match="no 5 of 4 elements"):
        TopK(x, k=5, axis=0)
