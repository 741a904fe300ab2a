"""q.matmul on Helium: every small shape, tails, epilogues and extremes, bit for bit, and the packed stream."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from emberc.backend.c.kernels import select_kernel
from emberc.backend.c.variants.mve_matmul import column_order, stream
from emberc.bench import Case
from emberc.bench.suite import constant, matmul, tensor, value
from emberc.ir.ops.integer_matmul import Matmul
from tests.kernels.boards import assert_exact

TARGET = "cortex-m55"
board = pytest.mark.board


def case(m: int, k: int, n: int, y: str = "i8", *, fill: int | None = None, scale: int = 1 << 24, **more: Any) -> Case:
    """A q.matmul; ``fill`` sets all of x and w to that value, ``table`` asks for a random one."""
    rng = np.random.default_rng(m * 10007 + k * 101 + n)
    x, w = tensor(rng, "i8", m, k), tensor(rng, "i8", n, k)
    if fill is not None:
        x[:], w[:] = fill, fill
    bits = int(y[1:])
    table = constant(tensor(rng, y, 256), f"int{bits}") if more.pop("table", False) else None
    factors = rng.integers(scale // 2, scale, n) * rng.choice([1, 1, -1], n)
    bias = rng.integers(-(1 << 20), 1 << 20, n)
    op = Matmul(value(x), constant(w, np.int8), constant(bias), constant(factors), table, dtype=y, **more)
    op.verify()
    return Case(op, {"x": x}, f"{m},{k},{n} {y}", note=f"fill {fill} {more}")


@board
@pytest.mark.parametrize("y", ["i8", "i16"])
def test_small_shapes(y: str) -> None:
    sizes = product((1, 2, 3), (1, 3, 15, 16, 17, 33), (1, 3, 4, 7, 8, 9, 17))
    cases = [replace(case(m, k, n, y, scale=1 << (30 if y == "i16" else 24)), misalign=1) for m, k, n in sizes]
    assert_exact(TARGET, cases, kernel="ember_matmul_s8_mve" if y == "i8" else "ember_matmul_s8_s16_mve")


@board
@pytest.mark.parametrize("y", ["i8", "i16"])
def test_every_part_of_the_unrolled_loops(y: str) -> None:
    depths = [(m, k, 21) for m in (1, 2) for k in (63, 64, 65, 79, 80, 81, 96, 112, 127, 128, 129, 200)]
    widths = [(m, 20, n) for m in (1, 3) for n in (15, 16, 31, 48, 127, 128, 129, 144, 255, 256, 257, 300)]
    assert_exact(TARGET, [case(m, k, n, y) for m, k, n in (*depths, *widths, (17, 33, 129), (5, 1100, 7))])


@board
@pytest.mark.parametrize("y", ["i8", "i16"])
def test_epilogues(y: str) -> None:
    forms: list[dict[str, Any]] = [
        {"zero_point": -3},
        {"zero_point": 127},
        {"zero_point": -32640 if y == "i8" else -32768},
        {"zero_point": 32640, "scale": (1 << 31) - 1},
        {"shift": 3},
        {"shift": 6, "scale": (1 << 31) - 1, "zero_point": 5},
        {"lo": 0},
        {"hi": 5, "lo": -7, "zero_point": 2},
        {"table": True},
        {"table": True, "lo": -20, "hi": 90, "zero_point": -8},
        {"table": True, "shift": 2},
    ]
    assert_exact(TARGET, [case(m, 40, n, y, **f) for f in forms for m, n in ((1, 37), (3, 37))])


@board
def test_extreme_operands() -> None:
    cases = [case(m, k, 5, y, fill=f) for m in (1, 2) for k in (130, 1024) for y in ("i8", "i16") for f in (-128, 127)]
    assert_exact(TARGET, cases)


@board
@pytest.mark.parametrize("opt", ["-O0", "-Os", "-O3"])
def test_other_optimisations(opt: str) -> None:
    cases = [case(m, 83, 21, y, table=t) for m in (1, 3) for y in ("i8", "i16") for t in (False, True)]
    assert_exact(TARGET, cases, opt=opt)


def test_a_zero_point_that_saturation_would_spoil_is_refused() -> None:
    assert select_kernel(case(2, 8, 8, zero_point=32640).op, ("portable", "mve")).function == "ember_matmul_s8_mve"
    assert select_kernel(case(2, 8, 8, zero_point=32641).op, ("portable", "mve")).function == "ember_matmul_s8"


def test_scratch_is_what_the_sums_take() -> None:
    asked = {
        shape: matmul(*shape).kernel(("mve",)).scratch_bytes(matmul(*shape).op) for shape in ((1, 4, 9), (2, 4, 9))
    }
    assert asked == {(1, 4, 9): 64, (2, 4, 9): 128}
    assert matmul(2, 4, 500).kernel(("mve",)).scratch_bytes(matmul(2, 4, 500).op) == 1024


def test_columns_come_four_apart_in_sixteens() -> None:
    assert column_order(18).tolist() == [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15, 16, 17, *[18] * 6]


def test_a_block_holds_biases_then_vectors_then_tails() -> None:
    w = np.arange(3 * 18).reshape(3, 18).astype(np.int8)
    block = stream(w, np.array([7, 8, 9]))[: 4 + 18]
    assert block[:4].tolist() == [7, 8, 9, 0]
    body = block[4:].view(np.int8)
    assert body[:48].tolist() == [*w[0, :16], *w[1, :16], *w[2, :16]]
    assert not body[48:64].any()
    assert body[64:].tolist() == [*w[0, 16:], *w[1, 16:], *w[2, 16:], 0, 0]
