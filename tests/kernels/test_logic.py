"""q.nonzero, q.compare, q.logical and q.where: bits against the references."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.errors import VerifyError
from emberc.ir.ops.integer_compare import COMPARISONS, Compare, Logical, Nonzero, Where
from tests.kernels.check import SIZES, check, value

DTYPES = [np.int8, np.int16, np.int32, np.bool_]
SHAPES = [*[((n,), (n,)) for n in SIZES], ((3, 7), (7,)), ((7,), (3, 7)), ((3, 1), (1, 7)), ((2, 1, 3), (2, 4, 3))]


def few(rng: np.random.Generator, dtype: Any, shape: tuple[int, ...]) -> Any:
    """Values that are often equal, and the type's extremes."""
    if dtype is np.bool_:
        return rng.random(shape) < 0.5
    info = np.iinfo(dtype)
    return rng.choice(np.array([info.min, -1, 0, 0, 1, info.max], dtype), shape)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nonzero(dtype: Any) -> None:
    rng = np.random.default_rng(1)
    for n in SIZES:
        x = few(rng, dtype, (n,))
        check(Nonzero(value(x)), x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", list(COMPARISONS))
def test_compare(dtype: Any, kind: str) -> None:
    rng = np.random.default_rng(2)
    for a, b in SHAPES:
        x, y = few(rng, dtype, a), few(rng, dtype, b)
        check(Compare(value(x), value(y), kind=kind), x, y)


@pytest.mark.parametrize("kind", ["and", "or", "xor", "not"])
def test_logical(kind: str) -> None:
    rng = np.random.default_rng(3)
    for a, b in SHAPES:
        x, y = few(rng, np.bool_, a), None if kind == "not" else few(rng, np.bool_, b)
        check(Logical(value(x), None if y is None else value(y), kind=kind), x, y)


@pytest.mark.parametrize("dtype", DTYPES)
def test_where(dtype: Any) -> None:
    rng = np.random.default_rng(4)
    for a, b in SHAPES:
        for c_shape in (a, b, (1,)):
            c, x, y = few(rng, np.bool_, c_shape), few(rng, dtype, a), few(rng, dtype, b)
            check(Where(value(c), value(x), value(y)), c, x, y)


def test_refuses() -> None:
    x, y, b = value(np.zeros(3, np.int8)), value(np.zeros(3, np.int16)), value(np.zeros(3, np.bool_))
    with pytest.raises(VerifyError, match="one element type"):
        Compare(x, y, kind="eq")
    with pytest.raises(VerifyError, match="kind is 'like'"):
        Compare(x, x, kind="like")
    with pytest.raises(VerifyError, match="wrong number"):
        Logical(b, kind="and")
    with pytest.raises(VerifyError, match="do not broadcast"):
        Where(b, x, value(np.zeros(4, np.int8)))
