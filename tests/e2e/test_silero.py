"""Silero VAD, a trained voice detector: spectrum by convolution, four convolutions, an LSTM with the caller's state.

Files that switch on the sample rate at run time (``If`` over an input) get it fixed. Probabilities are compared with
onnxruntime's over whole streams, so that errors of the state have all the time to add up.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

import emberc
from emberc import harness
from tests.e2e.journey import EVERYWHERE, exact
from tests.e2e.packages import package_file
from tests.e2e.speech import Sound, frames, noise, speech

pytestmark = pytest.mark.slow

PACKAGE = "silero-vad"
SHAPES = {"input": (1, 576), "state": (2, 1, 128)}
FILES = ["half", "16k_op15", "openvino_16k", "op18_ifless"]
START = np.zeros(SHAPES["state"], np.float32)


def sample_rate(inputs: list[str]) -> dict[str, NDArray[Any]]:
    """The input that some of the files have."""
    return {"sr": np.array(16000, np.int64)} if "sr" in inputs else {}


def run_floats(path: Path, sound: Sound) -> Iterator[tuple[dict[str, NDArray[Any]], float]]:
    """What each frame of a stream gives to the model, and onnxruntime's probability."""
    session = onnxruntime.InferenceSession(path)
    rate = sample_rate([i.name for i in session.get_inputs()])
    state = START
    for frame in frames(sound):
        feeds = {"input": frame[None], "state": state}
        probability, state = session.run(None, {**feeds, **rate})
        yield feeds, float(probability.item())


def calibration(path: Path) -> dict[str, NDArray[Any]]:
    feeds = [f for s in (speech(12, 1), speech(12, 2), noise(8, 3)) for f, _ in run_floats(path, s)]
    return {name: np.stack([f[name] for f in feeds]) for name in SHAPES}


def probabilities(firmware: emberc.Firmware, sound: Sound) -> NDArray[np.float64]:
    """The firmware's, its state going from frame to frame."""
    state, found = START, []
    for frame in frames(sound):
        out = firmware.run({"input": frame[None], "state": state})
        state = out["stateN"]
        found.append(float(out["output"].item()))
    return np.array(found)


@pytest.mark.parametrize(
    ("name", "precision", "mean", "agreement"),
    [*((name, "int16", 0.005, 0.99) for name in FILES), (FILES[0], "int8", 0.03, 0.97)],
)
def test_finds_speech_as_the_floats_do(
    name: str, precision: str, mean: float, agreement: float, tmp_path: Path
) -> None:
    path = package_file(PACKAGE, f"silero_vad_{name}.onnx")
    fixed = sample_rate([i.name for i in onnxruntime.InferenceSession(path).get_inputs()])
    firmware = emberc.compile(
        path, calibration=calibration(path), target="cortex-m7", shapes=SHAPES, precision=precision, fix=fixed
    )
    boards = EVERYWHERE if name == FILES[0] else ["host"]
    exact(harness.test_build(firmware.write(tmp_path / "build"), boards))
    assert firmware.report.integer_only
    cells = [op.opcode for op in firmware.module.main.ops].count("q.lstm")
    assert cells == (name != "op18_ifless"), "that file spells its cell out, all others have an LSTM node"
    for sound, spoken in ((speech(8, 11), True), (noise(8, 12), False)):
        want = np.array([p for _, p in run_floats(path, sound)])
        assert (np.mean(want > 0.5) > 0.5) == spoken, "the synthesised speech must be speech to the floats"
        got = probabilities(firmware, sound)
        assert np.abs(got - want).mean() <= mean
        assert np.mean((got > 0.5) == (want > 0.5)) >= agreement


@pytest.mark.parametrize(
    ("name", "precision", "mean", "agreement"),
    [("half", "int16", 0.005, 0.99), ("op18_ifless", "int16", 0.005, 0.99), ("half", "int8", 0.05, 0.97)],
)
def test_streams_with_its_state_in_the_context(
    name: str, precision: str, mean: float, agreement: float, tmp_path: Path
) -> None:
    """The caller gives frames alone; h and c, which the file packs into one tensor, have scales of their own."""
    path = package_file(PACKAGE, f"silero_vad_{name}.onnx")
    fixed = sample_rate([i.name for i in onnxruntime.InferenceSession(path).get_inputs()])
    sounds = [frames(s) for s in (speech(12, 1), noise(8, 3), speech(12, 2))]
    shortest = min(map(len, sounds))
    firmware = emberc.compile(
        path,
        calibration={"input": np.stack([s[:shortest] for s in sounds])},
        shapes=SHAPES,
        precision=precision,
        fix=fixed,
        streaming=True,
    )
    step = firmware.module.main
    assert [v.name for v in step.caller_inputs()] == ["input"]
    assert list(step.caller_outputs()) == ["output"]
    assert [v.shape for v in step.inputs[1:]] == [(1, 1, 128)] * 2
    exact(harness.test_build(firmware.write(tmp_path / "build"), ["host"]))
    for sound, spoken in ((speech(8, 11), True), (noise(8, 12), False)):
        want = np.array([p for _, p in run_floats(path, sound)])
        assert (np.mean(want > 0.5) > 0.5) == spoken
        got = np.array([a["output"].item() for a in firmware.run_steps({"input": f[None]} for f in frames(sound))])
        assert np.abs(got - want).mean() <= mean
        assert np.mean((got > 0.5) == (want > 0.5)) >= agreement


def test_a_sequence_of_frames_in_one_run(tmp_path: Path) -> None:
    """The file for whole recordings: the LSTM loops over the frames inside its kernel."""
    path = package_file(PACKAGE, "silero_vad_16k_sequence.onnx")
    count = 16
    rows = np.concatenate([frames(s) for s in (speech(12, 1), speech(12, 2), noise(8, 3))])
    chunks = rows[: len(rows) // count * count].reshape(-1, count, 576)
    zeros = np.zeros((len(chunks), 1, 1, 128), np.float32)
    firmware = emberc.compile(
        path,
        calibration={"input": chunks, "h": zeros, "c": zeros},
        target="host",
        shapes={"input": (count, 576)},
        precision="int16",
    )
    exact(harness.test_build(firmware.write(tmp_path / "build"), ["host"]))
    session = onnxruntime.InferenceSession(path)
    for first in (0, 60):
        feeds = {"input": frames(speech(8, 11))[first : first + count], "h": zeros[0], "c": zeros[0]}
        want, *_ = session.run(None, feeds)
        got = firmware.run(feeds)["speech_probs"]
        assert np.abs(got - want).mean() <= 0.03
