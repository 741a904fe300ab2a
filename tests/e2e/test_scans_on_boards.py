"""Every form of a scan as firmware on the host and on three instruction sets: not one byte differs."""

from __future__ import annotations

from pathlib import Path

import pytest

import emberc
from emberc import harness
from tests.e2e.journey import exact
from tests.zoo.family import family_model

TARGETS = ["host", "cortex-m4", "cortex-m55", "rv32"]

#: form -> exporter
FORMS = {
    "mamba": "dynamo",
    "mamba_causal": "ts",
    "mamba_base2": "ts",
    "mamba_base4": "ts",
    "mamba2": "dynamo",
    "mamba2_padded": "dynamo",
    "scan": "dynamo",
    "scan_while_loop": "dynamo",
    "scan_scripted": "ts",
    "scan_associative": "dynamo",
    "scan_unrolled": "dynamo",
    "scan_step": "ts",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_bit_exact_everywhere(name: str, tmp_path: Path) -> None:
    model = family_model(name, FORMS[name])
    for target in TARGETS[1:]:  # each with the kernels of its own core
        firmware = emberc.compile(model.path, calibration=model.samples, target=target)
        exact(harness.test_build(firmware.write(tmp_path / target), ["host", target]))
        assert any(code == "q.selective_scan" for code in firmware.report.ops)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS[1:])
def test_the_2_mb_build_is_bit_exact_everywhere(target: str, tmp_path: Path) -> None:
    model = family_model("mamba_2mb", "ts")
    firmware = emberc.compile(model.path, calibration=model.samples, target=target)
    exact(harness.test_build(firmware.write(tmp_path / "build"), ["host", target]))
    assert firmware.report.memory.total < 350_000
