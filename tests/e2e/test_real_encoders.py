"""The BERTs of the field at their real sizes: bit-exact, inside their memory, compiled in seconds."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.journey import BOARDS, EVERYWHERE, compile_zoo, exact
from tests.zoo import zoo_model

pytestmark = [pytest.mark.slow, pytest.mark.board]

EXPORTERS = ["ts", "dynamo"]


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("length", [128, 256])
def test_bert_2mb_classifier(exporter: str, length: int, tmp_path: Path) -> None:
    journey = compile_zoo("bert_2mb", tmp_path, exporter=exporter, length=length)
    exact(journey.run(EVERYWHERE if length == 128 else ["host", "cortex-m4", "cortex-m55", "rv32"]))
    memory = journey.firmware.report.memory
    assert memory.total < 600_000 and memory.arena_proved


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_bert_2mb_masked_language_model(exporter: str, tmp_path: Path) -> None:
    journey = compile_zoo("bert_2mb", tmp_path, exporter=exporter, length=128, head="mlm")
    exact(journey.fits(["host", "cortex-m7", "rv32"]))


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("length", [32, 128])
def test_bert_tiny_classifier(exporter: str, length: int, tmp_path: Path) -> None:
    zoo_model("bert_tiny", exporter=exporter, length=length)  # its export is not the compiler's time
    start = time.process_time()
    journey = compile_zoo("bert_tiny", tmp_path, exporter=exporter, length=length)
    assert time.process_time() - start < 30  # "seconds, not minutes", whatever else the machine does
    memory = journey.firmware.report.memory
    assert memory.ram.arena < 64_000 and memory.arena_proved
    quickest = min(p.instructions for p in memory.tradeoff)
    for arena, times in ((64_000, 1.05), (40_000, 1.15)):
        assert any(p.arena < arena and p.instructions < times * quickest for p in memory.tradeoff)
    exact(journey.fits(["host", *BOARDS] if length == 32 else ["host", "cortex-m55", "rv32"]))
    start = time.process_time()
    journey.firmware.run_integer({v.name: np.ones(v.shape) for v in journey.firmware.module.main.inputs})
    assert time.process_time() - start < 10


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_bert_tiny_masked_language_model(exporter: str, tmp_path: Path) -> None:
    journey = compile_zoo("bert_tiny", tmp_path, exporter=exporter, length=32, head="mlm")
    exact(journey.run(["host"]))
