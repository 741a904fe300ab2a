"""Every form of a scan as firmware on the host and on three instruction sets: not one byte differs."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import emberc
from tests.e2e.everywhere import run_everywhere
from tests.e2e.journey import exact
from tests.e2e.test_families import decibels
from tests.frontend.models import model
from tests.frontend.test_loops import LOOP
from tests.passes.test_linear_attention import attention, convolution
from tests.zoo.family import family_model
from tests.zoo.measure import measured

#: form -> exporter
FORMS = {
    "mamba": "dynamo",
    "mamba_17": "ts",
    "mamba_causal": "ts",
    "mamba_base2": "ts",
    "mamba_base4": "ts",
    "mamba2": "dynamo",
    "mamba2_padded": "dynamo",
    "scan": "dynamo",
    "scan_while_loop": "dynamo",  # Loop that ends by a computed condition
    "scan_scripted": "ts",  # Loop of a fixed number of steps, whose rows are a sequence of tensors
    "scan_associative": "dynamo",
    "scan_unrolled": "dynamo",
    "scan_step": "ts",
}


@pytest.mark.slow
@pytest.mark.board
@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_bit_exact_everywhere(name: str, tmp_path: Path) -> None:
    family = family_model(name, FORMS[name])
    firmware = emberc.compile(family.path, calibration=family.samples)
    assert "q.selective_scan" in firmware.report.ops
    exact(list(run_everywhere(firmware, tmp_path).values()))


@pytest.mark.slow
@pytest.mark.board
def test_a_loop_with_rows_as_outputs_is_bit_exact_everywhere(tmp_path: Path) -> None:
    """The third kind of Loop: a fixed number of steps, each of which gives a row."""
    proto = model(LOOP.replace("[k]", "[5]"), 18, go=np.array(True), stop=9, steps=5)
    firmware = emberc.compile(proto)
    exact(list(run_everywhere(firmware, tmp_path).values()))


@pytest.mark.slow
@pytest.mark.board
@pytest.mark.parametrize("rule", ["linear", "gated", "delta", "gated_delta"])
def test_every_rule_of_linear_attention_is_bit_exact_everywhere(rule: str, tmp_path: Path) -> None:
    exact(list(run_everywhere(emberc.compile(attention(rule, steps=3)), tmp_path).values()))


@pytest.mark.slow
@pytest.mark.board
def test_the_convolution_with_state_is_bit_exact_everywhere(tmp_path: Path) -> None:
    firmware = emberc.compile(convolution("silu"))
    assert "q.causal_conv" in firmware.report.ops
    exact(list(run_everywhere(firmware, tmp_path).values()))


@cache
def timed(name: str, exporter: str) -> tuple[emberc.Firmware, float]:
    """A family's firmware for the Cortex-M4, and the processor seconds that it took."""
    family = family_model(name, exporter)
    start = time.process_time()
    firmware = emberc.compile(family.path, calibration=family.samples, target="cortex-m4")
    return firmware, time.process_time() - start


@pytest.mark.slow
@pytest.mark.board
@pytest.mark.parametrize(("name", "exporter"), [("mamba_2mb", "ts"), ("mamba_2mb_16", "dynamo")])
def test_the_2_mb_build_is_bit_exact_everywhere(name: str, exporter: str, tmp_path: Path) -> None:
    """At its 256 steps; shorter where the exporter, not the compiler, takes minutes for those."""
    firmware, _ = timed(name, exporter)
    assert firmware.report.ops["q.selective_scan"] == 5
    assert firmware.report.memory.total < 350_000 and firmware.report.memory.ram.total < 80_000
    assert decibels(firmware) >= 25
    exact(list(run_everywhere(firmware, tmp_path).values()))


@pytest.mark.slow
def test_compile_time_grows_no_faster_than_the_sequence() -> None:
    """16,000 nodes in a minute. Processor time, because others use the machine too; a quarter is their noise."""
    short, long = (timed(name, "ts")[1] for name in ("mamba_2mb_64", "mamba_2mb"))
    assert long < 60
    assert long < 1.25 * 4 * short


@pytest.mark.slow
@pytest.mark.board
def test_the_2_mb_build_a_step_a_call_is_bit_exact_everywhere(tmp_path: Path) -> None:
    family = family_model("mamba_2mb_64", "ts")
    firmware = emberc.compile(family.path, calibration=family.samples, target="cortex-m4", streaming=True)
    ram = firmware.report.memory.ram
    assert ram.state + ram.arena < 8_000
    exact(list(run_everywhere(firmware, tmp_path).values()), 48)


@pytest.mark.slow
@pytest.mark.board
def test_keyword_spotting_within_its_bounds_on_cortex_m4() -> None:
    """A sixth of the instructions and a tenth of the memory that a float peer takes for a block of this size."""
    cost = measured("mamba_keywords", "ts", "cortex-m4")
    assert cost.run.ok and cost.decibels >= 25
    assert cost.instructions_a_step < 65_000
    assert cost.run.ram_bytes is not None and cost.run.ram_bytes < 28_500
