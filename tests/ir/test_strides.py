"""Merged strides walk the same elements in the same order as numpy does."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emberc.errors import UnsupportedError
from emberc.ir.ops.integer_movement import Concat, Gather, Reshape, Transpose
from emberc.ir.strides import broadcast_strides, copies, merge, row_major
from emberc.ir.types import DType, TensorType
from emberc.ir.values import Value

shapes = st.lists(st.integers(1, 4), min_size=1, max_size=5)


def walk(dims: list[int], strides: list[int]) -> list[int]:
    """Offsets in the order of a row-major walk."""
    return [sum(i * s for i, s in zip(index, strides, strict=True)) for index in product(*map(range, dims))]


@given(shapes, st.data())
def test_broadcast_strides_visit_what_numpy_does(out: list[int], data: st.DataObject) -> None:
    operands = []
    for _ in range(2):
        keep = data.draw(st.lists(st.booleans(), min_size=len(out), max_size=len(out)))
        lead = data.draw(st.integers(0, len(out) - 1))
        operands.append([n if k else 1 for n, k in zip(out, keep, strict=True)][lead:])
    dims, strides = broadcast_strides(out, operands)
    assert len(dims) == 5 and prod(dims) == prod(out)
    for shape, steps in zip(operands, strides, strict=True):
        want = np.broadcast_to(np.arange(prod(shape)).reshape(shape), out)
        assert walk(dims, steps) == want.reshape(-1).tolist()


@given(shapes, st.randoms())
def test_transposed_strides(shape: list[int], random: np.random.Generator) -> None:
    perm = list(range(len(shape)))
    random.shuffle(perm)
    (copy,) = copies(Transpose(Value(TensorType(DType.I8, tuple(shape))), perm=perm))
    want = np.arange(prod(shape)).reshape(shape).transpose(perm).reshape(-1)
    got = np.empty(prod(shape), np.int64)
    got[walk(list(copy.dims), list(copy.ys))] = walk(list(copy.dims), list(copy.xs))
    np.testing.assert_array_equal(got, want)


def test_what_advances_evenly_is_one_axis() -> None:
    assert merge([2, 3, 4], [row_major([2, 3, 4])], 2) == ([1, 24], [[0, 1]])
    assert merge([2, 3, 4], [[24, 4, 1]], 2) == ([2, 12], [[24, 1]])
    assert broadcast_strides([2, 3, 4], [[2, 3, 4], [4]], 3) == ([1, 6, 4], [[0, 4, 1], [0, 0, 1]])


def test_views_and_concats() -> None:
    x = Value(TensorType(DType.I16, (2, 6)))
    (whole,) = copies(Reshape(x, shape=[12]))
    assert whole.dims == (1, 1, 1, 1, 1, 12)
    first, second = copies(Concat([x, x], axis=1))
    assert (first.y_offset, second.y_offset) == (0, 6) and second.ys[-2:] == (12, 1)
    with pytest.raises(UnsupportedError, match="is no copy"):
        copies(Gather(x, Value(TensorType(DType.I32, (1,)))))
