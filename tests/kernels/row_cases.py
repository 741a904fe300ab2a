"""Cases of the row operations for fast kernels: every tail, alignment and hard row, in place where that is allowed."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from emberc.bench import Case
from emberc.bench.suite import add, constant, embed, layer_norm, mul, requantize, softmax, table, table16, tensor, value
from emberc.ir.arithmetic import softmax_table
from emberc.ir.ops.integer_elementwise import Add, Mul, Requantize
from emberc.ir.ops.integer_norm import LayerNorm, Softmax
from emberc.ir.ops.integer_table import Table16
from tests.kernels.test_norm import hard_rows

SUMS = [("i8", "i8"), ("i16", "i8"), ("i16", "i16")]


def hard_norm(x: str, n: int, *, center: bool, eps: int = 0, y: str = "i8", shift: int = 8) -> Case:
    """A q.layer_norm of constant rows, outliers and tiny variances, with gammas of both signs and up to the largest."""
    rng = np.random.default_rng(n)
    data = hard_rows(rng, np.dtype("int8" if x == "i8" else "int16"), n)
    top, gains = ((1 << 15) - 1, "int16") if y == "i8" else (1 << 24, "int32")
    gamma, beta = (constant(rng.integers(-end, end + 1, n), gains) for end in (top, 9000))
    op = LayerNorm(value(data), gamma, beta, eps=eps, center=center, dtype=y, out_shift=shift)
    op.verify()
    return Case(op, {"x": data}, f"{len(data)},{n}", note=f"{x} {y} {center} {eps} {shift}")


def norms() -> list[Case]:
    cases = [
        replace(layer_norm(3, n, x), misalign=n % 4)
        for n, x in product((1, 2, 3, 7, 8, 9, 15, 16, 17, 129), ("i8", "i16"))
    ]
    cases += [
        hard_norm(x, n, center=center, eps=eps, shift=1 + n % 8)
        for x, n, center, eps in product(("i8", "i16"), (8, 17, 64), (True, False), (0, 1 << 40))
    ]
    for i, (x, n) in enumerate(product(("i8", "i16"), (1, 3, 7, 8, 9, 17, 64, 129))):
        cases.append(replace(layer_norm(3, n, x, "i16"), misalign=n % 4))
        cases.append(hard_norm(x, n, center=i % 2 > 0, eps=i % 3 << 20, y="i16", shift=i % 9))
    cases.append(replace(layer_norm(4, 33, "i16", "i16"), inplace="x"))
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


def products() -> list[Case]:
    cases: list[Case] = []
    for (x, y), z in product(SUMS, ("i8", "i16")):
        cases += [replace(mul(1, n, x, y, z, seed=n), misalign=n % 4) for n in (1, 3, 16, 17, 33)]
        cases += [replace(mul(3, 17, x, y, z), inplace=name) for name, of in (("x", x), ("y", y)) if of == z]
        a, b = tensor(np.random.default_rng(1), x, 2, 17), tensor(np.random.default_rng(2), y, 2, 17)
        a[0], b[0] = np.iinfo(a.dtype).min, np.iinfo(b.dtype).min
        zeros = {"zx": 127 if x == "i8" else 0, "zy": -128 if y == "i8" else 0}
        op = Mul(value(a), value(b), **zeros, m=-(1 << 24), zero_point=-9, dtype=z)
        op.verify()
        cases.append(Case(op, {"x": a, "y": b}, "2,17", note=f"{x} {y} {z}"))
    return cases


def lookups() -> list[Case]:
    """Tables of both types, and softmax of random and hard rows."""
    cases = [replace(table(1, n, y), misalign=n % 4) for n, y in product((1, 7, 31, 32, 33, 65), ("i8", "i16"))]
    cases.append(replace(table(3, 33), inplace="x"))
    for n, scale in product((1, 3, 15, 16, 17, 33, 512, 3000), (0.001, 0.0625, 1.0)):
        x = hard_rows(np.random.default_rng(n), np.dtype("int8"), n)[: 40 if n < 500 else 8]
        op = Softmax(value(x), constant(softmax_table(scale, n), np.uint16))
        op.verify()
        cases.append(Case(op, {"x": x}, f"{len(x)},{n}", misalign=n % 4, note=f"{scale}"))
    return [*cases, replace(softmax(3, 33), inplace="x")]


def rescalings() -> list[Case]:
    """q.requantize of every pair of types, with the largest multipliers of both signs."""
    cases: list[Case] = []
    for x, y in product(("i8", "i16"), repeat=2):
        cases += [replace(requantize(1, n, x, y, seed=n), misalign=n % 4) for n in (1, 3, 15, 16, 17, 33)]
        data = tensor(np.random.default_rng(3), x, 2, 17)
        data[0, ::2], data[0, 1::2] = np.iinfo(data.dtype).min, np.iinfo(data.dtype).max
        for m, s in ((-32768, 1), (32767, 1), (1, 16), (900, 0)):
            op = Requantize(value(data), m=m, s=s, c=-77, frac=6, dtype=y)
            op.verify()
            cases.append(Case(op, {"x": data}, "2,17", note=f"{x} {y} {m} {s}"))
    return [*cases, replace(requantize(3, 17), inplace="x"), replace(requantize(3, 17, "i16", "i16"), inplace="x")]


def interpolations() -> list[Case]:
    """q.table16 of steep tables, at both ends of int16."""
    cases = [replace(table16(1, n, seed=n), misalign=n % 4) for n in (1, 7, 8, 9, 33)]
    x = np.array([[-32768, -32767, -129, -128, -127, -1, 0, 1, 127, 128, 32640, 32641, 32766, 32767, 5, -5]], np.int16)
    for entries in (np.resize([-32768, 32767], 513), np.resize([32767, -32768], 513), np.arange(513) * 127 - 32768):
        cases.append(Case(Table16(value(x), constant(entries, np.int16)), {"x": x}, "1,16", note=str(entries[:2])))
    return [*cases, replace(table16(3, 17), inplace="x")]


def embeddings() -> list[Case]:
    """Rows of every remainder of four columns, and beyond a chunk."""
    return [embed(3, d, y, words=9, seed=d) for d, y in product((1, 2, 3, 4, 5, 8, 63, 64, 65, 66, 131), ("i8", "i16"))]
