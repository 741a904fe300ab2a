"""A transformer whose mask can't be folded is refused, with the node and the way out, and is not compiled to noise."""

import numpy as np
import pytest

import emberc
from emberc.errors import UnsupportedError
from tests.frontend.models import model

SCORES = """(float[4,8] x, float[4] m) => (float[4,8] y) {
    q = MatMul (x, wq)  k = MatMul (x, wk)  kt = Transpose <perm = [1, 0]> (k)  s = MatMul (q, kt)
    i = Sub (one, m)  l = Mul (i, never)  [masked] t = Add (s, l)
    [weights] p = Softmax <axis = 1> (t)  y = MatMul (p, x) }"""


def compiled(never: float, inputs: tuple[str, ...] = ("x", "m"), **options: object) -> emberc.Firmware:
    """Attention over 4 rows whose mask is an input of reals, 1 or 0."""
    rng = np.random.default_rng(0)
    wq, wk = rng.standard_normal((2, 8, 8))
    samples = {"x": rng.standard_normal((8, 4, 8)).astype(np.float32), "m": np.ones((8, 4), np.float32)}
    samples["m"][::2, 2:] = 0
    proto = model(SCORES, wq=wq, wk=wk, one=1.0, never=never)
    return emberc.compile(proto, calibration={name: samples[name] for name in inputs}, **options)


@pytest.mark.parametrize("never", [-1e4, -1e30, float(np.finfo(np.float32).min)])
def test_a_mask_of_reals_is_refused(never: float) -> None:
    with pytest.raises(UnsupportedError, match="a mask inside that is not recognised") as e:
        compiled(never)
    assert "weights" in e.value.at and "'masked'" in e.value.details[0]
    assert any("integer or boolean input" in h for h in e.value.hints)
    assert any("--fix" in h for h in e.value.hints)


def test_a_mask_times_infinity_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="infinity outside a mask that is recognised"):
        compiled(-np.inf)


def test_the_way_out_is_one() -> None:
    firmware = compiled(-1e30, ("x",), fix={"m": 1.0})
    assert min(a.sqnr_db or 0 for a in firmware.report.accuracy.values()) >= 20
