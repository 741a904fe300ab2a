"""Calibration data: what is accepted, what is refused with which message, and how it is split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emberc.errors import CalibrationError
from emberc.quant.calibration import load_calibration, observe, synthetic_calibration
from tests.quant.modules import classifier, module

FUNCTION = classifier().main


def arrays(n: int = 4, **changes: Any) -> dict[str, Any]:
    """Good arrays for the classifier, some replaced; None takes one away."""
    rng = np.random.default_rng(0)
    good = {
        "input_ids": rng.integers(0, 5, (n, 1, 3)),
        "attention_mask": np.ones((n, 1, 3), np.int64),
        "features": rng.standard_normal((n, 1, 3, 2)).astype(np.float32),
    }
    return {k: v for k, v in {**good, **changes}.items() if v is not None}


def refused(source: Any) -> CalibrationError:
    with pytest.raises(CalibrationError) as e:
        load_calibration(source, FUNCTION)
    assert e.value.exit_code == 2
    return e.value


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"input_ids": None}, "the calibration data lacks input_ids"),
        ({"ids": np.zeros(4)}, "the calibration data has unknown ids"),
        ({"input_ids": None, "ids": 1}, "the calibration data lacks input_ids and has unknown ids"),
        ({"input_ids": np.zeros((4, 1, 5), int)}, "'input_ids' has shape [4, 1, 5], expected [samples, 1, 3]"),
        ({"input_ids": np.zeros(3, int)}, "'input_ids' has shape [3], expected [samples, 1, 3]"),
        ({"input_ids": 7}, "'input_ids' has shape [], expected [samples, 1, 3]"),
        (
            {"features": np.zeros((4, 1, 2, 3), np.float32)},
            "'features' has shape [4, 1, 2, 3], expected [samples, 1, 3, 2]",
        ),
        ({"input_ids": np.zeros((4, 1, 3))}, "'input_ids' holds float64, the input takes i64"),
        ({"features": np.zeros((4, 1, 3, 2), int)}, "'features' holds int64, the input takes f32"),
        ({"features": np.full((4, 1, 3, 2), "a")}, "'features' holds <U1, the input takes f32"),
        ({"features": [[1.0], [1.0, 2.0]]}, "'features' is not an array"),
        ({"input_ids": np.full((4, 1, 3), 2**63, np.uint64)}, "'input_ids' holds values outside i64"),
        ({"input_ids": np.full((4, 1, 3), 5)}, "'input_ids' holds 5, the table that it indexes has rows 0 .. 4"),
        ({"input_ids": np.full((4, 1, 3), -1)}, "'input_ids' holds -1, the table that it indexes has rows 0 .. 4"),
        ({"input_ids": np.zeros((3, 1, 3), int)}, "arrays hold different numbers of samples, or none"),
    ],
)
def test_bad_arrays_are_named_with_what_was_expected(changes: dict[str, Any], says: str) -> None:
    assert says in refused(arrays(**changes)).message


def test_the_first_sample_with_a_nan_is_named() -> None:
    for bad in (np.nan, np.inf, -np.inf):
        features = arrays()["features"]
        features[2, 0, 1, 1] = bad
        says = "calibration array 'features' holds NaN or infinity, first in sample 2"
        assert refused(arrays(features=features)).message == says


def test_no_samples_are_refused() -> None:
    assert "different numbers of samples, or none" in refused(arrays(0)).message


def test_ids_beyond_the_vocabulary_say_what_to_do() -> None:
    error = refused(arrays(input_ids=np.full((4, 1, 3), 30522)))
    assert error.at == "input 'input_ids'" and "vocabulary" in error.hints[0]


def test_an_index_that_is_computed_is_not_judged_by_its_input() -> None:
    """Positions counted from a mask: the mask itself may hold anything."""
    m = module(
        "%mask : i64[1, 3]",
        "%c = f.cumsum %mask {axis = 1} : i64[1, 3]",
        "%e = f.gather %table, %c : f32[1, 3, 1]",
        outs='%e as "e"',
        constants=("%table : f32[4, 1] = [0, 1, 2, 3]",),
    )
    load_calibration({"mask": np.array([[[9, -9, 0]]])}, m.main)


class TestFiles:
    def test_an_npz_is_read(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "c.npz", **arrays())
        data = load_calibration(tmp_path / "c.npz", FUNCTION)
        np.testing.assert_array_equal(data.samples[1]["features"], arrays()["features"][1])

    def test_a_missing_file(self, tmp_path: Path) -> None:
        assert refused(tmp_path / "no.npz").message == f"there is no file '{tmp_path / 'no.npz'}'"

    @pytest.mark.parametrize("kind", ["text", "empty", "npy", "cut", "flipped", "pickle"])
    def test_a_file_that_is_no_npz(self, tmp_path: Path, kind: str) -> None:
        path = tmp_path / "c.npz"
        np.savez_compressed(path, **arrays(200))
        whole = bytearray(path.read_bytes())
        if kind == "npy":
            with path.open("wb") as f:
                np.save(f, np.zeros(3))
        elif kind == "pickle":
            np.savez(path, **arrays(input_ids=np.array([{"a": 1}], object)))
        else:
            at = len(whole) // 2
            whole[at] ^= 0xFF
            path.write_bytes({"text": b"hello", "empty": b"", "cut": whole[:at], "flipped": whole}[kind])
        error = refused(path)
        assert "is not a readable .npz" in error.message and error.hints == ["write it with np.savez"]


def test_axes_of_one_may_be_left_out_and_types_are_the_model_s() -> None:
    data = load_calibration(
        arrays(input_ids=np.zeros((4, 3), np.uint8), attention_mask=np.ones((4, 3), bool)), FUNCTION
    )
    assert data.samples[0]["input_ids"].shape == (1, 3) and data.samples[0]["attention_mask"].dtype == np.int64


@pytest.mark.parametrize(("n", "kept", "held"), [(1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 3, 1), (17, 13, 4)])
def test_the_last_quarter_is_held_back(n: int, kept: int, held: int) -> None:
    data = load_calibration(arrays(n), FUNCTION)
    assert (len(data.samples), len(data.held)) == (kept, held) and not data.synthetic
    if n >= 4:
        np.testing.assert_array_equal(data.held[-1]["features"], arrays(n)["features"][-1])
        assert not any(h is s for h in data.held for s in data.samples)


def test_arrays_named_to_be_ignored_are() -> None:
    load_calibration(arrays(token_type_ids=np.zeros(4)), FUNCTION, ignore={"token_type_ids"})


def test_synthetic_data_fits_the_model() -> None:
    data = synthetic_calibration(FUNCTION, samples=6)
    assert data.synthetic
    for s in data.samples:
        assert s["input_ids"].min() >= 0 and s["input_ids"].max() < 5
        assert set(np.unique(s["attention_mask"])) <= {0, 1} and s["attention_mask"][..., 0].all()
    stacked = {k: np.stack([s[k] for s in data.samples]) for k in data.samples[0]}
    load_calibration(stacked, FUNCTION)
    again = synthetic_calibration(FUNCTION, samples=6)
    assert all(np.array_equal(a[k], b[k]) for a, b in zip(data.samples, again.samples, strict=True) for k in a)


def test_observing_sees_every_float_value_and_no_infinity() -> None:
    m = module(
        "%x : f32[3], %i : i64[3]", "%y = f.log %x : f32[3]", "%z = f.neg %y : f32[3]", outs='%z as "z", %i as "i"'
    )
    calls: list[tuple[int, int]] = []
    samples = tuple({"x": np.array([0.0, 1.0, k]), "i": np.zeros(3)} for k in (2.0, 4.0))
    stats = observe(m.main, samples, progress=lambda i, n: calls.append((i, n)))
    assert calls == [(1, 2), (2, 2)]
    x, i = m.main.inputs
    y, z = (op.result for op in m.main.ops)
    assert set(stats) == {id(x), id(y), id(z)} and id(i) not in stats
    assert (stats[id(x)].lo, stats[id(x)].hi) == (0.0, 4.0)
    assert (stats[id(y)].lo, stats[id(y)].hi) == (0.0, pytest.approx(np.log(4.0))), "log 0 says nothing about the range"
