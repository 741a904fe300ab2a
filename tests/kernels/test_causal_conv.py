"""q.causal_conv: the kernel against the reference, the reference against a plain sum, steps against the whole."""

from __future__ import annotations

import numpy as np
import pytest

from emberc.errors import VerifyError
from emberc.ir.ops.integer_conv import CausalConv
from emberc.ir.ops.integer_matmul import accumulator_bounds
from emberc.ir.types import Array, DType
from tests.kernels.check import FILLS, INT8, SIZES, check_results, constant, headroom, tensor, value


def conv_case(
    rows: int,
    d: int,
    taps: int,
    *,
    initial: bool = False,
    table: int = 0,
    curves: int = 0,
    fill: str = "random",
    batches: int = 2,
) -> tuple[CausalConv, list[Array | None]]:
    rng = np.random.default_rng(rows + 31 * d + taps)
    x, w = tensor(rng, INT8, (batches, rows, d), fill), tensor(rng, INT8, (taps, d), fill)
    bias = rng.integers(-1000, 1000, d).astype(np.int32)
    m = rng.integers(1, (1 << 24) * max(1, table >> 8), d).astype(np.int32)
    entries = tensor(rng, INT8, (curves, table) if curves else (table,)) if table else None
    curve = rng.integers(0, curves, d).astype(np.uint8) if curves else None
    start = tensor(rng, INT8, (batches, taps - 1, d), fill) if initial else None
    shift = max(0, headroom(*accumulator_bounds(w.T, bias, DType.I8)))
    op = CausalConv(
        value(x), constant(w, np.int8), constant(bias), constant(m),
        None if entries is None else constant(entries, np.int8), None if start is None else value(start),
        None if curve is None else constant(curve, np.uint8),
        zx=-5, shift=min(shift, 8), zero_point=table // 2,
    )  # fmt: skip
    return op, [x, w, bias, m, entries, start, curve]


@pytest.mark.parametrize("n", SIZES)
def test_causal_conv(n: int) -> None:
    for rows, d, taps in ((n, 3, 4), (1, n, 4), (n, 1, 1), (3, 2, n), (5, n, 2)):
        for fill in FILLS:
            for initial in (False, True):
                for table, curves in ((0, 0), (256, 0), (1024, 3)):
                    case = conv_case(rows, d, taps, initial=initial, table=table, curves=curves, fill=fill)
                    check_results(*case)


def test_is_a_causal_convolution() -> None:
    x, w = np.arange(1, 6, dtype=np.int8).reshape(1, 5, 1), np.array([[10], [1]], np.int8)
    op = CausalConv(value(x), constant(w, np.int8), constant([2]), constant([1 << 16]), shift=16)
    y, tail = check_results(op, [x, w, np.array([2], np.int32), np.array([1 << 16], np.int32), None, None, None])
    np.testing.assert_array_equal(y.ravel(), [3, 14, 25, 36, 47])
    np.testing.assert_array_equal(tail.ravel(), [5])


@pytest.mark.parametrize("taps", [1, 4, 9])
def test_steps_equal_the_whole(taps: int) -> None:
    op, arrays = conv_case(7, 3, taps, initial=True, table=1024, curves=2)
    y, last = op.run(*arrays)
    tail, rows = arrays[-2], []
    step, _ = conv_case(1, 3, taps, initial=True, table=1024, curves=2)
    step.attrs.update(op.attrs)
    for t in range(7):
        row, tail = step.run(arrays[0][:, t : t + 1], *arrays[1:-2], tail, arrays[-1])  # type: ignore[index]
        rows.append(row)
    np.testing.assert_array_equal(np.concatenate(rows, 1), y)
    np.testing.assert_array_equal(tail, last)


def test_refuses() -> None:
    x, w = value(np.zeros((1, 3, 2), np.int8)), constant(np.full((4, 2), 127), np.int8)
    with pytest.raises(VerifyError, match="the shifted sum"):
        CausalConv(x, w, constant([0, 0]), constant([1, 1]), shift=20).verify()
    with pytest.raises(VerifyError, match="bias and m"):
        CausalConv(x, w, constant([0]), constant([1, 1]))
    table, parts = constant(np.zeros((2, 5)), np.int8), (constant([0, 0]), constant([1, 1]))
    with pytest.raises(VerifyError, match="table must have 1 axes"):
        CausalConv(x, w, *parts, table)
    with pytest.raises(VerifyError, match="there are 2 curves"):
        CausalConv(x, w, *parts, table, None, constant([1, 2], np.uint8)).verify()
