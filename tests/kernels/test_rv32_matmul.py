"""q.matmul on RV32IM against its reference: every remainder, epilogue and extreme."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from emberc.backend.c.kernels import select_kernel
from emberc.backend.c.variants.rv32_matmul import stream
from emberc.bench import Case
from emberc.bench.suite import constant, matmul, tensor, value
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.types import Array
from emberc.targets import load_target
from tests.kernels.rv32 import assert_exact_here, assert_exact_there

KERNELS = {"i8": "ember_matmul_s8_rv32", "i16": "ember_matmul_s8_s16_rv32"}


def exact(x: Array, w: Array, y: str = "i8", *, table: bool = False, note: str = "", **fields: Any) -> Case:
    """A q.matmul of given operands, with multipliers that use the output's range."""
    rng = np.random.default_rng(len(w))
    n = len(w)
    entries = constant(tensor(rng, y, 256), "int8" if y == "i8" else "int16") if table else None
    m = rng.integers(1 << 18, 1 << 22, n) * (1 if y == "i8" or table else 64)
    bias = constant(rng.integers(-1000, 1000, n) + fields.pop("bias", 0))
    op = Matmul(value(x), constant(w, np.int8), bias, constant(m), entries, dtype=y, **fields)
    op.verify()
    return Case(op, {"x": x}, f"{x.shape[0]},{x.shape[1]},{n}", note=note)


def small_shapes(y: str) -> list[Case]:
    """Every remainder of rows, k and columns, on rows and results of every alignment."""
    shapes = product((1, 2, 3, 4, 6, 7), (1, 2, 3, 7, 8, 9, 17), (1, 3, 4, 5, 8, 9))
    return [replace(matmul(m, k, n, y=y, seed=k), misalign=(m + k + n) % 4) for m, k, n in shapes]


def extremes(y: str) -> list[Case]:
    """Operands at the ends of their types, -128 weights and biases of 2^29 included; every kind of epilogue."""
    cases = []
    for rows in (4, 3, 1):
        for a, b in product((-128, 127), (-128, -127, 127)):
            x, w = np.full((rows, 34), a, np.int8), np.full((5, 34), b, np.int8)
            cases.append(exact(x, w, y, note=f"{a} * {b}"))
            cases.append(exact(x, w, y, bias=a << 22, note=f"{a} * {b}, large bias"))
        rng = np.random.default_rng(rows)
        mixed = rng.choice(np.array([-128, 127], np.int8), (rows, 130))
        cases.append(exact(mixed, rng.choice(np.array([-128, 127], np.int8), (6, 130)), y, note="mixed"))
        x, w = tensor(rng, "i8", rows, 65), tensor(rng, "i8", 7, 65)
        options: list[dict[str, Any]] = [
            {"table": True},
            {"table": True, "lo": -7, "hi": 90},
            {"lo": -20, "hi": 31},
            {"lo": 0, "zero_point": -9},
            {"shift": 6},
            {"zero_point": 117, "shift": 3, "hi": 100},
            {"lo": 3, "hi": 3},
        ]
        cases += [exact(x, w, y, note=str(o), **o) for o in options]
    return cases


@pytest.mark.parametrize("y", KERNELS)
def test_small_shapes_and_extremes(y: str) -> None:
    assert_exact_here([*small_shapes(y), *extremes(y)], kernel=KERNELS[y])


def test_random_shapes() -> None:
    rng = np.random.default_rng(5)
    shapes = [tuple(int(v) for v in rng.integers(1, (20, 300, 40))) for _ in range(40)]
    shapes += [(17, 33, 129), (5, 129, 2), (3, 3001, 5), (129, 7, 3)]
    assert_exact_here([matmul(*s, table=s[0] % 2 > 0, seed=s[1]) for s in shapes], kernel=KERNELS["i8"])


@pytest.mark.board
@pytest.mark.parametrize("y", KERNELS)
def test_on_the_core(y: str) -> None:
    assert_exact_there([*small_shapes(y)[::7], *extremes(y), matmul(6, 600, 9, y=y)], kernel=KERNELS[y])


def test_stream_holds_blocks_of_four_columns() -> None:
    w = np.arange(15, dtype=np.int8).reshape(5, 3)
    packed = stream(w, np.arange(5), np.arange(10, 15))
    assert packed.shape == (2, 12)
    assert packed[:, :8].tolist() == [[0, 1, 2, 3, 10, 11, 12, 13], [4, 0, 0, 0, 14, 0, 0, 0]]
    columns = packed[:, 8:].copy().view(np.int8).reshape(2, 4, 4)
    assert columns[0].T.tolist() == [[*row, 0] for row in w[:4].tolist()]
    assert columns[1].T.tolist() == [[*w[4].tolist(), 0], *[[0] * 4] * 3]


def test_a_shift_without_room_stays_portable() -> None:
    x, w = np.zeros((4, 64), np.int8), np.full((4, 64), 127, np.int8)
    isa = load_target("rv32").isa
    for shift, kernel in ((10, KERNELS["i8"]), (11, "ember_matmul_s8")):
        assert select_kernel(exact(x, w, shift=shift).op, isa).function == kernel
