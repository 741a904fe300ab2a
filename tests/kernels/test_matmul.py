"""q.matmul and q.batch_matmul: kernels against references, bit for bit; and what verify refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.errors import VerifyError
from emberc.ir.ops.integer_matmul import BatchMatmul, Matmul, accumulator_bounds
from emberc.ir.types import DType
from tests.kernels.check import FILLS, INT8, INT16, SIZES, check, constant, headroom, tensor, value

TYPES = [(i, o) for i in (INT8, INT16) for o in ("i8", "i16")]


def matmul(rng: Any, x: Any, w: Any, out: str, *, table: Any = None, **fields: Any) -> Any:
    """A q.matmul whose shift uses all the headroom and whose outputs spread over (and beyond) their range."""
    n, k = w.shape
    bias = rng.integers(-(1 << 16), 1 << 16, n).astype(np.int32)
    shift = headroom(*accumulator_bounds(w, bias, DType.of(x.dtype)))
    spread = 2.0 ** (shift + 1) * max(1.0, np.sqrt(k)) * 74 * (74 if x.dtype == INT8 else 19000)
    top = 127 if out == "i8" or table is not None else 32767
    m = np.clip(2.0**32 * top / spread * rng.uniform(-1, 1, n), -(2**31), 2**31 - 1).astype(np.int32)
    operands = [value(x), *map(constant, (w, bias, m), (np.int8, np.int32, np.int32))]
    operands += [] if table is None else [constant(table, table.dtype.type)]
    op = Matmul(*operands, shift=shift, dtype=out, **fields)
    return op, [x, w, bias, m, table]


@pytest.mark.parametrize(("dtype", "out"), TYPES)
@pytest.mark.parametrize("k", SIZES)
def test_matmul(dtype: Any, out: str, k: int) -> None:
    rng = np.random.default_rng(k)
    for rows, n in ((1, 1), (3, 7), (7, 4), (2, 129)):
        for fill in FILLS:
            x = tensor(rng, dtype, (rows, k), fill)
            w = tensor(rng, INT8, (n, k), fill if rows == 3 else "random")
            op, arrays = matmul(rng, x, w, out, zero_point=int(rng.integers(-128, 128)))
            check(op, *arrays)


@pytest.mark.parametrize("dtype", [INT8, INT16])
@pytest.mark.parametrize("entries", [INT8, INT16])
def test_matmul_with_table(dtype: Any, entries: Any) -> None:
    rng = np.random.default_rng(5)
    table = tensor(rng, entries, (256,))
    x, w = tensor(rng, dtype, (2, 3, 17)), tensor(rng, INT8, (7, 17))
    out = "i8" if entries == INT8 else "i16"
    op, arrays = matmul(rng, x, w, out, table=table, zero_point=3)
    got = check(op, *arrays)
    assert got.shape == (2, 3, 7) and len(np.unique(got)) > 20
    clipped, arrays = matmul(rng, x, w, out, table=table, lo=-5, hi=6)
    assert len(np.unique(check(clipped, *arrays))) <= 12


def test_matmul_clamps_to_lo_and_hi() -> None:
    rng = np.random.default_rng(6)
    op, arrays = matmul(rng, tensor(rng, INT8, (7, 129)), tensor(rng, INT8, (17, 129)), "i8", lo=0, hi=96)
    got = check(op, *arrays)
    assert got.min() == 0 and got.max() == 96


def test_int16_rows_beyond_32_bits() -> None:
    # 2000 products of -32768 * -128 sum to 2^33: the slices of k_slice products must be joined in 64 bits
    rng = np.random.default_rng(7)
    for fill in ("low", "random"):
        x, w = tensor(rng, INT16, (3, 2000), fill), tensor(rng, INT8, (5, 2000), fill)
        op, arrays = matmul(rng, x, w, "i16")
        assert op.k_slice() < 2000 and (fill == "random" or op.shift < 0)
        check(op, *arrays)


def test_accumulators_reach_their_proved_bounds() -> None:
    rng = np.random.default_rng(8)
    w = tensor(rng, INT8, (4, 33))
    bias = rng.integers(-1000, 1000, 4).astype(np.int32)
    lo, hi = accumulator_bounds(w, bias, DType.I8)
    wide = w.astype(int)
    best = int((bias + np.where(wide > 0, wide * 127, wide * -128).sum(axis=1)).max())
    assert hi >= best > hi - 2000 and lo < -best // 2


@pytest.mark.parametrize(
    ("fields", "bias", "problem"),
    [
        ({"shift": 12}, 0, "shifted accumulator"),
        ({}, (1 << 31) - 100, "accumulator"),
        ({"shift": -1}, 0, "'shift'"),
        ({"lo": 5, "hi": 4}, 0, "above"),
        ({"zero_point": 1 << 15}, 0, "'zero_point'"),
    ],
)
def test_matmul_refuses(fields: Any, bias: int, problem: str) -> None:
    w = np.full((1, 64), 127, np.int8)
    x = value(np.zeros((1, 64), np.int8))
    op = Matmul(x, constant(w, np.int8), constant([bias]), constant([1]), **fields)
    with pytest.raises(VerifyError, match=problem):
        op.verify()


def test_int16_sum_that_no_shift_brings_back_is_refused() -> None:
    w = np.full((1, 4096), 127, np.int8)
    x = value(np.zeros((1, 4096), np.int16))
    with pytest.raises(VerifyError, match="shifted accumulator"):
        Matmul(x, constant(w, np.int8), constant([0]), constant([1]), shift=-2).verify()
    Matmul(x, constant(w, np.int8), constant([0]), constant([1]), shift=-4).verify()


@pytest.mark.parametrize(("dtype", "out"), TYPES)
@pytest.mark.parametrize("transpose", [False, True])
def test_batch_matmul(dtype: Any, out: str, transpose: bool) -> None:
    rng = np.random.default_rng(9)
    for lead, m, k, n in (((), 1, 1, 1), ((2,), 3, 7, 17), ((2, 3), 1, 129, 3), ((1,), 7, 17, 129)):
        for fill in FILLS:
            a = tensor(rng, dtype, (*lead, m, k), fill)
            b = tensor(rng, INT8, (*lead, *((n, k) if transpose else (k, n))), fill)
            narrow = dtype == INT8
            op = BatchMatmul(
                value(a),
                value(b),
                za=7 if narrow else 0,
                zb=-3,
                m=int(rng.integers(1, 1 << (24 if narrow else 18))),
                shift=4 if narrow else -2,
                zero_point=-9,
                transpose_b=transpose,
                dtype=out,
            )
            check(op, a, b)


def test_batch_matmul_shares_b() -> None:
    rng = np.random.default_rng(10)
    a, b = tensor(rng, INT8, (3, 2, 5)), tensor(rng, INT8, (1, 5, 4))
    check(BatchMatmul(value(a), value(b), m=1 << 20), a, b)


def test_batch_matmul_refuses_sums_beyond_32_bits() -> None:
    a, b = np.zeros((1, 4096), np.int8), np.zeros((4096, 1), np.int8)
    BatchMatmul(value(a), value(b), m=1, shift=4).verify()
    with pytest.raises(VerifyError, match="shifted accumulator"):
        BatchMatmul(value(a), value(b), m=1, shift=5).verify()
    with pytest.raises(VerifyError, match="products"):
        BatchMatmul(value(np.zeros((1, 1 << 17), np.int8)), value(np.zeros((1 << 17, 1), np.int8)), m=1).verify()
