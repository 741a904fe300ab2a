"""q.matmul of int16 x on every core with kernels of its own: all small shapes, epilogues, long sums, extremes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from emberc.backend.c.variants.armv7em_wide import slice_of, stream
from emberc.bench import Case
from emberc.bench.suite import constant, matmul, tensor, value
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.types import Array
from emberc.targets import load_target
from tests.kernels.boards import assert_exact, assert_exact_anywhere
from tests.kernels.check import headroom

CORES = ["cortex-m4", "cortex-m55", "rv32"]


def exact(x: Array, w: Array, y: str, *, bias: int = 0, table: bool = False, note: str = "", **fields: Any) -> Case:
    """A q.matmul of given operands, shifted so that the largest sum fits 32 bits."""
    rng = np.random.default_rng(len(w))
    n, k = w.shape
    entries = constant(tensor(rng, y, 256), f"int{y[1:]}") if table else None
    most = 32768 * int(np.abs(w.astype(np.int64)).sum(axis=1).max()) + abs(bias)
    shift = min(0, headroom(-most, most))
    op = Matmul(
        value(x), constant(w, np.int8), constant(np.full(n, bias)), constant(rng.integers(1 << 16, 1 << 21, n)),
        entries, shift=fields.pop("shift", shift), dtype=y, **fields,
    )  # fmt: skip
    op.verify()
    return Case(op, {"x": x}, f"{x.shape[0]},{k},{n} {y}", note=f"{note} {fields}")


def small_shapes() -> Iterator[Case]:
    """Every M, K, N of 1 to 9; result types and alignments in turn."""
    for i, (m, k, n) in enumerate(product(range(1, 10), repeat=3)):
        y = ("i8", "i16")[(m + k + n) % 2]
        yield replace(matmul(m, k, n, "i16", y, table=i % 7 == 0, seed=i), misalign=i % 5)


def large_shapes() -> Iterator[Case]:
    """Around the ends of unrolled loops and of chunks, and random ones."""
    rng = np.random.default_rng(5)
    shapes = [(3, k, 5) for k in (31, 32, 33, 44, 47, 48, 49, 52, 96, 97, 100, 127, 128, 129)]
    shapes += [(2, 17, n) for n in (15, 16, 17, 63, 64, 65, 66, 127, 128, 129)]
    shapes += [tuple(int(v) for v in rng.integers(1, (20, 200, 90))) for _ in range(10)]
    for i, (m, k, n) in enumerate(shapes):
        yield matmul(m, k, n, "i16", ("i8", "i16")[i % 2], seed=i)


def extremes() -> Iterator[Case]:
    """Sums at the end of 32 bits and beyond, biases of 2^30, all epilogues."""
    for rows, k, a, b in product((1, 4), (512, 520, 1100), (-32768, 32767), (-128, 127)):
        x, w = np.full((rows, k), a, np.int16), np.full((3, k), b, np.int8)
        yield exact(x, w, "i16", bias=(1 if a * b > 0 else -1) << 30, note=f"{a} * {b}")
    rng = np.random.default_rng(2)
    x, w = tensor(rng, "i16", 5, 70), tensor(rng, "i8", 9, 70)
    forms: list[dict[str, Any]] = [
        {}, {"table": True}, {"lo": -3, "hi": 100}, {"table": True, "lo": 0}, {"zero_point": -77}, {"shift": -31},
    ]  # fmt: skip
    for y, form in product(("i8", "i16"), forms):
        yield exact(x, w, y, **form)
    yield exact(x, tensor(rng, "i8", 70, 70), "i8", bias=(1 << 31) - (1 << 27))
    yield exact(np.ones((4, 9), np.int16), np.ones((3, 9), np.int8), "i8", shift=3)


@pytest.mark.board
@pytest.mark.parametrize("core", CORES)
def test_on_the_core(core: str) -> None:
    assert_exact(core, [*list(small_shapes())[::41], *list(large_shapes())[::3], *list(extremes())[::2]])


@pytest.mark.board
@pytest.mark.slow
@pytest.mark.parametrize("core", [*CORES, "cortex-m7", "cortex-m33"])
def test_all_shapes(core: str) -> None:
    assert_exact(core, [*small_shapes(), *large_shapes(), *extremes()])


@pytest.mark.parametrize("core", CORES)
def test_plain_c_on_other_cores(core: str) -> None:
    assert_exact_anywhere(core, [*list(small_shapes())[::37], *list(large_shapes())[1::3], *list(extremes())[1::2]])


def test_each_core_has_kernels_of_its_own() -> None:
    found = {
        core: [matmul(4, 9, 5, "i16", y).kernel(load_target(core).isa).function for y in ("i8", "i16")]
        for core in CORES
    }
    assert found == {
        "cortex-m4": ["ember_matmul_s16_s8_armv7em", "ember_matmul_s16_armv7em"],
        "cortex-m55": ["ember_matmul_s16_s8_mve", "ember_matmul_s16_mve"],
        "rv32": ["ember_matmul_s16_s8_rv32", "ember_matmul_s16_rv32"],
    }


def test_sums_beyond_32_bits_are_split() -> None:
    x = np.zeros((4, 1100), np.int16)
    worst = exact(x, np.full((3, 1100), -128, np.int8), "i8")
    assert slice_of(worst.op.constant("w"), worst.op.constant("bias")) == 368  # type: ignore[attr-defined]
    kernels = [worst.kernel(load_target(core).isa).function for core in CORES]
    assert kernels == ["ember_matmul_s16_s8_armv7em", "ember_matmul_s16_s8_armv7em", "ember_matmul_s16_s8"]


def test_a_slice_is_a_stream_with_biases_in_the_first_alone() -> None:
    w = np.arange(1, 19).reshape(3, 6).astype(np.int8)
    packed = stream(w, np.array([7, 8, 9]), np.array([70, 80, 90]), 4)
    assert packed.shape == (2, 2, 6)
    assert packed[:, :, :2].tolist() == [[[7, 8], [9, 0]], [[0, 0], [0, 0]]]
    assert packed[:, :, 4:].tolist() == [[[70, 80], [90, 0]]] * 2
    words = packed[:, :, 2:4].copy().view(np.int8)
    assert words[0].tolist() == [[1, 2, 3, 4, 7, 8, 9, 10], [13, 14, 15, 16, 0, 0, 0, 0]]
    assert words[1].tolist() == [[5, 6, 0, 0, 11, 12, 0, 0], [17, 18, 0, 0, 0, 0, 0, 0]]
