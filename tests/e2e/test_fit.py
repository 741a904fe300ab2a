"""Real BERT-Tiny, its 30,522 words and all, in 2 MiB of flash, RAM, code and stack: from one command, bit-exact.
And every family of the zoo with all of its weights squeezed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import emberc
from emberc.cli.main import run
from emberc.driver import model_hash
from emberc.fit import Choice, FitPlan
from emberc.harness import test_build as run_build
from emberc.passes import PassManager, default_pipeline
from emberc.passes.squeezable import squeezable
from emberc.quant.forms import parse_form
from tests.e2e.journey import exact
from tests.zoo import zoo_model
from tests.zoo.family import family_model

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


FAMILIES = [
    "electra",
    "roberta",
    "nanobert",
    "convbert",
    "embbert",
    "gpt",
    "llama",
    "mobilebert",
    "t5",
    "lora",
    "mamba",
]
FORMS = ["cb3", "int4-g32", "rank2", "cb2-g16", "cb4", "cb2", "cb3-g32"]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_weight_of_every_family_squeezed(name: str, tmp_path: Path) -> None:
    """The forms in turn over all weights: no accuracy is left, but every bit is the reference's."""
    model = family_model(name, "dynamo")
    module = emberc.import_model(model.path)
    PassManager(default_pipeline().before("factorize")).run(module)
    choices = []
    for i, w in enumerate(squeezable(module.main)):
        form = parse_form(FORMS[i % len(FORMS)])
        form = form if form.fits(w.rows, w.columns) else parse_form("cb3")
        choices.append(Choice(w.name, form, w.nbytes, form.stored_bytes(w.rows, w.columns), 0.0))
    plan = tmp_path / "plan.json"
    plan.write_text(FitPlan(model_hash(model.path), tuple(choices), 0.0).to_text())
    firmware = emberc.compile(model.path, calibration=model.samples, fit_plan=plan)
    exact(run_build(firmware.write(tmp_path / "build"), ["host"]))
