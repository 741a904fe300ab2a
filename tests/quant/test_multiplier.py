"""From real factors to integers: results stay within the stated error of the exact rational and never overflow."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from emberc.errors import EmberError, InternalError, UnsupportedError
from emberc.ir.arithmetic import requantize
from emberc.ir.ops.integer_elementwise import Add, Requantize
from emberc.ir.types import DType, TensorType
from emberc.ir.values import Value
from emberc.quant.multiplier import FACTOR_ERROR, halves, halves_of, multiplier, requantized_sum

types = st.sampled_from([DType.I8, DType.I16])


@given(st.floats(1e-12, 1e6), st.floats(0, 1), st.integers(1, 2**45), st.booleans())
@example(0.5, 1.0, 2**31 - 1, False)
@example(0.49999999999, 1.0, 2**31 - 1, True)
@example(1e-12, 1.0, 2**45, True)
def test_a_product_is_the_rational_within_its_bound(factor: float, at: float, bound: int, negative: bool) -> None:
    """Half a step for the last rounding, a quarter for m's own, half for bits shifted out of a wide accumulator."""
    try:
        mult = multiplier(factor, bound)
    except UnsupportedError:
        assert factor * bound >= 2**29, "refused only where the product is beyond any result"
        return
    m = int(mult.m[0])
    assert 0 <= m < 2**31
    acc = round(at * bound) * (-1 if negative else 1)
    shifted = acc << mult.shift if mult.shift >= 0 else acc >> -mult.shift
    assert -(2**31) <= shifted < 2**31
    got = int(requantize(np.array(acc), m, mult.shift, 0))
    error = abs(Fraction(got) - Fraction(acc) * Fraction(factor))
    assert error <= Fraction(3, 4) + (Fraction(1, 2) if mult.shift < 0 else 0)


def test_one_shift_serves_all_channels() -> None:
    mult = multiplier([0.75, 1e-4, 0.0, -0.3], 1000)
    assert mult.shift == 1
    np.testing.assert_allclose(mult.m * 2.0 ** (mult.shift - 32), [0.75, 1e-4, 0.0, -0.3], atol=2.0**-32)


@pytest.mark.parametrize("factor", [np.inf, -np.inf, np.nan])
def test_factors_that_are_no_numbers_are_refused(factor: float) -> None:
    with pytest.raises(InternalError, match="are not finite"):
        multiplier([1.0, factor], 100, at="/node")


def test_a_factor_that_no_shift_can_bring_in_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="exceeds 32 bits") as e:
        multiplier(1000.0, 2**31 - 1, at="/node")
    assert e.value.at == "/node"


@given(st.floats(1e-5, 1.0), st.integers(1, 255), st.integers(1, 255))
def test_halves_are_the_factor_within_their_bound_and_fit_their_lanes(factor: float, a: int, b: int) -> None:
    """Of the factors that have halves; the next test says that most have."""
    pair = halves(factor, a, b)
    if pair is None:
        return
    assert abs(pair.m / 2.0**32 - factor) <= FACTOR_ERROR * factor
    assert max(pair.m1, pair.m2) <= 127 and pair.m1 * a < 2**15 and pair.m2 * b < 2**15 and pair.m < 2**31
    again = halves_of(pair.m, a, b)
    assert again is not None and again.m == pair.m


def test_most_scales_of_products_have_halves() -> None:
    """The figures of the docstring: scales of a product of int8 values spread over 1/1000 .. 1/10, full spans."""
    scales = np.exp(np.random.default_rng(0).uniform(np.log(1e-3), np.log(0.1), 300))
    found = [(s, pair) for s in scales if (pair := halves(s, 255, 255))]
    errors = [abs(pair.m / 2.0**32 / s - 1) for s, pair in found]
    assert len(found) >= 0.94 * len(scales) and float(np.mean(errors)) < 1.6e-4


def test_a_multiplier_without_two_factors_has_no_halves() -> None:
    assert halves_of(4093 << 13, 128, 128) is None, "4093 is prime"
    assert halves_of(-4095 << 13, 128, 128) is None
    assert halves(0.0, 128, 128) is None


factors = st.floats(1e-6, 2**14) | st.floats(0.25, 4)


@given(factors, st.integers(-128, 127), types, types, st.data())
def test_a_rescaled_value_is_the_rational_within_its_bound(
    factor: float, zero_point: int, source: DType, target: DType, data: st.DataObject
) -> None:
    """Half a step for the rounding, and what 15 bits of multiplier, a floor and 6 fractional bits leave."""
    zero = data.draw(st.integers(-128, 127)) if source is DType.I8 else 0
    plan = requantized_sum([factor], [zero], zero_point)
    (term,) = plan.terms
    value = Value(TensorType(source, (1,)))
    op = Requantize(value, m=term.m, s=term.s, c=plan.c, frac=plan.frac, dtype=target.value)
    op.verify()
    q = data.draw(st.integers(*source.limits))
    got = int(op.reference(np.array([q], source.numpy))[0])
    exact = Fraction(factor) * (q - zero) + zero_point
    lo, hi = target.limits
    clipped = min(max(exact, lo), hi)
    reach = abs(Fraction(factor) * q) + abs(Fraction(factor) * zero)
    units = 1 + abs(q) * Fraction(1, 2 ** (term.s + 1)) + abs(zero) * Fraction(1, 2 ** (term.s + 1))
    assert abs(got - clipped) <= Fraction(1, 2) + (units + 1) / 2**plan.frac + reach / 2**15


@given(factors, factors, st.sampled_from([1.0, -1.0]), st.integers(-128, 127), types, types, st.data())
def test_a_sum_is_the_rational_within_its_bound_and_is_proved(
    f1: float, f2: float, sign: float, zero_point: int, first: DType, target: DType, data: st.DataObject
) -> None:
    """Both terms as one of them alone. What can't be proved to fit 32 bits is refused when it is planned."""
    zeros = [data.draw(st.integers(-128, 127)) if first is DType.I8 else 0, data.draw(st.integers(-128, 127))]
    plan = requantized_sum([f1, sign * f2], zeros, zero_point)
    t1, t2 = plan.terms
    x, y = Value(TensorType(first, (1,))), Value(TensorType(DType.I8, (1,)))
    op = Add(x, y, m1=t1.m, s1=t1.s, m2=t2.m, s2=t2.s, c=plan.c, frac=plan.frac, dtype=target.value)
    op.verify()
    qx, qy = data.draw(st.integers(*first.limits)), data.draw(st.integers(-128, 127))
    got = int(op.reference(np.array([qx], first.numpy), np.array([qy], np.int8))[0])
    exact = Fraction(f1) * (qx - zeros[0]) + Fraction(sign * f2) * (qy - zeros[1]) + zero_point
    lo, hi = target.limits
    reach = Fraction(f1) * (abs(qx) + abs(zeros[0])) + Fraction(f2) * (abs(qy) + abs(zeros[1]))
    parts = zip((t1, t2), (qx, qy), zeros, strict=True)
    units = 2 + sum((abs(q) + abs(z)) * Fraction(1, 2 ** (t.s + 1)) for t, q, z in parts)
    assert abs(got - min(max(exact, lo), hi)) <= Fraction(1, 2) + (units + 1) / 2**plan.frac + reach / 2**15


@given(st.floats(1, 2**15), st.floats(1, 2**15), st.integers(-32768, 32767))
@example(2.0**15, 2.0**15, -1)
@example(2.0**15, 2.0**15, 32767)
@example(2.0**9, 2.0**9, -32768)
def test_no_sum_of_two_int16_values_overflows(f1: float, f2: float, zero_point: int) -> None:
    """However far apart the scales: a plan is refused, or its op passes the proof."""
    try:
        plan = requantized_sum([f1, f2], [0, 0], zero_point)
    except UnsupportedError:
        assume(False)
    t1, t2 = plan.terms
    x = Value(TensorType(DType.I16, (1,)))
    Add(x, x, m1=t1.m, s1=t1.s, m2=t2.m, s2=t2.s, c=plan.c, frac=plan.frac, dtype="i16").verify()


def test_scales_too_far_apart_are_refused() -> None:
    with pytest.raises(EmberError, match="scales differ by more than a sum can take"):
        requantized_sum([1e6], [0], 0)
