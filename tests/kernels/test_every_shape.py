"""Every small shape, and large ones at random, on every core: hundreds of shapes in one start of an emulator.

Rows, depth and columns from 1 to 9 hold every remainder of the kernels' blocks, pairs and tails together with every
other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from emberc.bench import Case
from emberc.bench.suite import (
    add,
    batch_matmul,
    constant,
    embed,
    layer_norm,
    matmul,
    mul,
    requantize,
    softmax,
    table,
    table16,
    value,
)
from emberc.ir.ops.integer_matmul import Matmul
from tests.kernels.boards import assert_exact

pytestmark = [pytest.mark.board, pytest.mark.slow]

CORES = ("cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "rv32")
SMALL = list(product(range(1, 10), repeat=3))
ROWS = (*range(1, 36), 63, 64, 65, 127, 128, 129)
SUMS = [(*xy, z) for xy in (("i8", "i8"), ("i16", "i8"), ("i16", "i16")) for z in ("i8", "i16")]
PAIRS = list(product(("i8", "i16"), repeat=2))

EPILOGUES: list[tuple[str, dict[str, Any]]] = [
    ("i8", {}),
    ("i16", {}),
    ("i8", {"table": True}),
    ("i16", {"table": True}),
    ("i8", {"lo": -7, "hi": 90}),
    ("i16", {"lo": -300, "hi": 20000}),
    ("i8", {"table": True, "lo": 0, "hi": 100}),
    ("i8", {"zero_point": -128}),
    ("i16", {"zero_point": 99}),
]


def finished(case: Case, fields: dict[str, Any]) -> Case:
    """The case with other attributes of its epilogue."""
    case.op.attrs.update(fields)
    case.op.verify()
    return replace(case, note=str(fields))


def products(x: str, y: str) -> list[Case]:
    return [replace(matmul(m, k, n, x, y, seed=k), misalign=(m + k + n) % 4) for m, k, n in SMALL]


def epilogues() -> Iterator[Case]:
    """Each shape of a diagonal with every epilogue, int8 and int16 x."""
    for m, k, n in ((1, 1, 1), (1, 9, 5), (2, 3, 9), (3, 8, 2), (4, 5, 8), (5, 16, 3), (7, 17, 17), (8, 4, 6)):
        for (y, fields), x in product(EPILOGUES, ("i8", "i16")):
            more = dict(fields)
            yield finished(matmul(m, k, n, x, y, table=more.pop("table", False), seed=n), more)


def large() -> Iterator[Case]:
    rng = np.random.default_rng(21)
    for m, k, n in rng.integers(1, (40, 700, 70), (30, 3)):
        x, y = rng.choice(["i8", "i16"], 2)
        yield matmul(int(m), int(k), int(n), str(x), str(y), seed=int(k))


def beyond_the_bound() -> Iterator[Case]:
    """Sums of int16 x that no 32 bits hold, and of int8 x that no lane of two columns holds; of both signs."""
    for (x, rows, k), sign in product(product(("i8", "i16"), (1, 2, 5), (516, 517, 1031, 2100)), (-1, 1)):
        limits = np.iinfo(f"int{x[1:]}")
        data = np.full((rows, k), limits.min if sign < 0 else limits.max, limits.dtype)
        w = np.full((3, k), 127, np.int8)
        w[1] = -127
        w[2, ::2] = -3
        shift = 0 if x == "i8" else -12
        m = (1 << 31) // (k * (3 if x == "i8" else 90))
        op = Matmul(value(data), constant(w, np.int8), constant([5, -7, 1 << 20]), constant([m] * 3), shift=shift)
        op.verify()
        yield Case(op, {"x": data}, f"{rows},{k},3", note=f"{x} {sign}")


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(("x", "y"), PAIRS)
def test_every_small_matmul(core: str, x: str, y: str) -> None:
    assert_exact(core, products(x, y))


@pytest.mark.parametrize("core", CORES)
def test_every_epilogue_large_shapes_and_split_sums(core: str) -> None:
    assert_exact(core, [*epilogues(), *large(), *beyond_the_bound()])


@pytest.mark.parametrize("core", CORES)
def test_every_small_product_of_activations(core: str) -> None:
    shapes = [(m, k, n) for m, k, n in SMALL if (m + k + n) % 3 == 0]
    assert_exact(core, [batch_matmul(*s, transpose=t, seed=sum(s)) for s in shapes for t in (True, False)])


@pytest.mark.parametrize("core", CORES)
def test_every_row(core: str) -> None:
    """Every element count of the row operations up to two vectors of every width, and around larger blocks."""
    cases = [build(1, n, *types, seed=n) for build in (add, mul) for types in SUMS for n in ROWS]
    cases += [requantize(1, n, *types, seed=n) for types in PAIRS for n in ROWS]
    assert_exact(core, [replace(c, misalign=i % 4) for i, c in enumerate(cases)])


@pytest.mark.parametrize("core", CORES)
def test_every_row_of_a_table_or_a_sum(core: str) -> None:
    cases = [table(1, n, y, seed=n) for y in ("i8", "i16") for n in ROWS]
    cases += [table16(1, n, seed=n) for n in ROWS] + [softmax(2, n, seed=n) for n in ROWS]
    cases += [embed(2, n, y, words=5, seed=n) for y in ("i8", "i16") for n in ROWS]
    cases += [layer_norm(2, n, *types, seed=n) for types in PAIRS for n in ROWS]
    assert_exact(core, [replace(c, misalign=i % 4) for i, c in enumerate(cases)])


def test_a_wrong_result_is_found_among_them() -> None:
    """One element of one expected result, changed: the shape is named."""
    cases = products("i8", "i8")[::40]
    wrong = cases[7]
    wrong.expected["y"] = wrong.expected["y"] ^ np.eye(1, wrong.op.results[0].type.elements, dtype=np.int8).reshape(
        wrong.op.results[0].shape
    )
    with pytest.raises(AssertionError, match=rf"ember_matmul\w* {wrong.shape} "):
        assert_exact("cortex-m4", cases)
