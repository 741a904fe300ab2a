"""examples/mamba_motion: the committed model, without its recordings."""

import importlib.util
import re
import runpy
from pathlib import Path

import numpy as np
import onnx
import pytest

import emberc
from emberc.harness import test_build as run_build

EXAMPLE = Path(__file__).parents[2] / "examples" / "mamba_motion"
MODEL = EXAMPLE / "motion.onnx"


@pytest.fixture(scope="module")
def motion() -> dict[str, np.ndarray]:
    """Swings of different rates in place of recordings: [12, 1, 64, 6]."""
    rng = np.random.default_rng(4)
    rate, phase = rng.uniform(0.02, 0.3, (12, 1, 1, 6)), rng.uniform(0, 6.3, (12, 1, 1, 6))
    swing = 1.5 * np.sin(rate * np.arange(64)[:, None] + phase) + rng.normal(0, 0.1, (12, 1, 64, 6))
    return {"motion": swing.astype(np.float32)}


def test_the_committed_model_is_small_and_holds_no_trace_of_the_machine_it_was_made_on() -> None:
    raw = MODEL.read_bytes()
    assert len(raw) < 300_000
    for trace in (b"/home/", b"/root", b"/work", b"/tmp", b"site-packages", b".py"):
        assert trace not in raw
    model = onnx.load_from_string(raw)
    assert not any(weight.external_data for weight in model.graph.initializer)


def test_its_unrolled_scans_are_recovered_and_steps_are_exact(motion: dict[str, np.ndarray], tmp_path: Path) -> None:
    firmware = emberc.compile(MODEL, calibration=motion, target="host", streaming=True)
    assert firmware.report.ops["q.selective_scan"] == 2
    run = run_build(firmware.write(tmp_path / "firmware"), ["host"])[0]
    assert run.ok, run.error
    assert run.vectors == 48  # two sequences of 24 steps


def test_missing_data_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not imported: the module of another example has the same name.
    data = runpy.run_path(str(EXAMPLE / "data.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(data["DataMissingError"], match=re.escape("pip install --no-deps seglearn==1.2.5")):
        data["split"]()
