"""q.add, q.mul, q.requantize, q.table and q.table16: bits against the references, references against float."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.errors import VerifyError
from emberc.ir.ops.integer_elementwise import Add, Mul, Requantize
from emberc.ir.ops.integer_magnitude import Magnitude
from emberc.ir.ops.integer_table import Table, Table16
from tests.kernels.check import FILLS, INT8, INT16, SIZES, check, constant, tensor, value, worst_and_sqnr

PAIRS = [(INT8, INT8), (INT16, INT16), (INT16, INT8)]
SHAPES = [
    *[((n,), (n,)) for n in SIZES],
    ((3, 7), (7,)),
    ((7,), (3, 7)),
    ((3, 1), (1, 7)),
    ((2, 3, 17), (2, 1, 17)),
    ((2, 1, 3, 1, 5), (1, 4, 3, 2, 1)),
    ((1,), (129,)),
    ((), (3,)),
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
@pytest.mark.parametrize("out", ["i8", "i16"])
def test_add_and_mul(first: Any, second: Any, out: str) -> None:
    rng = np.random.default_rng(1)
    small = out == "i8"
    for xs, ys in SHAPES:
        for fill in FILLS:
            x, y = tensor(rng, first, xs, fill), tensor(rng, second, ys, fill)
            s1, s2 = (8 if first == INT16 else 0), (8 if second == INT16 else 0)
            m1, m2 = (int(v) for v in rng.integers(-(1 << 15), 1 << 15, 2))
            c = int(rng.integers(-(1 << 20), 1 << 20))
            add = Add(value(x), value(y), m1=m1, s1=s1, m2=m2, s2=s2, c=c, frac=14 if small else 7, dtype=out)
            check(add, x, y)
            zx, zy = (0 if first == INT16 else -5), (0 if second == INT16 else 9)
            log = 25 - (7 if first == INT16 else 0) - (7 if second == INT16 else 0) + (0 if small else 8)
            shift = max(0, log - 30)
            mul = Mul(value(x), value(y), zx=zx, zy=zy, m=1 << (log - shift), shift=shift, zero_point=3, dtype=out)
            check(mul, x, y)


@pytest.mark.parametrize("out", ["i8", "i16"])
@pytest.mark.parametrize("dtype", [INT8, INT16])
def test_requantize(dtype: Any, out: str) -> None:
    rng = np.random.default_rng(2)
    for n in SIZES:
        for fill in FILLS:
            x = tensor(rng, dtype, (n,), fill)
            check(Requantize(value(x), m=-31000, s=4, c=77, frac=5, dtype=out), x)
            check(Requantize(value(x), m=1 << 15, s=0, c=1 << 14, frac=15, dtype=out), x)


def test_add_is_within_a_step_of_float() -> None:
    """int8: 0.51 steps (15-bit multipliers, one rounding); int16: 1.6 (the multipliers' 2^-16 of full scale)."""
    rng = np.random.default_rng(3)
    for dtype, out, s, frac, bound in ((INT8, "i8", 8, 6, 0.56), (INT16, "i16", 13, 2, 1.6)):
        x, y = tensor(rng, dtype, (20000,)), tensor(rng, dtype, (20000,))
        a, b = 0.61, 0.37
        m1, m2 = round(a * 2.0 ** (s + frac)), round(b * 2.0 ** (s + frac))
        op = Add(value(x), value(y), m1=m1, s1=s, m2=m2, s2=s, c=(1 << (frac - 1)) + 1, frac=frac, dtype=out)
        assert worst_and_sqnr(check(op, x, y), a * x + b * y)[0] < bound


@pytest.mark.parametrize(
    ("op", "problem"),
    [
        (lambda x, y: Add(x, y, m1=(1 << 15) + 1, s1=0, m2=0, s2=0, c=0, frac=0), "'m1'"),
        (lambda x, y: Add(x, y, m1=-(1 << 15), s1=0, m2=-(1 << 15), s2=0, c=0, frac=0), "scaled sum"),
        (lambda x, y: Add(x, y, m1=1 << 15, s1=1, m2=0, s2=0, c=(1 << 31) - 1, frac=0), "the sum"),
        (lambda x, y: Requantize(x, m=1, s=32, c=0, frac=0), "'s'"),
        (lambda x, y: Mul(x, y, m=1, shift=2), "shifted product"),
        (lambda x, y: Mul(x, y, zx=-32768, zy=-32768, m=1), "shifted product"),
    ],
)
def test_refuses(op: Any, problem: str) -> None:
    x, y = value(np.zeros(3, np.int16)), value(np.zeros(3, np.int16))
    with pytest.raises(VerifyError, match=problem):
        op(x, y).verify()


def test_the_wide_operand_comes_first() -> None:
    x, y = value(np.zeros(3, np.int8)), value(np.zeros(3, np.int16))
    with pytest.raises(VerifyError, match="int16 one comes first"):
        Mul(x, y, m=1)


@pytest.mark.parametrize("entries", [INT8, INT16])
def test_table(entries: Any) -> None:
    rng = np.random.default_rng(4)
    table = tensor(rng, entries, (256,))
    everything = np.arange(-128, 128, dtype=np.int8)
    np.testing.assert_array_equal(
        check(Table(value(everything), constant(table, entries.type)), everything, table), table
    )
    for n in SIZES:
        x = tensor(rng, INT8, (n,))
        check(Table(value(x), constant(table, entries.type)), x, table)


def test_table16() -> None:
    rng = np.random.default_rng(5)
    every = np.arange(-32768, 32768).astype(np.int16)
    for fill in FILLS:
        table = tensor(rng, INT16, (513,), fill)
        got = check(Table16(value(every), constant(table, np.int16)), every, table)
        np.testing.assert_array_equal(got[::128], table[:-1])


@pytest.mark.parametrize(("name", "bound"), [("silu", 1.6), ("softplus", 1.1), ("sigmoid", 1.5), ("tanh", 4.2)])
def test_table16_is_close_to_float(name: str, bound: float) -> None:
    """Over x in [-8, 8): rounding of two knots and the line, and the curvature h^2/8 * |f''| at h = 1/32."""
    f = {
        "silu": lambda v: v / (1 + np.exp(-v)),
        "softplus": lambda v: np.log1p(np.exp(v)),
        "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
        "tanh": np.tanh,
    }[name]
    knots = f((np.arange(513) - 256) / 32)
    scale = float(np.abs(knots).max()) / 32767
    table = np.rint(knots / scale).astype(np.int16)
    every = np.arange(-32768, 32768).astype(np.int16)
    got = check(Table16(value(every), constant(table, np.int16)), every, table)
    assert worst_and_sqnr(got, f(every / 4096) / scale)[0] < bound


@pytest.mark.parametrize("n", SIZES)
def test_magnitude(n: int) -> None:
    rng = np.random.default_rng(n)
    for fill in FILLS:
        x, y = tensor(rng, INT16, (3, n), fill), tensor(rng, INT16, (3, n))
        for dtype, m in (("i16", 92000), ("i8", 360)):
            check(Magnitude(value(x), value(y), m=m, zero_point=-3, dtype=dtype), x, y)


def test_magnitude_is_the_length() -> None:
    x, y = np.array([0, 3, -300, 32767, -32768, 1], np.int16), np.array([0, 4, 400, 0, -32768, 1], np.int16)
    got = check(Magnitude(value(x), value(y), m=1 << 16), x, y)  # half the length
    np.testing.assert_allclose(got, np.hypot(x.astype(float), y) / 2, atol=1)
