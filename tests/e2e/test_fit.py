"""Real BERT-Tiny, its 30,522 words and all, in 2 MiB of flash, RAM, code and stack: from one command, bit-exact."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from emberc.cli.main import run
from emberc.harness import test_build as run_build
from tests.e2e.journey import exact
from tests.zoo import zoo_model

pytestmark = [pytest.mark.slow, pytest.mark.board]

BUDGET = 2 * 1024 * 1024


@pytest.mark.parametrize("exporter", ["ts", "dynamo"])
def test_bert_tiny_in_2_mib(exporter: str, tmp_path: Path) -> None:
    model = zoo_model("bert_tiny", exporter=exporter, length=128)
    np.savez(tmp_path / "calib.npz", **model.samples)
    command = ["compile", str(model.path), "--calib", str(tmp_path / "calib.npz"), "--target", "cortex-m7"]
    assert run([*command, "--budget", "2MiB", "--fit", "-o", str(tmp_path / "build")]) == 0
    report = json.loads((tmp_path / "build" / "report.json").read_text())
    memory = report["memory"]
    assert memory["total"] <= BUDGET and memory["flash"]["code"] and memory["ram"]["stack"]
    assert report["fit"]["choices"] and not any("vocabulary" in note for note in report["notes"])
    exact(run_build(tmp_path / "build", ["host", "cortex-m7"]))
    assert run([*command, "--plan", str(tmp_path / "build" / "fit_plan.json"), "--budget", "2MiB", "-o",
                str(tmp_path / "again")]) == 0  # fmt: skip
    for path in (tmp_path / "again").rglob("*.[ch]"):
        assert path.read_bytes() == (tmp_path / "build" / path.relative_to(tmp_path / "again")).read_bytes()
