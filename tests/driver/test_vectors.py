"""Golden vectors of the caller's choice."""

import json
from pathlib import Path

import numpy as np
import pytest

import emberc
from emberc.errors import UsageError
from emberc.firmware import Reference, integer_inputs
from emberc.ir.interpreter import run_function
from tests.zoo import ZooModel, zoo_model


@pytest.fixture(scope="module")
def model() -> ZooModel:
    return zoo_model("bert_small_for_tests", exporter="ts", opset=17)


def test_chosen_vectors_take_the_place_of_held_back_samples(model: ZooModel, tmp_path: Path) -> None:
    chosen = {name: array[:7] for name, array in model.samples.items()}
    firmware = emberc.compile(model.path, calibration=model.samples, vectors=chosen)
    firmware.write(tmp_path / "build")
    assert json.loads((tmp_path / "build" / "manifest.json").read_text())["vectors"] == 7


@pytest.mark.parametrize("masks", [0, 2])
def test_vectors_that_do_not_match_are_refused(model: ZooModel, masks: int) -> None:
    chosen = {"input_ids": model.samples["input_ids"][:3], "attention_mask": np.ones((masks, 8), np.int64)}
    with pytest.raises(UsageError, match="different numbers of samples, or none"):
        emberc.compile(model.path, calibration=model.samples, vectors=chosen)


def test_a_reference_answers_each_sample_once(model: ZooModel, monkeypatch: pytest.MonkeyPatch) -> None:
    main = emberc.compile(model.path, calibration=model.samples).module.main
    runs: list[object] = []
    monkeypatch.setattr("emberc.firmware.run_function", lambda f, x: runs.append(x) or run_function(f, x))
    reference, one, two = Reference(main), model.sample(0), model.sample(1)
    answers = [reference(s) for s in (one, two, one)]
    assert len(runs) == 2
    assert answers[0] is answers[2]
    np.testing.assert_equal(answers[1], run_function(main, integer_inputs(main, two)))
