"""Packed states come apart, with their calibration; an LSTM's h is kept as its products read it."""

from __future__ import annotations

import numpy as np
import pytest

from emberc.frontend import import_model
from emberc.frontend.states import pair_states
from emberc.ir.graph import Module
from emberc.ir.interpreter import run_steps
from emberc.passes.explicit_states import prepare_states
from emberc.quant.calibration import CalibrationData
from tests.e2e.test_recurrent import STEPS, WIDTH, recurrent
from tests.quant.modules import module

X = np.random.default_rng(0).normal(size=(4, 1, 3)).astype(np.float32)


def packed(*, whole: bool = False) -> Module:
    """h' = tanh(h + x), c' = c + h' in one tensor [2, 3]; ``whole``: y is all of it instead of c'."""
    m = module(
        "%x : f32[1, 3], %s : f32[2, 3]",
        "%h = f.slice %s {starts = [0], ends = [1], axes = [0], steps = [1]} : f32[1, 3]",
        "%c = f.slice %s {starts = [1], ends = [2], axes = [0], steps = [1]} : f32[1, 3]",
        "%a = f.add %h, %x : f32[1, 3]",
        "%h1 = f.tanh %a : f32[1, 3]",
        "%c1 = f.add %c, %h1 : f32[1, 3]",
        "%s1 = f.concat %h1, %c1 {axis = 0} : f32[2, 3]",
        "%t = f.exp %s : f32[2, 3]",
        outs='%s1 as "s1", ' + ("%t" if whole else "%c1") + ' as "y"',
    )
    m.main.states = pair_states(m.main, {"s": "s1"})
    sample = {"x": X[0], "s": np.arange(6, dtype=np.float32).reshape(2, 3)}
    m.calibration = CalibrationData((sample,), (sample,), sequences=(1,))
    return m


def answers(m: Module) -> list[np.ndarray]:
    return [a["y"] for a in run_steps(m.main, [{"x": x} for x in X])]


def test_a_packed_state_comes_apart() -> None:
    want = answers(packed())
    m = packed()
    prepare_states(m)
    assert [(s.name, s.after) for s in m.main.states] == [("s_0", "s1_0"), ("s_1", "s1_1")]
    assert [v.name for v in m.main.inputs] == ["x", "s_0", "s_1"]
    assert list(m.main.outputs) == ["y", "s1_0", "s1_1"]
    np.testing.assert_array_equal(answers(m), want)
    assert isinstance(m.calibration, CalibrationData)
    assert m.calibration.samples[0]["s_1"].tolist() == [[3, 4, 5]]
    assert "s" not in m.calibration.held[0]


def test_a_state_that_is_read_whole_stays() -> None:
    m = packed(whole=True)
    prepare_states(m)
    assert [s.name for s in m.main.states] == ["s"]
    np.testing.assert_array_equal(answers(m), answers(packed(whole=True)))


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_the_h_of_an_lstm_is_its_own(direction: str) -> None:
    m = import_model(recurrent("LSTM", direction=direction))
    m.main.states = pair_states(m.main, {})
    x = np.random.default_rng(1).normal(size=(3, STEPS, 1, WIDTH)).astype(np.float32)
    want = [a["y"] for a in run_steps(m.main, [{"x": f} for f in x])]
    prepare_states(m)
    h = m.main.outputs["h"].producer
    assert h is not None and h.operands[0] is not None
    assert h.operands[0].producer is not None
    assert h.operands[0] is h.operands[0].producer.results[2]
    for got, expected in zip(run_steps(m.main, [{"x": f} for f in x]), want, strict=True):
        np.testing.assert_array_equal(got["y"], expected)
