"""q.layer_norm and q.add on Helium: every pair of types, tails, rows without variance, extremes, and in place."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from emberc.backend.c.kernels import select_kernel
from emberc.backend.c.variants.mve_norm import element_order, gains
from emberc.bench import Case
from emberc.bench.suite import add, constant, layer_norm, value
from emberc.ir.ops.integer_elementwise import Add
from emberc.ir.ops.integer_norm import LayerNorm
from tests.kernels.boards import assert_exact

TARGET = "cortex-m55"
TYPES = list(product(("i8", "i16"), repeat=2))
PAIRS = [("i8", "i8"), ("i16", "i8"), ("i16", "i16")]
SIZES = (1, 3, 7, 8, 9, 15, 16, 17, 20, 33, 129)
board = pytest.mark.board


@board
@pytest.mark.parametrize(("x", "y"), TYPES)
def test_layer_norm_sizes(x: str, y: str) -> None:
    cases = [replace(layer_norm(2, n, x, y, seed=n), misalign=n % 3) for n in SIZES]
    cases += [replace(layer_norm(2, n, x, y), inplace="x") for n in (5, 40) if x == y]
    assert all(c.kernel(("mve",)).function.endswith("_mve") for c in cases)
    assert_exact(TARGET, cases)


def extreme_rows(n: int, top: int, dtype: str, y: str, shift: int, **fields: Any) -> Case:
    """Constant rows, one outlier, two values, steps of one, and the ends of the range."""
    rows = np.zeros((7, n), np.int64)
    rows[0], rows[1] = -top - 1, top
    rows[2], rows[2, n // 2] = -top - 1, top
    rows[3, ::2], rows[3, 1::2] = top, -top - 1
    rows[4, n // 3] = 1
    rows[5] = top - 7
    rows[5, 0] -= 1
    x = rows.astype(dtype)
    gains, top_gamma, low_gamma = ("int16", 32767, -1000) if y == "i8" else ("int32", (1 << 31) - 1, -(1 << 28))
    gamma = constant(np.full(n, top_gamma if shift == 8 else low_gamma), gains)
    beta = constant(np.arange(n) * 1000 % 32000 - 7, gains)
    op = LayerNorm(value(x), gamma, beta, out_shift=shift, dtype=y, **fields)
    op.verify()
    return Case(op, {"x": x}, f"{n} {dtype} {y}", note=f"{shift} {fields}")


@board
@pytest.mark.parametrize("center", [True, False])
def test_layer_norm_of_extreme_rows(center: bool) -> None:
    forms = product((1, 17, 300), ((127, "int8"), (32767, "int16")), (("i8", 8), ("i8", 1), ("i16", 2), ("i16", 31)))
    cases = [
        extreme_rows(n, top, dtype, y, shift, center=center, eps=eps)
        for (n, (top, dtype), (y, shift)), eps in product(forms, (0, 1 << 40))
    ]
    assert_exact(TARGET, cases)


def test_gamma_and_beta_come_by_vectors_in_the_order_of_the_lanes() -> None:
    assert element_order(18, 4)[:8].tolist() == [0, 4, 8, 12, 2, 6, 10, 14]
    assert element_order(18, 4)[16:].tolist() == [16, 17, 18, 18]
    assert element_order(18, 8)[:10].tolist() == [0, 2, 4, 6, 8, 10, 12, 14, 1, 3]
    assert element_order(18, 8)[16:].tolist() == [16, 17, 18, 18, 18, 18, 18, 18]
    packed = gains(np.arange(5), np.arange(5) + 50, 4)
    assert packed.tolist() == [0, 1, 2, 3, 50, 51, 52, 53, 4, 0, 0, 0, 54, 0, 0, 0]


def sum_of(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], z: str, **fields: Any) -> Case:
    op = Add(value(x), value(y), dtype=z, **fields)
    op.verify()
    return Case(op, {"x": x, "y": y}, f"{x.shape} {y.shape} {z}", note=str(fields))


@board
@pytest.mark.parametrize("z", ["i8", "i16"])
def test_add_sizes(z: str) -> None:
    cases = [replace(add(2, n, x, y, z), misalign=n % 3) for x, y in PAIRS for n in SIZES]
    cases += [replace(add(3, n, z, y, z), inplace="x") for y in ("i8", z) for n in (5, 40)]
    assert all(c.kernel(("mve",)).function.endswith("_mve") for c in cases)
    assert_exact(TARGET, cases)


@board
def test_add_of_every_shift_and_the_largest_factors() -> None:
    ends = np.array([-128, 127, -1, 0, 1, 100, -100, 5, 77], np.int8)
    x, y = (a.reshape(1, -1).copy() for a in np.meshgrid(ends, ends))
    cases = []
    for s1, s2, m, z in product((1, 7, 8, 9, 15, 16), (8, 15), (1 << 15, -(1 << 15), 12345), ("i8", "i16")):
        cases.append(sum_of(x, y, z, m1=m, s1=s1, m2=-m, s2=s2, c=77, frac=max(0, 12 - s1)))
        wide = x.astype(np.int16) * 256 + y
        cases.append(sum_of(wide, y, z, m1=m >> 2, s1=s1, m2=m, s2=s2, c=-9, frac=6))
    for part in (cases[::2], cases[1::2]):
        assert_exact(TARGET, part)


@board
def test_add_broadcasts_rows() -> None:
    rng = np.random.default_rng(0)
    shapes = [((2, 3, 20), (20,)), ((3, 1, 9), (1, 4, 9)), ((1, 5), (4, 5))]
    pairs = [
        (rng.integers(-128, 128, a).astype(np.int8), rng.integers(-128, 128, b).astype(np.int8)) for a, b in shapes
    ]
    cases = [sum_of(a, b, z, m1=30000, s1=9, m2=20000, s2=10, c=32, frac=6) for a, b in pairs for z in ("i8", "i16")]
    assert_exact(TARGET, cases)


def test_add_takes_16_bit_lanes_where_every_partial_sum_fits() -> None:
    x = np.zeros((1, 4), np.int8)
    fields = {"m1": 1 << 15, "s1": 8, "m2": 1 << 15, "s2": 9, "frac": 6}
    fits, beyond = (sum_of(x, x, "i8", c=c, **fields).op for c in (8000, 8500))
    assert select_kernel(fits, ("mve",)).function == "ember_add_near_s8_mve"
    assert select_kernel(beyond, ("mve",)).function == "ember_add_s8_mve"
    column = sum_of(np.zeros((3, 4), np.int8), np.zeros((3, 1), np.int8), "i8", c=0, **fields).op
    assert select_kernel(column, ("mve",)).function == "ember_add_s8"
