"""q.layer_norm and q.add on Armv7E-M: every tail, alignment and hard row, in place where that is allowed."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from emberc.bench import Case
from emberc.bench.suite import add, constant, layer_norm, tensor, value
from emberc.ir.ops.integer_elementwise import Add
from emberc.ir.ops.integer_norm import LayerNorm
from tests.kernels.boards import assert_exact, assert_exact_anywhere
from tests.kernels.test_norm import hard_rows

pytestmark = pytest.mark.board

SUMS = [("i8", "i8"), ("i16", "i8"), ("i16", "i16")]


def hard_norm(x: str, n: int, *, center: bool, eps: int = 0) -> Case:
    """A q.layer_norm of constant rows, outliers and tiny variances, with gammas of both signs."""
    rng = np.random.default_rng(n)
    data = hard_rows(rng, np.dtype("int8" if x == "i8" else "int16"), n)
    gamma, beta = rng.integers(-(1 << 24), 1 << 24, n), rng.integers(-9000, 9000, n)
    op = LayerNorm(value(data), constant(gamma), constant(beta), eps=eps, center=center)
    op.verify()
    return Case(op, {"x": data}, f"{len(data)},{n}", note=f"{x} {center} {eps}")


def norms() -> list[Case]:
    cases = [
        replace(layer_norm(3, n, x), misalign=n % 4)
        for n, x in product((1, 2, 3, 7, 8, 9, 15, 16, 17, 129), ("i8", "i16"))
    ]
    cases += [
        hard_norm(x, n, center=center, eps=eps)
        for x, n, center, eps in product(("i8", "i16"), (8, 17, 64), (True, False), (0, 1 << 40))
    ]
    return [*cases, replace(layer_norm(4, 33), inplace="x")]


def extreme_sum(x: str, y: str, z: str, n: int, **fields: int) -> Case:
    """Operands at the ends of their types, and the largest multipliers."""
    rng = np.random.default_rng(n)
    a, b = tensor(rng, x, 2, n), tensor(rng, y, 2, n)
    a[0], b[0] = np.iinfo(a.dtype).min, np.iinfo(b.dtype).max
    op = Add(value(a), value(b), **fields, dtype=z)
    op.verify()
    return Case(op, {"x": a, "y": b}, f"2,{n}", note=f"{x} {y} {z} {fields}")


def sums() -> list[Case]:
    cases: list[Case] = []
    terms: list[dict[str, Any]] = [
        {"m1": 32767, "s1": 1, "m2": -32768, "s2": 3, "c": 1 << 20, "frac": 6},
        {"m1": -32768, "s1": 15, "m2": 1, "s2": 15, "c": -77, "frac": 6},
        {"m1": 900, "s1": 0, "m2": -900, "s2": 0, "c": 31, "frac": 6},
    ]
    for (x, y), z in product(SUMS, ("i8", "i16")):
        cases += [replace(add(1, n, x, y, z, seed=n), misalign=n % 4) for n in (1, 3, 7, 16, 17, 33)]
        cases += [extreme_sum(x, y, z, 17, **fields) for fields in terms]
        cases += [replace(add(3, 17, x, y, z), inplace=name) for name, of in (("x", x), ("y", y)) if of == z]
    return cases


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m7", "cortex-m33"])
def test_rows(core: str) -> None:
    assert_exact(core, [*norms(), *sums()])


def test_they_run_on_the_fast_kernels() -> None:
    assert_exact("cortex-m4", [layer_norm(2, 20)], kernel="ember_layer_norm_s8_armv7em")
    assert_exact("cortex-m4", [layer_norm(2, 20, "i16")], kernel="ember_layer_norm_s16_s8_armv7em")
    assert_exact("cortex-m4", [add(2, 20, "i16", "i8", "i16")], kernel="ember_add_s16s8_armv7em")


def test_what_their_immediates_do_not_fit_goes_to_the_portable_kernels() -> None:
    x, y = np.zeros((2, 3), np.int8), np.zeros((1, 3), np.int8)
    terms = {"m1": 1, "s1": 0, "m2": 1, "s2": 0, "c": 0}
    sums = [Add(value(x), value(x), **terms, frac=5), Add(value(x), value(y), **terms, frac=6)]
    sums.append(Add(value(x), value(x), **(terms | {"m1": 1 << 15}), frac=6))
    assert_exact("cortex-m4", [Case(sums[0], {"x": x, "y": x}, "2,3")], kernel="ember_add_s8")
    assert_exact("cortex-m4", [Case(sums[1], {"x": x, "y": y}, "2,3")], kernel="ember_add_s8")
    assert_exact("cortex-m4", [Case(sums[2], {"x": x, "y": x}, "2,3")], kernel="ember_add_s8")
    norm = LayerNorm(value(x), constant([1] * 3), constant([0] * 3), out_shift=7)
    assert_exact("cortex-m4", [Case(norm, {"x": x}, "2,3")], kernel="ember_layer_norm_s8")


def test_plain_c_on_other_cores() -> None:
    assert_exact_anywhere("cortex-m4", [*norms(), *sums()])
