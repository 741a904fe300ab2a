"""q.embed and q.gather: bits against the references, and ids outside their table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.errors import UsageError, VerifyError
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.ops.integer_movement import Gather
from tests.kernels.calls import OutOfRangeError, run_kernel
from tests.kernels.check import FILLS, INT8, INT16, SIZES, check, constant, tensor, value


def embed(rng: Any, rows: tuple[int, ...], d: int, out: str, fill: str = "random", wide: bool = True) -> Any:
    """Word ids, a table by position, type ids; word multipliers per column, the others shared."""
    word, position, kind = (tensor(rng, INT8, (v, d), fill) for v in (50, rows[-1], 2))
    ms = [rng.integers(-30000, 30000, n).astype(np.int32) for n in ((d if wide else 1), 1, 1)]
    ids = [rng.integers(0, v, rows).astype(np.int32) for v in (50, 2)]
    bias = rng.integers(-(1 << 20), 1 << 20, d).astype(np.int32)
    parts = [constant(word, np.int8), constant(ms[0]), value(ids[0]), constant(position, np.int8), constant(ms[1])]
    parts += [constant(kind, np.int8), constant(ms[2]), value(ids[1])]
    frac = 14 if out == "i8" else 6
    op = Embed(constant(bias), parts, has_ids=[True, False, True], frac=frac, dtype=out)
    return op, [bias, word, ms[0], ids[0], position, ms[1], kind, ms[2], ids[1]]


@pytest.mark.parametrize("out", ["i8", "i16"])
@pytest.mark.parametrize("length", SIZES)
def test_embed(length: int, out: str) -> None:
    rng = np.random.default_rng(length)
    for rows, d in (((length,), 1), ((2, length), 17), ((1, length), 3)):
        for fill in FILLS:
            op, arrays = embed(rng, rows, d, out, fill, wide=d != 3)
            assert check(op, *arrays).shape == (*rows, d)


@pytest.mark.parametrize("bad", [-1, 50, 1 << 30, -(1 << 31)])
def test_an_id_outside_the_table(bad: int) -> None:
    op, arrays = embed(np.random.default_rng(1), (2, 3), 7, "i8")
    arrays[3] = arrays[3].copy()
    arrays[3][1, 2] = bad
    with pytest.raises(UsageError, match="50 rows"):
        op.run(*arrays)
    with pytest.raises(OutOfRangeError):
        run_kernel(op, arrays)


def test_refuses_sums_beyond_32_bits_and_wrong_parts() -> None:
    table, ids = constant(np.zeros((5, 4)), np.int8), value(np.zeros(3, np.int32))
    bias = constant([0] * 4)
    Embed(bias, [table, constant([(1 << 24) - 1]), ids], has_ids=[True], frac=0).verify()
    with pytest.raises(VerifyError, match="sum of the tables"):
        Embed(bias, [table, constant([1 << 24]), ids], has_ids=[True], frac=0).verify()
    with pytest.raises(VerifyError, match="needs 2"):
        Embed(bias, [table, constant([1]), ids], has_ids=[False], frac=0)
    with pytest.raises(VerifyError, match="5 rows for ids"):
        Embed(bias, [table, constant([1]), ids, table, constant([1])], has_ids=[True, False], frac=0)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.bool_])
def test_gather(dtype: Any) -> None:
    rng = np.random.default_rng(2)
    for shape, axis in (((1,), 0), ((7, 3), 0), ((3, 7), 1), ((2, 17, 3), 1), ((129, 2), 0)):
        x = rng.integers(-100, 100, shape).astype(dtype)
        n = shape[axis]
        for count in ((), (1,), (2, 5)):
            ids = rng.integers(-n, n, count).astype(np.int32)
            check(Gather(value(x), value(ids), axis=axis), x, ids)


@pytest.mark.parametrize("bad", [7, -8, 1 << 30])
def test_gather_outside_the_axis(bad: int) -> None:
    x, ids = tensor(np.random.default_rng(3), INT16, (7, 2)), np.array([0, bad], np.int32)
    op = Gather(value(x), value(ids))
    with pytest.raises(UsageError, match="7 rows"):
        op.run(x, ids)
    with pytest.raises(OutOfRangeError):
        run_kernel(op, [x, ids])
