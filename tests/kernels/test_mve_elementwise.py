"""q.mul, q.requantize, q.softmax, q.table and q.embed on Helium: types, tails, extremes, and in place."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from emberc.backend.c.kernels import select_kernel
from emberc.bench import Case
from emberc.bench.suite import constant, embed, softmax, table, tensor, value
from emberc.ir.arithmetic import softmax_table
from emberc.ir.op import Op
from emberc.ir.ops.integer_elementwise import Mul, Requantize
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.ops.integer_norm import Softmax
from tests.kernels.boards import assert_exact, assert_exact_anywhere

TARGET = "cortex-m55"
TYPES = ("i8", "i16")
PAIRS = [("i8", "i8"), ("i16", "i8"), ("i16", "i16")]
SIZES = (1, 3, 7, 8, 9, 15, 16, 17, 33, 129)
board = pytest.mark.board


def product_of(n: int, x: str, y: str, z: str, **fields: Any) -> Case:
    """A q.mul whose first elements are the ends of the ranges."""
    rng = np.random.default_rng(n)
    a, b = tensor(rng, x, 2, n), tensor(rng, y, 2, n)
    a[0, 0], b[0, 0] = np.iinfo(a.dtype).min, np.iinfo(b.dtype).min
    a[1, 0], b[1, 0] = np.iinfo(a.dtype).max, np.iinfo(b.dtype).min
    op = Mul(value(a), value(b), dtype=z, **{"m": (1 << 31) >> (int(x[1:]) + int(y[1:]) - 10), **fields})
    op.verify()
    return Case(op, {"x": a, "y": b}, f"{n} {x} {y} {z}", note=str(fields))


def exact(cases: list[Case]) -> None:
    names = [c.kernel(("portable", "mve")).function for c in cases]
    assert [n for n in names if not n.endswith("_mve")] == []
    assert_exact(TARGET, cases)


@board
@pytest.mark.parametrize("z", TYPES)
def test_mul(z: str) -> None:
    cases = [replace(product_of(n, x, y, z, zero_point=-3), misalign=n % 3) for n in SIZES for x, y in PAIRS]
    cases += [product_of(9, "i8", "i8", z, zx=a, zy=b, shift=5, m=-(1 << 31)) for a in (-128, 127) for b in (-128, 9)]
    cases += [product_of(9, x, y, z, m=(1 << 31) - 1) for x, y in PAIRS]
    exact([*cases, replace(product_of(21, z, z, z), inplace="x"), replace(product_of(21, z, z, z), inplace="y")])


def test_mul_refuses_differences_of_17_bits() -> None:
    op = product_of(4, "i16", "i8", "i16", zx=1).op
    assert select_kernel(op, ("portable", "mve")).function == "ember_mul_s16s8"


HALVES = [(7, 127, 100), (4, 45, 46), (1, 3, 127), (6, 1, 1)]


def halved(frac: int, m1: int, m2: int, zx: int, zy: int, n: int = 33) -> Case:
    """A q.mul of int8 whose multiplier has two factors as large as its zero points allow, at the ends of int8."""
    m1, m2 = (min(m, (2**15 - 1) // max(127 - z, z + 128)) for m, z in ((m1, zx), (m2, zy)))
    return product_of(n, "i8", "i8", "i8", zx=zx, zy=zy, m=m1 * m2 << (17 - frac), zero_point=frac - zx // 2)


@board
def test_mul_with_a_multiplier_of_two_factors() -> None:
    ends = list(product((-128, 0, 127), (-128, 5, 127)))
    cases = [halved(*pair, *zeros) for pair in HALVES for zeros in ends]
    cases += [replace(halved(5, 61, 67, 3, -5, n), misalign=n % 3) for n in SIZES]
    cases += [replace(halved(5, 61, 67, 3, -5), inplace=name) for name in ("x", "y")]
    assert_exact(TARGET, cases, kernel="ember_mul_halves_s8_mve")
    assert_exact_anywhere(TARGET, cases)


def scaled(n: int, x: str, y: str, **fields: Any) -> Case:
    a = tensor(np.random.default_rng(n), x, 1, n)
    a[0, 0], a[0, -1] = np.iinfo(a.dtype).max, np.iinfo(a.dtype).min
    op = Requantize(value(a), dtype=y, **{"m": 27000, "s": 9, "c": 40, "frac": 6, **fields})
    op.verify()
    return Case(op, {"x": a}, f"{n} {x} {y}", note=str(fields))


@board
@pytest.mark.parametrize(("x", "y"), list(product(TYPES, TYPES)))
def test_requantize(x: str, y: str) -> None:
    cases = [replace(scaled(n, x, y), misalign=n % 3) for n in SIZES]
    cases += [scaled(9, x, y, m=m, s=s, frac=0) for m in (1 << 15, -(1 << 15), 3) for s in (1, 8, 15, 16)]
    exact([*cases, *([replace(scaled(21, x, y), inplace="x")] if x == y else [])])


@board
def test_softmax() -> None:
    cases = [replace(softmax(2, n, seed=n), misalign=n % 3) for n in SIZES]
    for n in (1, 16, 40):
        x = np.full((4, n), -128, np.int8)
        x[1], x[2, 0], x[3, n // 2] = 127, 127, -127
        for scale in (1e-6, 0.5, 50.0):
            op = Softmax(value(x), constant(softmax_table(scale, n), np.uint16))
            cases.append(Case(op, {"x": x}, f"4,{n}", note=f"scale {scale}"))
    exact([*cases, replace(softmax(2, 21), inplace="x")])


@board
def test_softmax_of_the_smallest_table_and_none_below() -> None:
    least, below = (softmax_of(top) for top in (512, 511))
    exact([least])
    assert select_kernel(below.op, ("portable", "mve")).function == "ember_softmax_s8"


def softmax_of(top: int) -> Case:
    x = np.array([[127] + [-128] * 18], np.int8)
    entries = np.concatenate([[top], np.zeros(255)])
    return Case(Softmax(value(x), constant(entries, np.uint16)), {"x": x}, f"top {top}")


@board
def test_table() -> None:
    cases = [replace(table(1, n, y, seed=n), misalign=n % 3) for n in (*SIZES, 256) for y in TYPES]
    exact([*cases, replace(table(2, 21), inplace="x")])


@board
@pytest.mark.parametrize("y", TYPES)
def test_embed(y: str) -> None:
    cases = [replace(embed(3, d, y, seed=d), misalign=d % 3) for d in (*SIZES, 4, 20)]
    for d, count, ids in product((5, 21), (1, 3, 4), (True, False)):
        cases.append(tables(d, count, y, per_column=ids))
    exact(cases)


def tables(d: int, count: int, y: str, *, per_column: bool) -> Case:
    rng = np.random.default_rng(d)
    ids = rng.integers(0, 6, (1, 4)).astype(np.int32)
    fed = value(ids)
    parts: list[Any] = []
    for _ in range(count):
        m = rng.integers(-9000, 9000, d if per_column else 1)
        parts += [constant(tensor(rng, "i8", 6, d), np.int8), constant(m), fed]
    bias = constant(rng.integers(-(1 << 20), 1 << 20, d))
    op = Embed(bias, parts=parts, has_ids=[True] * count, frac=13 if y == "i8" else 5, dtype=y)
    feeds = {name: ids for name, v in op.named_operands() if v is fed}
    return Case(op, feeds, f"{count} of {d} {y}", note=str(per_column))


def test_embed_of_five_tables_is_left_to_the_portable_kernel() -> None:
    op: Op = tables(4, 5, "i8", per_column=False).op
    assert select_kernel(op, ("portable", "mve")).function == "ember_embed_s8"
