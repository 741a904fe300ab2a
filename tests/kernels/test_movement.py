"""The movement ops: ember_copy with the strides of ``emberc.ir.strides`` gives the references' bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.errors import UnsupportedError, VerifyError
from emberc.ir.ops.integer_movement import Concat, Expand, Pad, Reshape, Slice, Transpose
from emberc.ir.strides import copies
from tests.kernels.check import check, value

DTYPES = [np.int8, np.int16, np.int32, np.bool_]


def numbered(dtype: Any, *shape: int) -> Any:
    """An array whose elements differ as far as the type allows."""
    return (np.arange(np.prod(shape)) * 37 % 251).reshape(shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_transpose(dtype: Any) -> None:
    for shape, perm in (
        ((1,), [0]),
        ((3, 7), [1, 0]),
        ((2, 3, 17), [0, 2, 1]),
        ((2, 3, 4, 5), [0, 2, 1, 3]),
        ((2, 3, 4, 5), [3, 2, 1, 0]),
        ((129, 1, 3), [2, 1, 0]),
    ):
        x = numbered(dtype, *shape)
        check(Transpose(value(x), perm=perm), x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_slice(dtype: Any) -> None:
    x = numbered(dtype, 3, 7, 17)
    for starts, ends, axes, steps in (
        ([0], [1], [0], [1]),
        ([2, 16], [-1, -1], [0, 2], [-1, -3]),
        ([1, 2], [6, 17], [1, 2], [2, 5]),
        ([6], [2], [1], [-1]),
        ([16], [17], [2], [1]),
    ):
        check(Slice(value(x), starts=starts, ends=ends, axes=axes, steps=steps), x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_concat(dtype: Any) -> None:
    for axis in (0, 1, 2):
        arrays = []
        for n in (1, 7, 3):
            shape = [2, 5, 3]
            shape[axis] = n
            arrays.append(numbered(dtype, *shape))
        check(Concat([value(a) for a in arrays], axis=axis), *arrays)


@pytest.mark.parametrize("dtype", DTYPES)
def test_expand_pad_and_reshape(dtype: Any) -> None:
    x = numbered(dtype, 3, 1, 5)
    check(Expand(value(x), shape=[2, 3, 4, 5]), x)
    check(Expand(value(numbered(dtype, 1)), shape=[7, 3]), numbered(dtype, 1))
    check(Reshape(value(x), shape=[15, 1]), x)
    check(Pad(value(x), pads=[1, 0, 2, 0, 3, 1], value=1.0), x)
    if np.dtype(dtype).kind == "i":
        check(Pad(value(x), pads=[0, 1, 0, 0, 0, 4], value=-5.0), x)


def test_axes_merge_into_long_rows() -> None:
    (whole,) = copies(Slice(value(numbered(np.int8, 4, 5, 6)), starts=[1], ends=[3], axes=[0], steps=[1]))
    assert whole.dims == (1, 1, 1, 1, 1, 60) and whole.x_offset == 30
    (swapped,) = copies(Transpose(value(numbered(np.int8, 1, 4, 5, 6)), perm=[0, 2, 1, 3]))
    assert swapped.dims == (1, 1, 1, 5, 4, 6)


def test_too_many_axes_and_odd_pads_are_refused() -> None:
    x = value(np.zeros((2,) * 8, np.int8))
    with pytest.raises(UnsupportedError, match="walked along 8 axes"):
        copies(Transpose(x, perm=[7, 6, 5, 4, 3, 2, 1, 0]))
    with pytest.raises(VerifyError, match="mode"):
        Pad(value(numbered(np.int8, 3)), pads=[1, 1], mode="reflect").verify()
    with pytest.raises(VerifyError, match="integer"):
        Pad(value(numbered(np.int8, 3)), pads=[1, 1], value=0.5).verify()
