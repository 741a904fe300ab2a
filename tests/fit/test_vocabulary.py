"""--vocab: what is read, what is kept, and that the kept words answer as before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emberc
from emberc.errors import UsageError
from emberc.harness import test_build as run_build
from emberc.quant.vocabulary import load_vocabulary
from tests.fit.models import LENGTH, WORDS, words_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return words_model(tmp_path_factory.mktemp("model") / "words.onnx")


def compiled(model: Path, **options: Any) -> emberc.Firmware:
    ids = np.random.default_rng(1).integers(0, WORDS, (12, 1, LENGTH))
    return emberc.compile(model, calibration={"ids": ids}, **options)


def test_lists_and_corpora(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("# words\n7\n3  # three\n\n3\n12\n")
    np.savez(tmp_path / "b.npz", ids=np.array([[12, 3], [3, 3]]), unknown=7)
    for name in ("a.txt", "b.npz"):
        words = load_vocabulary(tmp_path / name)
        assert (words.keep.tolist(), words.unknown, words.other) == ([3, 7, 12], 7, 1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no token id"),
        ("# 1", "no token id"),
        ("1\nfive\n", "line 2 is 'five'"),
        ("-1", "line 1"),
        ("9" * 30, "line 1"),
    ],
)
def test_lists_that_are_refused(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(text)
    with pytest.raises(UsageError, match=reason):
        load_vocabulary(tmp_path / "v.txt")


def test_corpora_that_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.npz"
    for arrays, reason in (
        ({"ids": np.arange(3)}, "lacks an array"),
        ({"ids": np.ones(3), "unknown": 1}, "must be integers"),
        ({"ids": np.array([-4]), "unknown": 1}, "-4 is no token id"),
        ({"ids": np.array([{}]), "unknown": 1}, "not an .npz file of numbers"),
    ):
        np.savez(path, **arrays)
        with pytest.raises(UsageError, match=reason):
            load_vocabulary(path)
    path.write_bytes(b"PK nothing")
    with pytest.raises(UsageError, match="it is not an"):
        load_vocabulary(path)
    with pytest.raises(UsageError, match="No such file"):
        load_vocabulary(tmp_path / "none.txt")


def test_kept_words_answer_as_before_and_others_as_the_unknown(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "keep.txt"
    path.write_text("\n".join(["9", *map(str, range(0, WORDS, 3))]))
    whole, small = compiled(model), compiled(model, vocabulary=path)
    saved = whole.report.memory.flash.weights - small.report.memory.flash.weights
    assert saved > 32 * (WORDS * 2 // 3 - 2)
    assert any("of 500 words kept" in note for note in small.report.notes)
    kept, dropped = np.arange(0, 3 * LENGTH, 3)[None], np.arange(1, 3 * LENGTH, 3)[None]
    unknown = np.full((1, LENGTH), 9)
    error = np.abs(small.run({"ids": kept})["y"] - whole.run({"ids": kept})["y"]).max()
    # not equal: ranges are observed again, on other rows
    assert error < 0.1 * np.abs(whole.run({"ids": kept})["y"]).max()
    assert np.array_equal(small.run_integer({"ids": dropped})["y"], small.run_integer({"ids": unknown})["y"])
    with pytest.raises(UsageError, match="outside the table of 500 rows"):
        small.run({"ids": unknown + WORDS})
    (run,) = run_build(small.write(tmp_path / "build"), ["host"])
    assert run.error is None and run.mismatches == 0


def test_a_vocabulary_that_the_model_does_not_have(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "keep.txt"
    path.write_text(f"1\n{WORDS}\n")
    with pytest.raises(UsageError, match="id 500 lies outside the table of 500 rows"):
        compiled(model, vocabulary=path)


def test_fit_goes_on_from_the_kept_words(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "keep.txt"
    path.write_text("\n".join(map(str, range(300))))
    small = compiled(model, vocabulary=path)
    budget = small.report.memory.total - 3000
    fitted = compiled(model, vocabulary=path, budget=budget, fit=True)
    assert fitted.report.memory.total <= budget
    plan = tmp_path / "plan.json"
    plan.write_text(str(fitted.files["fit_plan.json"]))
    assert compiled(model, vocabulary=path, budget=budget, fit_plan=plan).files == fitted.files
    with pytest.raises(UsageError, match="sizes of"):
        compiled(model, fit_plan=plan)
