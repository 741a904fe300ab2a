"""q.depthwise_rows: the kernel against the reference, the reference against a plain sum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.errors import VerifyError
from emberc.ir.ops.integer_rows import DepthwiseRows, channel_bound
from emberc.ir.types import DType
from tests.kernels.check import FILLS, INT8, INT16, SIZES, check, constant, headroom, tensor, value


@pytest.mark.parametrize("dtype", [INT8, INT16])
@pytest.mark.parametrize("n", SIZES)
def test_depthwise_rows(dtype: Any, n: int) -> None:
    rng = np.random.default_rng(n)
    for rows, channels, taps, before, dilation in (
        (n, 3, 4, 3, 1),
        (n + 2, 1, 3, 2, 2),
        (1, n, 3, -1, 1),
        (3, 2, n, n, 1),
    ):
        for fill in FILLS:
            x, w = tensor(rng, dtype, (2, max(n, 3), channels), fill), tensor(rng, INT8, (taps, channels), fill)
            bias = rng.integers(-1000, 1000, channels).astype(np.int32)
            m = rng.integers(1, 1 << 24, channels).astype(np.int32)
            bound = channel_bound(w, bias, DType.I8 if dtype == INT8 else DType.I16, -5)
            for out in ("i8", "i16"):
                op = DepthwiseRows(
                    value(x), constant(w, np.int8), constant(bias), constant(m), before=before, rows=rows,
                    dilation=dilation, zx=-5, shift=max(0, headroom(-bound, bound)), zero_point=3, dtype=out,
                )  # fmt: skip
                check(op, x, w, bias, m)


def test_is_a_causal_convolution() -> None:
    x = np.arange(1, 6, dtype=np.int8).reshape(1, 5, 1)
    w = np.array([[10], [1]], np.int8)  # ten times the row before, plus the row itself
    op = DepthwiseRows(value(x), constant(w, np.int8), constant([2]), constant([1 << 16]), before=1, rows=5, shift=16)
    np.testing.assert_array_equal(
        check(op, x, w, np.array([2], np.int32), np.array([1 << 16], np.int32)).ravel(), [3, 14, 25, 36, 47]
    )


def test_refuses() -> None:
    x = value(np.zeros((1, 3, 2), np.int16))
    parts = [constant(np.full((4, 2), 127), np.int8), constant([0, 0]), constant([1, 1])]
    with pytest.raises(VerifyError, match="shifted sum"):
        DepthwiseRows(x, *parts, rows=3, shift=20).verify()
    with pytest.raises(VerifyError, match="2 channels"):
        DepthwiseRows(x, parts[0], constant([0]), parts[2], rows=3)
