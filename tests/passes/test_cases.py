"""Every pass on text: what goes in, what must come out, and that both compute the same.

``pytest tests/passes --update-expect`` rewrites the expectations; read the diff before you commit it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emberc.ir.graph import Module
from emberc.ir.interpreter import run_function
from emberc.ir.printer import print_module
from emberc.ir.types import Array
from emberc.passes import PASSES, default_pipeline
from emberc.quant.calibration import synthetic_calibration
from tests.passes.case import FOLDER, Case, load, paths

SAMPLES = 3


def every_case(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.fixture(params=paths(), ids=every_case)
def case(request: pytest.FixtureRequest) -> Case:
    return load(request.param)


def test_text_in_text_out(case: Case, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-expect", default=False):
        case.update()
        case = load(case.path)
    result = case.result()
    assert print_module(result, case.path.with_suffix(".bin").name) == case.expected
    changed = print_module(case.module(), case.path.with_suffix(".bin").name) != case.expected
    assert changed != case.is_negative, "a case named not_* leaves the module alone, any other changes it"


def samples_of(module: Module) -> list[dict[str, Array]]:
    """Random inputs. Every mask lets a key in and leaves one out: float models differ where nothing is let in."""
    if any(v.type.dtype.is_integer and v.type.quant for v in module.main.inputs):
        return [integers(module, seed) for seed in range(SAMPLES)]
    samples = [dict(s) for s in synthetic_calibration(module.main, samples=SAMPLES).samples]
    for v in module.main.inputs:
        for sample in samples if v.name in ("m", "n", "mask") else []:
            mask = sample[v.name or ""].copy()
            mask[..., 0], mask[..., -1] = 1, 0
            sample[v.name or ""] = mask
    return samples


def outputs(module: Module, samples: list[dict[str, Array]]) -> list[dict[str, Array]]:
    return [run_function(module.main, s) for s in samples]


def integers(module: Module, seed: int) -> dict[str, Array]:
    """Random inputs of an integer module over the whole range of their types."""
    rng = np.random.default_rng(seed)
    return {
        v.name or "": rng.integers(*v.type.dtype.limits, v.shape, endpoint=True).astype(v.type.dtype.numpy)
        for v in module.main.inputs
    }


def test_the_meaning_stays(case: Case) -> None:
    """Float passes: equal within rounding. Integer passes: the same bits. (Quantizing changes it: tests/quant.)"""
    if "quantiz" in case.passes:
        return
    before, after = case.module(), case.result()
    samples = samples_of(before)
    for want, got in zip(outputs(before, samples), outputs(after, samples), strict=True):
        assert want.keys() == got.keys()
        for name in want:
            assert want[name].dtype == got[name].dtype
            if want[name].dtype.kind == "f":
                assert np.isfinite(want[name]).all(), "the case itself must give numbers"
                np.testing.assert_allclose(got[name], want[name], rtol=2e-5, atol=2e-5)
            else:
                np.testing.assert_array_equal(got[name], want[name])


def test_every_pass_of_the_pipeline_has_cases() -> None:
    folders = {p.name for p in FOLDER.iterdir() if any(p.glob("*.eir"))}
    assert set(default_pipeline().names()) <= folders
    assert folders <= set(PASSES), "a folder is named after its pass"


@pytest.mark.parametrize("name", sorted({p.parent.name for p in paths()} - {"quantize"}))
def test_every_pass_has_a_case_in_which_it_must_not_fire(name: str) -> None:
    assert any((FOLDER / name).glob("not_*.eir"))
