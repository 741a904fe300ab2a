"""q.attention of int16 on Armv7E-M and Helium: sums of 64 bits, sizes, masks, groups, shifts, ends of the scores."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from emberc.bench import Case
from emberc.bench.suite import attention
from tests.kernels.boards import assert_exact, assert_exact_anywhere, same_kernels
from tests.kernels.test_armv7em_attention import packed

pytestmark = pytest.mark.board

FAST = {"cortex-m4": "ember_attention_s16_armv7em", "cortex-m55": "ember_attention_s16_mve"}
CORES = same_kernels("cortex-m4", "cortex-m7", "cortex-m33")


def sized(q: int, k: int, heads: int, dim: int) -> Case:
    return replace(attention(q, k, heads, dim, "i16", seed=k), misalign=2 * (q % 2))


def sizes() -> list[Case]:
    few = [sized(q, k, 1, d) for q, k, d in product((1, 2, 3, 7), (1, 2, 3, 4, 5, 9, 17), (1, 2, 4, 7, 10))]
    return few + [sized(*s) for s in ((5, 64, 2, 64), (3, 129, 2, 45), (2, 70, 2, 66), (2, 8, 1, 192), (2, 300, 1, 20))]


def masked() -> list[Case]:
    options = product((1, 4, 7), (1, 2, 4), ("", "keys", "rows", "batches", "none"), (False, True))
    return [
        packed(2, rows, 4, 6, "i16", group=group, mask=mask, causal=causal, shift_score=-16, dtype="i16")
        for rows, group, mask, causal in options
    ]


def shifted() -> list[Case]:
    """Weighted sums shifted by up to 32 to the right and to the left; scores by 1 to 31."""
    rows = product((2, 9, 33), (-24, -14, -3, 0, 6, 9), (0, -9), ("", "keys"))
    found = [
        packed(1, n, 2, 8, "i16", shift_out=shift, zero_point=zero, mask=mask, shift_score=-4, dtype="i16")
        for n, shift, zero, mask in rows
    ]
    scores = product((-31, -17, -1), (1 << 20, (1 << 31) - 1, -(1 << 31)))
    small = {"table": [9000, 300, 5, 0], "dtype": "i16"}
    return found + [packed(1, 6, 1, 2, "i16", shift_score=s, m_score=m, **small) for s, m in scores]


def ends() -> list[Case]:
    """Products whose sums pass 32 bits by far, and scores that saturate on both sides."""
    return [
        packed(1, rows, 1, 64, "i16", fill=fill, m_score=m, shift_score=-6, mask=mask, dtype="i16")
        for rows, fill, m, mask in product((4, 5), (-32768, -1, 32767), (1 << 20, (1 << 31) - 1), ("", "keys"))
    ]


@pytest.mark.parametrize("core", [*CORES, "cortex-m55"])
def test_bits(core: str) -> None:
    assert_exact(core, [*sizes(), *masked(), *shifted(), *ends()], kernel=FAST.get(core, FAST["cortex-m4"]))


def test_odd_heads() -> None:
    cases = [sized(q, k, 1, d) for q, k, d in product((1, 2, 3), (1, 8, 19), (3, 5, 16, 21, 35))]
    for core, kernel in FAST.items():
        assert_exact(core, cases, kernel=kernel)


@pytest.mark.parametrize("opt", ["-O0", "-O3"])
def test_other_optimisations(opt: str) -> None:
    cases = [sized(3, 19, 2, 20), attention(3, 19, 2, 20, "i16", masked=True)]
    for core, kernel in FAST.items():
        assert_exact(core, cases, kernel=kernel, opt=opt)


def test_plain_c_on_other_cores() -> None:
    cases = [*sizes()[::5], *masked()[::4], *shifted()[::5], *ends()[::3]]
    for core in FAST:
        assert_exact_anywhere(core, cases)
