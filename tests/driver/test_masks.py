"""Attention whose mask is a float input: read as a mask where the samples show one, else refused with a way out."""

import numpy as np
import pytest

import emberc
from emberc.errors import CalibrationError, UnsupportedError
from tests.frontend.models import Arrays, model

SCORES = """(float[4,8] x, float[4] m) => (float[4,8] y) {
    q = MatMul (x, wq)  k = MatMul (x, wk)  kt = Transpose <perm = [1, 0]> (k)  s = MatMul (q, kt)
    %s
    [weights] p = Softmax <axis = 1> (t)  y = MatMul (p, x) }"""
SPELLINGS = {
    "one minus": "i = Sub (one, m)  l = Mul (i, never)  [masked] t = Add (s, l)",
    "minus one": "i = Sub (m, one)  l = Mul (i, huge)  t = Add (s, l)",
    "subtracted": "i = Sub (one, m)  l = Mul (i, huge)  t = Sub (s, l)",
    "logarithm": "l = Log (m)  t = Add (s, l)",
    "safe logarithm": "e = Add (m, tiny)  l = Log (e)  t = Add (s, l)",
}


def compiled(text: str, mask: object, inputs: tuple[str, ...] = ("x", "m"), **options: object) -> emberc.Firmware:
    """Attention over 4 rows; ``mask`` is [16, 4], one row a sample."""
    rng = np.random.default_rng(0)
    wq, wk = rng.standard_normal((2, 8, 8))
    samples: Arrays = {"x": rng.standard_normal((16, 4, 8)).astype(np.float32), "m": np.asarray(mask, np.float32)}
    never = options.pop("never", -1e30)
    proto = model(SCORES % text, wq=wq, wk=wk, one=1.0, never=never, huge=1e30, tiny=1e-45)
    return emberc.compile(proto, calibration={name: samples[name] for name in inputs}, target="host", **options)


def decibels(firmware: emberc.Firmware) -> float:
    return min(a.sqnr_db or 0 for a in firmware.report.accuracy.values())


def flags() -> np.ndarray:
    """A mask that leaves the last two keys out of every second sample."""
    m = np.ones((16, 4))
    m[::2, 2:] = 0
    return m


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_input_of_zeros_and_ones_is_a_mask(spelling: str) -> None:
    firmware = compiled(SPELLINGS[spelling], flags())
    assert decibels(firmware) >= 25
    assert firmware.report.ops["q.where"] == 1
    assert any("input 'm' is 0 or 1 in every sample: a mask" in note for note in firmware.report.notes)


@pytest.mark.parametrize("never", [-1e4, -1e9, float(np.finfo(np.float32).min)])
def test_an_input_that_is_added_is_a_mask(never: float) -> None:
    assert decibels(compiled("t = Add (s, m)", np.where(flags() > 0, 0, never))) >= 25


@pytest.mark.parametrize("spelling", ["logarithm", "safe logarithm"])
def test_the_logarithm_of_reals_weights_the_keys(spelling: str) -> None:
    """Zeros among them hide their keys, in whichever sample they are."""
    weights = np.random.default_rng(1).uniform(0.01, 1, (16, 4)) * np.where(np.arange(16) % 3 == 0, flags().T, 1).T
    assert decibels(compiled(SPELLINGS[spelling], weights)) >= 22


@pytest.mark.parametrize("never", [-1e4, -1e30, float(np.finfo(np.float32).min)])
def test_a_mask_of_reals_is_refused(never: float) -> None:
    with pytest.raises(UnsupportedError, match="the mask inside is not recognised") as e:
        compiled(SPELLINGS["one minus"], 0.9 * flags(), never=never)
    assert "weights" in e.value.at and "node 'masked'" in e.value.details[0]
    assert any("integer or boolean input" in h for h in e.value.hints)
    assert any("--fix" in h for h in e.value.hints)


def test_scores_that_are_large_without_a_mask_are_refused_as_such() -> None:
    with pytest.raises(UnsupportedError, match="could not tell them apart") as e:
        compiled("[scaled] t = Mul (s, huge)", flags(), ("x",), fix={"m": 1.0})
    assert "weights" in e.value.at and "node 'scaled'" in e.value.details[0]
    assert "mask" not in str(e.value) and any("scale the scores down" in h for h in e.value.hints)


def test_a_mask_times_infinity_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="infinity outside a mask that is recognised"):
        compiled(SPELLINGS["one minus"], 0.9 * flags(), never=-np.inf)


def test_infinity_in_the_samples_of_a_mask_is_refused_with_the_way_out() -> None:
    with pytest.raises(CalibrationError, match="infinity") as e:
        compiled("t = Add (s, m)", np.where(flags() > 0, 0, -np.inf))
    assert any("-1e9" in h for h in e.value.hints)


def test_the_way_out_is_one() -> None:
    assert decibels(compiled(SPELLINGS["one minus"], flags(), ("x",), fix={"m": 1.0})) >= 20
