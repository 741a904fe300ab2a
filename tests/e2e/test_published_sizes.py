"""The models of the field at the sizes that were published: what they take here; and a large one compiles at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import emberc
from emberc import harness
from tests.e2e.journey import exact
from tests.zoo import zoo_model
from tests.zoo.family import family_model

#: bytes of weights and activations in float32 that NanoBERT and BERT were scaled to (Bravin et al., 2025, "EmbBERT:
#: Attention Under 2 MB Memory"); EmbBERT's own have a test in ``test_families.py``
PUBLISHED = 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nanobert", "bert"])
def test_2_mb_builds_take_less_than_a_third(name: str, tmp_path: Path) -> None:
    model = family_model("nanobert_2mb") if name == "nanobert" else zoo_model("bert_2mb", length=256)
    firmware = emberc.compile(model.path, calibration=model.samples, target="cortex-m7", prefer="memory")
    exact(harness.test_build(firmware.write(tmp_path / "build"), ["host"]))
    assert firmware.report.memory.total < PUBLISHED / 3
    assert min(a.sqnr_db for a in firmware.report.accuracy.values()) >= 20


@pytest.mark.slow
def test_full_mobilebert_compiles_in_minutes_and_says_by_how_much_it_is_too_large(tmp_path: Path) -> None:
    """24 layers, 24.6 million parameters, L = 128. Processor time, because others may use the machine too."""
    model = family_model("mobilebert_full", "ts")
    np.savez(tmp_path / "calib.npz", **{name: array[:8] for name, array in model.samples.items()})
    command = [sys.executable, "-m", "emberc", "compile", str(model.path), "--calib", str(tmp_path / "calib.npz")]
    command += ["--target", "cortex-m7", "-o", str(tmp_path / "build")]
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds, peak = used.ru_utime + used.ru_stime, used.ru_maxrss * 1024
    print(f"full MobileBERT: {seconds:.0f} s of processor time, {peak / 1e6:.0f} MB")
    assert process.returncode == 0
    assert seconds < 300 and peak < 6e9
    report = json.loads((tmp_path / "build" / "report.json").read_text())
    memory = report["memory"]
    assert report["integer_only"] and not memory["fits"]
    excess = memory["total"] - memory["budget"]
    assert any(f"{excess:,} too many" in note for note in report["notes"])
    exact(harness.test_build(tmp_path / "build", ["host"]))
