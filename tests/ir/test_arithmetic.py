"""The shared integer arithmetic against Python's unbounded integers and against floats."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emberc.errors import InternalError
from emberc.ir.arithmetic import (
    INT32_MAX,
    INT32_MIN,
    clamp,
    count_leading_zeros,
    exp2_table,
    fits32,
    norm_frac,
    norm_gain,
    norm_unit,
    requantize,
    shifted,
    softmax_table,
)
from emberc.ir.types import DType

words = st.integers(INT32_MIN, INT32_MAX)


@given(words, words, st.integers(-32768, 32767))
def test_requantize_is_the_rounded_product(acc: int, m: int, zero_point: int) -> None:
    exact = (acc * m + (zero_point << 32) + (1 << 31)) // (1 << 32)
    assert int(requantize(np.array(acc), m, 0, zero_point)) == exact


@given(words, st.integers(-31, 8))
def test_shifts_are_exact_or_refused(acc: int, shift: int) -> None:
    want = acc * 2**shift if shift >= 0 else acc // 2**-shift
    if fits32(want, want):
        assert int(shifted(np.array(acc), shift)) == want
    else:
        with pytest.raises(InternalError):
            shifted(np.array(acc), shift)


def test_clamp_saturates() -> None:
    v = np.array([-40000, -129, 0, 128, 40000])
    np.testing.assert_array_equal(clamp(v, DType.I8), [-128, -128, 0, 127, 127])
    np.testing.assert_array_equal(clamp(v, DType.I16, 0, 100), [0, 0, 0, 100, 100])
    assert clamp(v, DType.I16).dtype == np.int16


@given(st.integers(1, (1 << 64) - 1))
def test_count_leading_zeros(v: int) -> None:
    assert int(count_leading_zeros(np.array(v, np.uint64), 64)) == 64 - v.bit_length()


def test_norm_frac_is_the_formula() -> None:
    for n in [*range(1, 1100), 4095, 4096, 4097, 16384]:
        assert norm_frac(n) == 28 - math.ceil(math.log2(math.sqrt(n)))


def test_norm_unit_fills_31_bits_and_no_more() -> None:
    for n in [*range(1, 1100), 4095, 4096, 4097, 16384]:
        exact = 32760 * math.sqrt(max(n - 1, 1)) * 2.0 ** (norm_frac(n) - 12)
        assert norm_unit(n) == math.floor(exact) < 1 << 31
        assert norm_gain(n) == 32760 * math.sqrt(max(n - 1, 1)) / n


def test_tables_fall_to_zero_and_are_exact_at_octaves() -> None:
    table = exp2_table(4095, 64)
    assert table[0] == 4095 and table[64] == 2048 and table[-1] == 0 and table[-2] >= 1
    assert (np.diff(table) <= 0).all()
    table = softmax_table(0.1, 3000)
    assert int(table[0]) * 3000 < 1 << 24 and table[10] == round(int(table[0]) * math.exp(-1))
