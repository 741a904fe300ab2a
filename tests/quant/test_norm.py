"""gamma and beta of q.layer_norm: as many fraction bits as fit, and what happens where too few do."""

from __future__ import annotations

import numpy as np
import pytest

from emberc.ir.arithmetic import norm_frac, norm_gain
from emberc.ir.graph import Module
from emberc.ir.types import DType
from emberc.quant.norm import FEWEST_BITS, narrow_gains, wide_gains
from quant.test_lowerings import quantized, text, worst_steps


@pytest.mark.parametrize(("n", "steps", "bits"), [(7, 2.0, 8), (128, 21.0, 7), (128, 42.0, 6), (768, 42.0, 4)])
def test_narrow_gains_take_the_most_bits_that_fit(n: int, steps: float, bits: int) -> None:
    g, b = np.linspace(-steps, steps / 3, n), np.linspace(-3, 5, n)
    gains = narrow_gains(g, b, center=True)
    assert gains is not None and (gains.out_shift, gains.dtype) == (bits, DType.I16)
    assert np.abs(gains.gamma).max() <= 32767 and (bits == 8 or np.abs(gains.gamma).max() > 32767 / 2)
    np.testing.assert_allclose(gains.gamma, g / norm_gain(n) * 2.0 ** (15 + bits), atol=0.5)
    np.testing.assert_allclose(gains.beta, b * 2.0**bits, atol=0.5)


def test_a_beta_that_fills_its_16_bits_costs_fraction_bits() -> None:
    gains = narrow_gains(np.ones(8), np.full(8, 127.5), center=True)
    assert gains is not None and gains.out_shift == 7


def test_without_a_mean_beta_takes_back_the_half_that_rounding_down_loses() -> None:
    g, b = np.full(1000, 40.0), np.random.default_rng(0).uniform(-9, 9, 1000)
    gains = narrow_gains(g, b, center=False)
    assert gains is not None
    lift = float(np.mean(gains.beta * 2.0**-gains.out_shift - b))
    assert lift == pytest.approx(40 / norm_gain(1000) / 2, abs=0.002)


def test_too_few_bits_are_none() -> None:
    n = 4096
    g, b = np.full(n, 42.0), np.zeros(n)
    assert narrow_gains(g, b, center=True) is None
    fewer = narrow_gains(g, b, center=True, fewest_bits=1)
    assert fewer is not None and fewer.out_shift == FEWEST_BITS - 1
    assert narrow_gains(g * 1e6, b, center=True, fewest_bits=1) is None


def test_wide_gains_are_those_of_32_bits() -> None:
    n = 129
    gains = wide_gains(np.linspace(1, 2000, n), np.full(n, -40.0))
    assert gains.dtype is DType.I32 and 0 <= gains.out_shift <= 8
    np.testing.assert_allclose(gains.gamma[-1], 2000 * 2.0 ** (32 - norm_frac(n) + gains.out_shift), rtol=1e-9)
    assert gains.beta[0] == round(-39.5 * 2**gains.out_shift)


def test_rows_too_long_for_16_bits_are_rounded_from_int16_results() -> None:
    """Also where the output's zero point is not in the middle."""

    def long_rows() -> Module:
        m = text(
            "%r = f.layer_norm %x, %c, %d {axis = 1} : f32[2, 16384]",
            x="f32[2, 16384]", constants=("%c : f32[1] = [1]", "%d : f32[1] = [3]"),
        )  # fmt: skip
        m.main.ops[-1].loc = "/it"
        return m

    f, _ = quantized(long_rows(), overrides="/it=i8")
    assert [op.opcode for op in f.ops] == ["q.layer_norm", "q.requantize"]
    assert [op.results[0].type.dtype for op in f.ops] == [DType.I16, DType.I8]
    quant = f.ops[-1].results[0].type.quant
    assert quant is not None and quant.zero_point != 0
    assert worst_steps(long_rows, overrides="/it=i8") <= 0.55
