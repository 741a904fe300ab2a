"""q.index, q.cumsum and q.widen: the kernels against the references, the references against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from emberc.errors import VerifyError
from emberc.ir.ops.integer_index import KINDS, Cumsum, Index, Widen
from tests.kernels.check import FILLS, SIZES, check, tensor, value

INT32 = np.dtype(np.int32)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("n", SIZES)
def test_index(kind: str, n: int) -> None:
    rng = np.random.default_rng(n)
    for fill in FILLS:
        for left, right in (((n,), (n,)), ((3, n), (n,)), ((2, 1, n), (1, 3, 1)), ((n, 1), ())):
            x, y = tensor(rng, INT32, left, fill), tensor(rng, INT32, right, fill)
            check(Index(value(x), value(y), kind=kind), x, y)


@pytest.mark.parametrize("n", SIZES)
def test_cumsum(n: int) -> None:
    rng = np.random.default_rng(n)
    for shape, axis in (((n,), 0), ((2, n), 1), ((n, 3), 0), ((2, n, 3), 1)):
        for fill in FILLS:
            x = tensor(rng, INT32, shape, fill)
            for exclusive in (False, True):
                for reverse in (False, True):
                    check(Cumsum(value(x), axis=axis, exclusive=exclusive, reverse=reverse), x)


def test_running_sums() -> None:
    x = np.array([1, 2, 3], np.int32)
    for exclusive, reverse, want in ((False, False, [1, 3, 6]), (True, False, [0, 1, 3]), (True, True, [5, 3, 0])):
        op = Cumsum(value(x), axis=0, exclusive=exclusive, reverse=reverse)
        np.testing.assert_array_equal(check(op, x), want)


@pytest.mark.parametrize("n", SIZES)
def test_widen(n: int) -> None:
    x = np.random.default_rng(n).random((2, n)) < 0.5
    np.testing.assert_array_equal(check(Widen(value(x)), x), x.astype(int))


def test_refuses() -> None:
    x = value(np.zeros((2, 3), np.int32))
    with pytest.raises(VerifyError, match="no axis 2"):
        Cumsum(x, axis=2)
    with pytest.raises(VerifyError, match="kind is 'pow'"):
        Index(x, x, kind="pow")
