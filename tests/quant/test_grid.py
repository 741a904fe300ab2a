"""The integers of a quantized model's weights are found again, and nothing is found in others."""

import numpy as np
import pytest

from emberc.quant.grid import row_grids, symmetric_steps, tensor_grid


def integers(low: int, high: int, *shape: int) -> np.ndarray:
    """Integers low .. high that hold both ends and have no common factor."""
    q = np.random.default_rng(0).integers(low, high, shape, endpoint=True)
    q[..., 0], q[..., 1], q[..., 2] = low, high, 1
    return q


@pytest.mark.parametrize("columns", [3, 7, 17, 129])
@pytest.mark.parametrize(("low", "high"), [(-127, 127), (-128, 127), (-128, 5), (-7, 7), (-1, 1)])
def test_int8_rows_come_back_bit_for_bit(columns: int, low: int, high: int) -> None:
    q = integers(low, high, 5, columns)
    scale = np.array([1e-6, 0.0173, 0.3, 1.0, 9e5], np.float32)[:, None]
    w = (scale * q).astype(np.float32)
    steps = symmetric_steps(w.astype(np.float64))
    np.testing.assert_allclose(steps, scale[:, 0], rtol=1e-6)
    np.testing.assert_array_equal(np.rint(w / steps[:, None]), q)


@pytest.mark.parametrize(("low", "high", "center"), [(0, 255, 128), (-200, 55, -72), (3, 200, 128)])
def test_uint8_weights_have_a_center(low: int, high: int, center: int) -> None:
    q = integers(low, high, 4, 17)
    if low > 1:
        q[..., 2] = low
    found = tensor_grid((np.float32(0.05) * q).astype(np.float64))
    assert found is not None
    assert found[0] == pytest.approx(0.05, rel=1e-6)
    assert found[1] == center
    assert (q - center).min() >= -128 and (q - center).max() <= 127


def test_reals_and_zeros_have_no_grid() -> None:
    w = np.random.default_rng(1).standard_normal((50, 17))
    assert not row_grids(w).step.any()
    assert not row_grids(np.zeros((2, 3))).step.any()
    assert tensor_grid(np.array([1.0, 0.4999])) is None


def test_a_row_whose_largest_elements_fit_a_coarse_grid_has_the_one_that_all_fit() -> None:
    """17 elements at the top say nothing: every Q makes integers of them."""
    q = np.full((2, 40), 100)
    q[:, 20:] = np.arange(1, 21)
    q[1, -1] = -99
    np.testing.assert_allclose(symmetric_steps(0.25 * q), 0.25)
    mixed = np.vstack([0.25 * q, np.random.default_rng(2).standard_normal((3000, 40))])
    assert np.nonzero(row_grids(mixed).step)[0].tolist() == [0, 1]
