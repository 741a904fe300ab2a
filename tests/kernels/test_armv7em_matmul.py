"""q.matmul on dual-column weights: every shape class, epilogue and extreme, on emulated cores."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from emberc.backend.c.variants.armv7em_matmul import largest_sum
from emberc.bench import Case
from emberc.bench.suite import constant, matmul, tensor, value
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.types import Array
from emberc.targets import load_target
from tests.kernels.boards import assert_exact, assert_exact_anywhere, same_kernels

pytestmark = pytest.mark.board

CORES = ["cortex-m7", *same_kernels("cortex-m4", "cortex-m33")]


def exact(
    x: Array, w: Array, y: str = "i8", *, bias: int = 0, misalign: int = 0, note: str = "", **fields: int
) -> Case:
    """A q.matmul of given operands; a table where ``table`` is 1, and multipliers that use the output's range."""
    rng = np.random.default_rng(len(w))
    n = len(w)
    dtype = "int8" if y == "i8" else "int16"
    table = constant(tensor(rng, y, 256), dtype) if fields.pop("table", 0) else None
    m = rng.integers(1 << 18, 1 << 22, n) * (1 if y == "i8" else 64)
    b = rng.integers(-1000, 1000, n) + bias
    op = Matmul(value(x), constant(w, np.int8), constant(b), constant(m), table, dtype=y, **fields)
    op.verify()
    shape = f"{x.shape[0]},{x.shape[1]},{n}"
    return Case(op, {"x": x}, shape, misalign=misalign, note=note)


@pytest.mark.parametrize("y", ["i8", "i16"])
def test_small_shapes(y: str) -> None:
    """Every remainder of rows, k and columns, on rows of every alignment."""
    cases = [
        replace(matmul(m, k, n, y=y, seed=k), misalign=(m + k + n) % 4)
        for m, k, n in product((1, 2, 3, 5, 7), (1, 2, 3, 4, 5, 7, 17), (1, 2, 3, 5))
    ]
    assert_exact("cortex-m4", cases)


@pytest.mark.parametrize("core", CORES)
def test_large_shapes(core: str) -> None:
    """k around the ends of the unrolled loops, and beyond the bound of a sum."""
    shapes = [(3, k, 4) for k in (64, 65, 66, 68, 70, 126, 128, 129, 131, 132, 133, 258, 387, 515, 516)]
    shapes += [(1, k, 4) for k in (120, 127, 128, 129, 130, 135, 256, 516)]
    shapes += [(2, k, 4) for k in (42, 43, 44, 47, 48, 49, 90, 516)]
    shapes += [(m, k, n) for k in (517, 1100, 1307) for m, n in ((1, 5), (2, 3), (4, 2))]
    shapes += [(17, 33, 129), (5, 129, 2), (7, 80, 20), (1, 255, 131), (3, 1, 130), (64, 64, 64), (5, 3000, 3)]
    cases = [matmul(*shape, y=y, seed=shape[1]) for shape in shapes for y in ("i8", "i16")]
    assert_exact(core, cases)


def test_random_shapes() -> None:
    rng = np.random.default_rng(7)
    shapes = [(int(m), int(k), int(n)) for m, k, n in rng.integers(1, (20, 300, 40), (40, 3))]
    assert_exact("cortex-m33", [matmul(*s, y=y, table=bool(s[2] & 1)) for s in shapes for y in ("i8", "i16")])


@pytest.mark.parametrize("core", CORES)
def test_extremes(core: str) -> None:
    """The largest sums of a slice and of folded slices, biases that do not fit a lane, all epilogues."""
    cases = []
    for rows, k in product((1, 2, 3, 5), (512, 516, 1024)):
        for a, b in product((-128, 127), (-127, 127)):
            x, w = np.full((rows, k), a, np.int8), np.full((4, k), b, np.int8)
            cases.append(exact(x, w, bias=(-1 if a * b > 0 else 1) << 29, note=f"{a}*{b}"))
    x = tensor(np.random.default_rng(1), "i8", 7, 70)
    w = np.random.default_rng(2).integers(-127, 128, (9, 70)).astype(np.int8)
    for y, rows, fields in product(
        ("i8", "i16"), (1, 2, 7), ({}, {"table": 1}, {"lo": -3, "hi": 100}, {"table": 1, "lo": 0}, {"zero_point": -77})
    ):
        cases.append(exact(x[:rows], w, y, note=str(fields), **fields))
    assert_exact(core, cases)


def test_the_pair_of_weights_that_fits_no_lane_goes_to_the_portable_kernel() -> None:
    x = tensor(np.random.default_rng(1), "i8", 3, 5)
    w = np.zeros((2, 5), np.int8)
    w[1, 2] = -128
    assert_exact("cortex-m4", [exact(x, w)], kernel="ember_matmul_s8_armv7em")
    w = w.copy()
    w[0, 2] = -1
    assert_exact("cortex-m4", [exact(x, w)], kernel="ember_matmul_s8")


def test_shifted_sums() -> None:
    """int16 results of a large factor: acc << shift."""
    cases = []
    for rows, k, shift in product((1, 2, 3, 5), (5, 128, 131, 700), (1, 4)):
        x, w = tensor(np.random.default_rng(k), "i8", rows, k), np.zeros((5, k), np.int8)
        w[:, : k // 2] = tensor(np.random.default_rng(3), "i8", 5, k // 2) // 5
        w[1] = 127 - k % 2
        w[3] = -w[1]
        cases.append(exact(x, w, "i16", shift=shift, zero_point=5))
    assert_exact("cortex-m4", cases, kernel="")
    isa = load_target("cortex-m4").isa
    assert {c.kernel(isa).function for c in cases} == {
        "ember_matmul_s8_s16_armv7em",
        "ember_matmul_row_s8_s16_armv7em",
    }


def test_long_rows_of_small_weights_need_no_folding() -> None:
    w = np.full((2, 600), 50, np.int8)
    assert largest_sum(w) < 1 << 23 <= largest_sum(np.full((2, 600), 127, np.int8))
    x = tensor(np.random.default_rng(1), "i8", 4, 600)
    assert_exact("cortex-m4", [exact(x, w), exact(x[:1], w), exact(x[:2], w)])


@pytest.mark.parametrize("opt", ["-O3", "-Os", "-O1"])
def test_any_optimisation_level(opt: str) -> None:
    assert_exact("cortex-m4", [matmul(m, 131, 7, y=y) for m in (1, 2, 7) for y in ("i8", "i16")], opt=opt)


def test_plain_c_on_other_cores() -> None:
    cases = [
        replace(matmul(m, k, n, y=y, table=bool(k & 1), seed=k), misalign=misalign)
        for m, k, n, misalign in product((1, 2, 3, 7), (1, 3, 4, 17, 131, 600), (1, 2, 5), (0, 1))
        for y in ("i8", "i16")
    ]
    assert_exact_anywhere("cortex-m4", cases)
