"""--fit from end to end on a small model: what it saves, what it writes, and the plans that are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emberc
from emberc.errors import FitError, UsageError
from emberc.firmware import Firmware
from emberc.fit import Choice, FitPlan
from emberc.frontend import model_hash
from emberc.harness import test_build as run_build
from emberc.passes import PassManager, default_pipeline
from emberc.passes.squeezable import squeezable
from emberc.quant.forms import parse_form
from tests.fit.models import LENGTH, WORDS, words_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return words_model(tmp_path_factory.mktemp("model") / "words.onnx")


def compiled(model: Path, **options: Any) -> Firmware:
    ids = np.random.default_rng(1).integers(0, WORDS, (12, 1, LENGTH))
    return emberc.compile(model, calibration={"ids": ids}, **options)


@pytest.fixture(scope="module")
def whole(model: Path) -> Firmware:
    """Everything int8."""
    return compiled(model)


@pytest.fixture(scope="module")
def fitted(model: Path, whole: Firmware) -> Firmware:
    """At a third of the weights less."""
    return compiled(model, budget=budget(whole), fit=True)


def budget(whole: Firmware) -> int:
    return whole.report.memory.total - whole.report.memory.flash.weights // 3


def test_it_fits_and_says_how(whole: Firmware, fitted: Firmware) -> None:
    memory, fit = fitted.report.memory, fitted.report.fit
    assert memory.total <= budget(whole) < whole.report.memory.total
    assert fit is not None and fit.choices and fit.loss > 0
    saved = sum(c["before"] - c["after"] for c in fit.choices)
    assert saved >= whole.report.memory.flash.weights - memory.flash.weights - 2000
    text = emberc.report.render(fitted.report)
    for c in fit.choices:
        assert f"{c['tensor']} {c['form']}" in text
    assert fitted.report.from_json(fitted.report.to_json()).fit == fit


def test_the_firmware_is_bit_exact(fitted: Firmware, tmp_path: Path) -> None:
    (run,) = run_build(fitted.write(tmp_path / "build"), ["host"])
    assert run.error is None and run.mismatches == 0 and run.vectors > 0


def test_the_plan_gives_the_same_bytes(model: Path, whole: Firmware, fitted: Firmware, tmp_path: Path) -> None:
    first = fitted.write(tmp_path / "first")
    again = compiled(model, budget=budget(whole), fit_plan=first / "fit_plan.json").write(tmp_path / "again")
    names = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    assert Path("fit_plan.json") in names
    for name in names:
        assert (first / name).read_bytes() == (again / name).read_bytes(), name


def test_what_fits_already_is_left_alone(model: Path, whole: Firmware) -> None:
    same = compiled(model, fit=True)
    assert same.report.fit is None and "fit_plan.json" not in same.files
    assert {**same.files} == {**whole.files}


def test_what_can_not_fit_says_how_small_it_gets(model: Path, whole: Firmware) -> None:
    ram = whole.report.memory.ram.total
    with pytest.raises(FitError, match="can't bring the total below") as caught:
        compiled(model, budget=ram + 2000, fit=True)
    assert caught.value.exit_code == 3
    assert "smallest form" in caught.value.render() and "--vocab" in caught.value.render()
    reached = int(caught.value.message.split("below ")[1].split(" bytes")[0].replace(",", ""))
    assert ram + 2000 < reached < whole.report.memory.total


@pytest.mark.parametrize(
    "names",
    [("rank8", "int4-g32", "cb3", "cb2"), ("cb2-g16", "rank12", "cb3-g32", "cb4"), ("cb3", "cb2", "rank7", "rank2")],
)
def test_every_form_of_every_kind_of_weight(names: tuple[str, ...], model: Path, tmp_path: Path) -> None:
    """Plans written by hand give firmware that is bit-exact."""
    module = emberc.import_model(model)
    PassManager(default_pipeline().before("factorize")).run(module)
    choices = []
    for w, name in zip(squeezable(module.main), names, strict=True):
        form = parse_form(name)
        choices.append(Choice(w.name, form, w.nbytes, form.stored_bytes(w.rows, w.columns), 0.0))
    path = tmp_path / "plan.json"
    path.write_text(FitPlan(model_hash(model), tuple(choices), 0.0).to_text())
    firmware = compiled(model, fit_plan=path)
    assert firmware.report.fit is not None and len(firmware.report.fit.choices) == 4
    (run,) = run_build(firmware.write(tmp_path / "build"), ["host"])
    assert run.error is None and run.mismatches == 0


def _edit(key: str, value: object) -> Callable[[Any], None]:
    return lambda plan: plan.__setitem__(key, value)


def _edit_choice(key: str, value: object) -> Callable[[Any], None]:
    return lambda plan: plan["choices"][0].__setitem__(key, value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_edit("model", "0" * 64), "made for another model"),
        (_edit("format", "emberc fit plan 9"), "its format is 'emberc fit plan 9'"),
        (_edit("choices", {}), "'choices' is no list"),
        (lambda plan: plan.pop("model"), "'model' is missing"),
        (lambda plan: plan["choices"].append(plan["choices"][0]), "is chosen twice"),
        (lambda plan: plan["choices"].append(7), "a choice is no object"),
        (_edit_choice("form", "cb9"), "'cb9' is not a form"),
        (_edit_choice("after", -1), "'after' is no number of bytes"),
        (_edit_choice("after", 12), "sizes of .* are wrong"),
        (_edit_choice("loss", float("nan")), "'loss' is no number"),
        (_edit_choice("tensor", "nobody"), "names a weight 'nobody'"),
        (_edit_choice("form", "rank9999"), "does not suit"),
    ],
)
def test_plans_that_are_refused(
    change: Callable[[Any], None], reason: str, model: Path, fitted: Firmware, tmp_path: Path
) -> None:
    plan = json.loads(fitted.files["fit_plan.json"])
    change(plan)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan))
    with pytest.raises(UsageError, match=reason) as caught:
        compiled(model, fit_plan=path)
    assert caught.value.code == "E-PLAN"


@pytest.mark.parametrize("text", ["", "{", "[]", "\0", "[" * 100_000])
def test_a_file_that_is_no_plan(text: str, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="not a fit plan"):
        compiled(model, fit_plan=path)
    with pytest.raises(UsageError, match="cannot read the plan"):
        compiled(model, fit_plan=tmp_path / "none.json")
