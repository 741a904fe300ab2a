"""q.attention on Helium: sizes, masks, groups, packed operands, and scores at the ends of their range."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from emberc.bench import Case
from emberc.bench.suite import attention, constant, tensor, value
from emberc.ir.arithmetic import exp2_table
from emberc.ir.ops.integer_attention import Attention
from tests.kernels.boards import assert_exact
from tests.kernels.test_armv7em_attention import packed

TARGET = "cortex-m55"
FAST = "ember_attention_s8_mve"
board = pytest.mark.board


@board
def test_sizes() -> None:
    sizes = product((1, 2, 3), (1, 3, 8, 9, 17), (1, 4, 7, 16, 21))
    cases = [replace(attention(q, k, 1, d, seed=k), misalign=q) for q, k, d in sizes]
    cases += [attention(q, k, 2, d) for q, k, d in ((5, 64, 64), (3, 129, 40), (2, 70, 66), (2, 8, 128))]
    assert_exact(TARGET, cases, kernel=FAST)


@board
@pytest.mark.parametrize("mask", ["", "keys", "rows", "batches", "none"])
def test_masks_and_groups(mask: str) -> None:
    cases = [
        packed(2, rows, 4, dim, group=group, mask=mask, causal=causal)
        for rows, group, causal, dim in product((1, 5, 18), (1, 2, 4), (False, True), (5,))
    ]
    assert_exact(TARGET, cases, kernel=FAST)


@board
def test_queries_and_keys_of_different_number_when_causal() -> None:
    cases = []
    for q, k in ((1, 9), (9, 1), (12, 3), (4, 33)):
        case = attention(q, k, 2, 8)
        case.op.attrs["causal"] = True
        cases.append(case)
    assert_exact(TARGET, cases, kernel=FAST)


@board
@pytest.mark.parametrize("dtype", ["i8", "i16"])
def test_results_of_both_types_and_every_shift(dtype: str) -> None:
    cases = [
        packed(1, rows, 2, dim, shift_out=shift, dtype=dtype, zero_point=zero, mask="keys")
        for rows, dim, shift, zero in product((1, 9), (8, 20), (-24, -9, 0, 6, 13), (0, -7))
    ]
    assert_exact(TARGET, cases, kernel=FAST if dtype == "i8" else "ember_attention_s8_s16_mve")


@board
def test_scores_at_the_ends() -> None:
    """Scores that saturate on both sides, shifted ones, and a negative factor."""
    cases = [
        packed(1, 11, 1, 64, fill=fill, m_score=m, shift_score=shift)
        for fill, m, shift in product((-128, 127), ((1 << 31) - 1, -(1 << 31), 1 << 20), (0, 3))
    ]
    assert_exact(TARGET, cases, kernel=FAST)


@board
@pytest.mark.parametrize("opt", ["-O0", "-Os", "-O3"])
def test_other_optimisations(opt: str) -> None:
    assert_exact(TARGET, [attention(3, 19, 2, 20), attention(3, 19, 2, 20, masked=True)], kernel=FAST, opt=opt)


def far_values(stride: int) -> Case:
    """Values whose last head ends a row of ``stride`` elements."""
    rng = np.random.default_rng(0)
    q, k, v = tensor(rng, "i8", 1, 2, 16), tensor(rng, "i8", 1, 9, 16), tensor(rng, "i8", 1, 9, stride)
    op = Attention(
        value(q), value(k), value(v), constant(exp2_table(), np.int16),
        heads=1, head_dim=16, v_offset=stride - 16, m_score=1 << 23, c_out=3 << 30, shift_out=0,
    )  # fmt: skip
    return Case(op, {"q": q, "k": k, "v": v}, f"stride {stride}")


@board
def test_values_at_the_end_of_a_gathers_reach() -> None:
    assert_exact(TARGET, [far_values(9360)], kernel=FAST)


def test_values_beyond_a_gathers_reach_are_refused() -> None:
    assert far_values(9361).kernel(("portable", "mve")).function == "ember_attention_s8"


def test_the_scratch_holds_a_head() -> None:
    case = attention(64, 64, 2, 64)
    assert case.kernel(("mve",)).scratch_bytes(case.op) == 8 * 64 + 4 * 64 + 2 * 16 * (16 + 4 * 64) + 16
