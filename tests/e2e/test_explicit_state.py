"""Models exported as one step, with their state as inputs and outputs, as streaming firmware."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

import emberc
from emberc import harness
from emberc.ir.graph import Function
from emberc.ir.interpreter import run_function, run_steps
from emberc.ir.values import Value
from tests.e2e.journey import exact
from tests.e2e.step_models import CHANNELS, PAST, VOCABULARY, decoder, state_space
from tests.e2e.test_recurrent import recurrent

STEPS = 12


def unrolled(step: Function, count: int) -> Function:
    """``count`` steps in one function, each with the states that the one before left: x_0, x_1, .. in, y_0, .. out."""
    out = Function("main")
    types = {v.name: v.type for v in step.inputs}
    kept = {s.name: Value(types[s.name], s.name) for s in step.states}
    out.inputs += kept.values()
    for t in range(count):
        values = {id(v): kept.get(v.name or "") or Value(v.type, f"{v.name}_{t}") for v in step.inputs}
        out.inputs += [values[id(v)] for v in step.caller_inputs()]
        for op in step.ops:
            operands = [v if v is None or v.const is not None else values[id(v)] for v in op.operands]
            new = type(op).from_parts(operands, dict(op.attrs), [r.type for r in op.results], op.loc)
            values |= {id(old): r for old, r in zip(op.results, new.results, strict=True)}
            out.ops.append(new)
        out.outputs |= {f"{name}_{t}": values[id(v)] for name, v in step.caller_outputs().items()}
        kept = {s.name: values[id(step.outputs[s.after])] for s in step.states}
    return out


def steps_are_the_whole(step: Function, count: int = 5) -> None:
    """Call by call gives the bits of all calls in one function."""
    rng = np.random.default_rng(5)
    calls: list[dict[str, NDArray[Any]]] = []
    for _ in range(count):
        inputs = {}
        for v in step.caller_inputs():
            lo, hi = (0, 5) if v.type.quant is None else v.type.dtype.limits
            inputs[v.name or ""] = rng.integers(lo, hi, v.shape).astype(v.type.dtype.numpy)
        calls.append(inputs)
    types = {v.name: v.type for v in step.inputs}
    feeds = {f"{name}_{t}": a for t, inputs in enumerate(calls) for name, a in inputs.items()}
    feeds |= {s.name: s.first(types[s.name]) for s in step.states}
    want = run_function(unrolled(step, count), feeds)
    for t, answer in enumerate(run_steps(step, calls)):
        for name, array in answer.items():
            np.testing.assert_array_equal(array, want[f"{name}_{t}"])


@pytest.mark.parametrize(
    ("kind", "precision"),
    [
        ("LSTM", "int16"),
        ("GRU", "int8"),
        *(pytest.param(*both, marks=pytest.mark.slow) for both in (("LSTM", "int8"), ("GRU", "int16"))),
    ],
)
def test_cells(kind: str, precision: str, tmp_path: Path) -> None:
    """Nine frames a call, as the file has them; the calibration holds what the caller gives, and no states."""
    x = np.random.default_rng(2).normal(size=(8, STEPS, 9, 1, 5)).astype(np.float32)
    firmware = emberc.compile(recurrent(kind), {"x": x}, streaming=True, precision=precision, name="cell")
    step = firmware.module.main
    names = {"LSTM": ["h0", "c0"], "GRU": ["h0"]}[kind]
    assert [s.name for s in step.states] == names
    assert [v.name for v in step.caller_inputs()] == ["x"]
    assert list(step.caller_outputs()) == ["y"]
    types = {v.name: v.type for v in step.inputs}
    assert all(types[s.name] == step.outputs[s.after].type for s in step.states), "what goes out comes in as it is"
    assert [step.in_place(s) for s in step.states][-1], "the state that adds up is written where it was read"
    steps_are_the_whole(step)
    exact(harness.test_build(firmware.write(tmp_path / "build"), ["host"]), 2 * STEPS)
    assert firmware.report.accuracy["y"].sqnr_db > (35 if precision == "int8" else 40)


def decoder_inputs(sequences: int) -> dict[str, NDArray[Any]]:
    """Tokens, and masks that hide the rows of the cache that no step has filled."""
    ids = np.random.default_rng(3).integers(0, VOCABULARY, (sequences, STEPS, 1, 1))
    filled = [[int(row >= PAST - t) for row in range(PAST + 1)] for t in range(STEPS)]
    return {"ids": ids, "mask": np.broadcast_to(np.array(filled)[:, None], (sequences, STEPS, 1, PAST + 1))}


@pytest.mark.parametrize(("precision", "sqnr"), [("int8", 25), ("int16", 30)])
def test_a_decoder_with_past_keys_and_values(precision: str, sqnr: float, tmp_path: Path) -> None:
    """More steps than the cache has rows: the oldest leave. The mask is as good as it is in floats."""
    firmware = emberc.compile(decoder(), decoder_inputs(8), streaming=True, precision=precision, name="gpt")
    step = firmware.module.main
    assert [(s.name, s.after) for s in step.states] == [("past_key", "key"), ("past_value", "value")]
    assert [v.name for v in step.caller_inputs()] == ["ids", "mask"]
    steps_are_the_whole(step)
    exact(harness.test_build(firmware.write(tmp_path / "build"), ["host"]), 2 * STEPS)
    assert firmware.report.accuracy["logits"].sqnr_db > sqnr
    caches = [v.type for v in step.inputs if v.name in ("past_key", "past_value")]
    assert firmware.report.memory.ram.state == sum(t.nbytes for t in caches), "once, with the rows of the step itself"
    assert [t.shape[2] for t in caches] == [PAST + 1] * 2
    types = {v.name: v.type for v in step.inputs}
    for s in step.states:
        (zero,) = {int(n) for n in s.first(types[s.name]).flat}
        assert zero == types[s.name].quant.zero_point, "a sequence begins with zeros, as its calibration did"


@pytest.mark.parametrize(("precision", "sqnr"), [("int8", 25), ("int16", 27)])
def test_one_step_of_a_selective_scan(precision: str, sqnr: float, tmp_path: Path) -> None:
    x = np.random.default_rng(4).normal(size=(8, STEPS, 1, 1, CHANNELS)).astype(np.float32)
    firmware = emberc.compile(state_space(), {"x": x}, streaming=True, precision=precision, name="ssm")
    step = firmware.module.main
    assert {s.name: s.after for s in step.states} == {
        "conv_state": "conv_state_out",
        "ssm_state": "ssm_state_out",
    }
    assert "q.selective_scan" in {op.opcode for op in step.ops}
    assert step.in_place(next(s for s in step.states if s.name == "ssm_state"))
    steps_are_the_whole(step)
    exact(harness.test_build(firmware.write(tmp_path / "build"), ["host"]), 2 * STEPS)
    assert firmware.report.accuracy["y"].sqnr_db > sqnr


MODELS: dict[str, Callable[[], tuple[onnx.ModelProto, dict[str, NDArray[Any]]]]] = {
    "cell": lambda: (recurrent("LSTM"), {"x": _rows(9, 1, 5)}),
    "gpt": lambda: (decoder(), decoder_inputs(8)),
    "ssm": lambda: (state_space(), {"x": _rows(1, 1, CHANNELS)}),
}


def _rows(*shape: int) -> NDArray[Any]:
    return np.random.default_rng(4).normal(size=(8, STEPS, *shape)).astype(np.float32)


@pytest.mark.board
@pytest.mark.parametrize("name", ["ssm", *(pytest.param(n, marks=pytest.mark.slow) for n in ("cell", "gpt"))])
def test_steps_run_on_the_boards(name: str, tmp_path: Path) -> None:
    """The state goes from vector to vector on the board, and begins anew with a sequence."""
    model, calibration = MODELS[name]()
    firmware = emberc.compile(model, calibration, streaming=True, target="cortex-m4", name=name)
    targets = ["host", "cortex-m4", "cortex-m55", "rv32"]
    exact(harness.test_build(firmware.write(tmp_path / "build"), targets), 2 * STEPS)


def test_a_budget_counts_the_state() -> None:
    model, calibration = MODELS["ssm"]()
    with pytest.raises(emberc.EmberError) as raised:
        emberc.compile(model, calibration, streaming=True, ram=600)
    assert raised.value.code == "E-FIT"
    assert "state 192" in raised.value.render()
    assert "the largest state is ssm_state (128 bytes)" in raised.value.render()


@pytest.mark.slow
def test_squeezed_weights_stream(tmp_path: Path) -> None:
    """--fit measures forms on the steps of the rolled sequences, with their states."""
    model, inputs = state_space(channels=96), {"x": _rows(1, 1, 96)}
    whole = emberc.compile(model, inputs, streaming=True, target="cortex-m4", name="ssm")
    limit = whole.report.memory.flash.total - 6000
    fitted = emberc.compile(model, inputs, streaming=True, target="cortex-m4", name="ssm", fit=True, flash=limit)
    assert fitted.report.memory.flash.total <= limit
    assert fitted.report.fit is not None
    exact(harness.test_build(fitted.write(tmp_path / "build"), ["host"]), 2 * STEPS)


def test_states_span_all_that_was_seen() -> None:
    """Whatever observer clips other values: what a state loses, it loses at every step."""
    model, calibration = MODELS["gpt"]()
    made = [emberc.compile(model, calibration, streaming=True, observer=o) for o in ("minmax", "mse")]
    types = [{v.name: v.type for v in f.module.main.inputs} for f in made]
    assert types[0] == types[1]


def test_names_without_streaming_are_refused() -> None:
    with pytest.raises(emberc.EmberError, match="not to stream"):
        emberc.compile(decoder(), decoder_inputs(1), states={"past_key": "key"})
