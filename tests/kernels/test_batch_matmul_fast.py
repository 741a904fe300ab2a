"""q.batch_matmul on every core with kernels of its own: all small shapes, all types, long sums, extremes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from emberc.backend.c.kernels import select_kernel
from emberc.bench import Case
from emberc.bench.suite import batch_matmul, tensor, value
from emberc.ir.ops.integer_matmul import BatchMatmul
from tests.kernels.boards import assert_exact, assert_exact_anywhere

FORMS = [("i8", "i8"), ("i8", "i16"), ("i16", "i8"), ("i16", "i16")]
CORES = ["cortex-m4", "cortex-m7", "cortex-m33"]


def small_shapes() -> Iterator[Case]:
    """Every M, K, N of 1 to 9, types, orders and alignments in turn, so that each meets every remainder."""
    for i, (m, k, n) in enumerate(product(range(1, 10), repeat=3)):
        a, y = FORMS[(m + k + 3 * n) % 4]
        yield replace(batch_matmul(m, k, n, a, y, transpose=(m + n) % 2 > 0, seed=i), misalign=i % 5)


def large_shapes() -> Iterator[Case]:
    """Around the ends of unrolled loops and of chunks of columns, several batches, and random ones."""
    rng = np.random.default_rng(11)
    shapes = [(3, k, 5) for k in (60, 63, 64, 65, 68, 124, 127, 128, 129, 255)]
    shapes += [(2, 17, n) for n in (15, 16, 17, 31, 63, 64, 65, 66, 129)]
    shapes += [tuple(int(v) for v in rng.integers(1, (20, 200, 90))) for _ in range(12)]
    for i, ((m, k, n), transpose) in enumerate(product(shapes, (False, True))):
        a, y = FORMS[i // 2 % 4]
        yield batch_matmul(m, k, n, a, y, transpose=transpose, batches=1 + i % 3, shared=i % 5 > 2, seed=k)


def extreme(a: str, k: int, *, za: int = 0, zb: int = 0, signs: int = 1, rows: int = 3, **fields: int) -> Case:
    """Operands at the ends of their types, the largest sums that the op allows."""
    low, high = (-128, 127) if a == "i8" else (-32768, 32767)
    left = np.full((1, rows, k), low if za >= 0 else high, f"int{a[1:]}")
    right = np.full((1, 5, k), -128 if zb >= 0 else 127, np.int8)
    right[:, ::2] = right[:, ::2] if signs > 0 else -1 - right[:, ::2]
    op = BatchMatmul(
        value(left), value(right), za=za, zb=zb, m=1 << 20, transpose_b=True, dtype="i16", zero_point=-7, **fields
    )
    op.verify()
    return Case(op, {"a": left, "b": right}, f"{rows},{k},5", note=f"{a} {za} {zb} {fields}")


def extremes() -> Iterator[Case]:
    """The zero points at their ends; sums that need 64 bits; the largest shifts."""
    for za, zb, signs in product((-128, 0, 127), (-128, 0, 127), (1, -1)):
        yield extreme("i8", 70, za=za, zb=zb, signs=signs)
    for k, zb, signs in product((256, 257, 260, 512, 515, 1100), (-128, 0, 127), (1, -1)):
        yield extreme("i16", k, zb=zb, signs=signs, shift=-8)
    yield extreme("i8", 16, shift=12)
    yield extreme("i16", 16, shift=4)
    yield extreme("i16", 1100, zb=127, shift=-31)
    yield extreme("i8", 2000, za=127, zb=127)
    yield extreme("i8", 33000)


def fast(cases: Iterator[Case], suffix: str, core_isa: tuple[str, ...]) -> list[Case]:
    """Those of the cases that a kernel of that suffix runs; most of them must be."""
    held = list(cases)
    chosen = [c for c in held if c.kernel(core_isa).function.endswith(suffix)]
    assert len(chosen) > len(held) * 0.6
    return held


ARM = ("portable", "armv7em")
HELIUM = (*ARM, "mve")


@pytest.mark.board
def test_armv7em() -> None:
    assert_exact(
        "cortex-m4", [*list(small_shapes())[::41], *fast(large_shapes(), "_armv7em", ARM)[::4], *list(extremes())[::3]]
    )


@pytest.mark.board
@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
def test_all_shapes_on_armv7em(core: str) -> None:
    assert_exact(core, [*fast(small_shapes(), "_armv7em", ARM), *large_shapes(), *extremes()])


@pytest.mark.board
def test_helium() -> None:
    assert_exact(
        "cortex-m55", [*list(small_shapes())[::41], *fast(large_shapes(), "_mve", HELIUM)[::4], *list(extremes())[::3]]
    )


@pytest.mark.board
@pytest.mark.slow
def test_all_shapes_on_helium() -> None:
    assert_exact("cortex-m55", [*fast(small_shapes(), "_mve", HELIUM), *large_shapes(), *extremes()])


RV32 = ("portable", "rv32")


def narrow(cases: Iterator[Case]) -> list[Case]:
    """The cases that the rv32 kernels take: int8 operands, two rows or more."""
    held = [c for c in cases if c.kernel(RV32).function.endswith("_rv32")]
    assert held
    return held


def test_plain_c_of_rv32() -> None:
    assert_exact_anywhere(
        "rv32", [*narrow(small_shapes())[::29], *narrow(large_shapes())[::3], *narrow(extremes())[1::2]]
    )


@pytest.mark.board
def test_rv32() -> None:
    assert_exact("rv32", [*narrow(small_shapes())[::29], *narrow(large_shapes())[::5], *narrow(extremes())[::3]])


@pytest.mark.board
@pytest.mark.slow
def test_all_shapes_on_rv32() -> None:
    assert_exact("rv32", [*small_shapes(), *large_shapes(), *extremes()])


def test_long_sums_of_int16_leave_helium_for_armv7em() -> None:
    suffixes = {k: batch_matmul(2, k, 3, "i16").kernel(HELIUM).function.rpartition("_")[2] for k in (478, 482)}
    assert suffixes == {478: "mve", 482: "armv7em"}


def test_plain_c_of_armv7em() -> None:
    assert_exact_anywhere(
        "cortex-m4", [*list(small_shapes())[::41], *list(large_shapes())[1::4], *list(extremes())[1::2]]
    )


def test_one_row_does_not_pay_for_packing() -> None:
    one, two = batch_matmul(1, 8, 8).op, batch_matmul(2, 8, 8).op
    assert select_kernel(one, ARM).function == "ember_batch_matmul_s8"
    assert select_kernel(two, ARM).function == "ember_batch_matmul_s8_armv7em"


def test_an_int16_operand_with_a_zero_point_stays_portable() -> None:
    left, right = tensor(np.random.default_rng(1), "i16", 1, 2, 3), tensor(np.random.default_rng(1), "i8", 1, 3, 4)
    op = BatchMatmul(value(left), value(right), za=5, m=1 << 10, shift=-4)
    assert select_kernel(op, ARM).function == "ember_batch_matmul_s16_s8"
