"""Observers: exact histograms, and ranges that keep what their method promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emberc.errors import UsageError
from emberc.ir.types import DType
from emberc.quant.observers import BINS, METHODS, Statistics, choose_range
from emberc.quant.precision import SMALLEST_RANGE, affine, effective_range


def seen(*arrays: object) -> Statistics:
    stats = Statistics()
    for a in arrays:
        stats.add(np.asarray(a, np.float32))
    return stats


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.integers(-(10**6), 10**6), min_size=5, max_size=5), min_size=1, max_size=6))
def test_a_histogram_that_widens_loses_no_count(samples: list[list[int]]) -> None:
    stats = seen([1e-3] * 5, *samples)
    flat = np.asarray([[1e-3] * 5, *samples], np.float32)
    assert (stats.lo, stats.hi) == (flat.min(), flat.max())
    assert stats.counts.sum() == flat.size and stats.span >= np.abs(flat).max()
    assert stats.counts[stats.centers() > 0].sum() == (flat >= 0).sum(), "zero is an edge, however often it widens"


def test_doubling_merges_pairs_exactly() -> None:
    """Powers of two: every edge is exact, so the widened histogram equals one made over the final span."""
    values = (np.arange(-512, 512) + 0.5) / 512
    grown, direct = Statistics(span=1.0), Statistics(span=4.0)
    for stats in (grown, direct):
        stats.add(values)
        stats.add(values * 4)
    assert grown.span == 4
    np.testing.assert_array_equal(grown.counts, direct.counts)


def test_channels_keep_their_extremes() -> None:
    stats = seen([[1.0, -5.0], [2.0, 3.0]], [[-4.0, 0.0]])
    assert stats.channel_amax is not None
    np.testing.assert_array_equal(stats.channel_amax, [4.0, 5.0])
    assert seen(3.0).channel_amax is None


def test_empty_arrays_and_values_never_seen_have_a_range() -> None:
    assert choose_range(seen(np.zeros((0, 3))), "minmax", bits=8, symmetric=False) == (0.0, 0.0)
    for method in METHODS:
        assert choose_range(seen([0.0, 0.0]), method, bits=8, symmetric=True) == (0.0, 0.0)


def test_statistics_without_histogram_count_nothing() -> None:
    stats = Statistics(histogram=False)
    stats.add(np.array([1.0, -3.0], np.float32))
    assert (stats.lo, stats.hi, stats.span, stats.counts.sum()) == (-3.0, 1.0, 0.0, 0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("shift", [-3.0, 0.0, 3.0])
def test_every_range_holds_zero_and_stays_inside_what_was_seen(method: str, symmetric: bool, shift: float) -> None:
    x = np.random.default_rng(1).standard_normal(5000).astype(np.float32) * 0.5 + shift
    lo, hi = choose_range(seen(x), method, bits=8, symmetric=symmetric)
    assert lo <= 0 <= hi and lo < hi
    top = max(abs(min(x.min(), 0)), abs(max(x.max(), 0)))
    assert (-top <= lo and hi <= top) if symmetric else (min(x.min(), 0) <= lo and hi <= max(x.max(), 0))
    if symmetric:
        assert lo == -hi
    if method == "minmax" and not symmetric:
        assert (lo, hi) == (min(float(x.min()), 0.0), max(float(x.max()), 0.0))


@pytest.mark.parametrize("percentile", [90.0, 99.0, 99.99, 100.0])
def test_percentile_clips_the_share_that_it_says(percentile: float) -> None:
    x = np.random.default_rng(2).standard_normal(200_000).astype(np.float32)
    lo, hi = choose_range(seen(x), "percentile", bits=8, symmetric=False, percentile=percentile)
    outside = float(np.mean((x < lo) | (x > hi)))
    bins = 2 * 2 * float(np.abs(x).max()) / BINS  # an end may be off by a bin
    slack = float(np.mean((np.abs(x - lo) < bins) | (np.abs(x - hi) < bins)))
    assert abs(outside - (1 - percentile / 100)) <= slack + 1e-5


def loss(x: np.ndarray, lo: float, hi: float, bits: int) -> float:
    step = (hi - lo) / (2**bits - 1)
    return float(np.sum((lo + np.rint((np.clip(x, lo, hi) - lo) / step) * step - x) ** 2))


@pytest.mark.parametrize("seed", range(3))
def test_mse_loses_less_than_minmax_when_a_few_are_far_out(seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal(20_000).astype(np.float32)
    x[:4] *= 10
    wide, tight = (choose_range(seen(x), m, bits=4, symmetric=False) for m in ("minmax", "mse"))
    assert loss(x, *tight, 4) < 0.6 * loss(x, *wide, 4)
    for shrink in np.linspace(0.3, 1, 15):
        assert loss(x, *tight, 4) <= 1.01 * loss(x, wide[0] * shrink, wide[1] * shrink, 4), "the best of its kind"


def test_mse_keeps_the_whole_range_when_clipping_costs_more() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, 20_000).astype(np.float32)
    wide, tight = (choose_range(seen(x), m, bits=8, symmetric=False) for m in ("minmax", "mse"))
    assert tight == wide


def test_unknown_observers_and_shares_are_refused() -> None:
    with pytest.raises(UsageError, match="unknown observer 'median'") as e:
        choose_range(seen([1.0]), "median", bits=8, symmetric=False)
    assert e.value.hints == ["observers are: minmax, percentile, mse"]
    for share in (0.0, 50.0, 101.0, float("nan")):
        with pytest.raises(UsageError, match="is not above 50 and up to 100"):
            choose_range(seen([1.0]), "percentile", bits=8, symmetric=False, percentile=share)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.sampled_from([DType.I8, DType.I16]), st.booleans())
def test_affine_spans_the_range_and_is_exact_at_zero(a: float, width: float, dtype: DType, symmetric: bool) -> None:
    q = affine(a, a + width, dtype, symmetric=symmetric)
    lo, hi = dtype.limits
    assert lo <= q.zero_point <= hi and q.scale[0] > 0
    assert q.dequantize(np.array([q.zero_point]))[0] == 0
    ends = np.array([min(a, 0.0), max(a + width, 0.0)])
    if ends[1] - ends[0] < SMALLEST_RANGE:
        return
    back = q.dequantize(q.quantize(ends, dtype)).astype(np.float64)
    assert np.abs(back - ends).max() <= q.scale[0] * 1.001 + 1e-6 * np.abs(ends).max()


def test_effective_range_is_what_the_function_can_tell_apart() -> None:
    lo, hi = effective_range(np.tanh, -20.0, 20.0)
    assert -6 < lo < -2 and 2 < hi < 6
    np.testing.assert_allclose(effective_range(lambda x: np.maximum(x, 0), -20.0, 5.0), (0.0, 5.0), atol=0.05)
    assert effective_range(lambda x: x * 0, -1.0, 1.0) == (-1.0, 1.0)


def test_few_numbers_get_room_and_many_none() -> None:
    rng = np.random.default_rng(1)
    few, many = (seen(rng.standard_normal((n, 8))) for n in (16, 4096))
    assert many.room() == many.room(by_channel=True) == 1.0
    assert 1.2 < few.room() < few.room(by_channel=True)
    assert few.hi * few.room() > 3.2, "where the largest of 4096 normal numbers lies"
    assert Statistics().room() == 1.0, "nothing is known"
