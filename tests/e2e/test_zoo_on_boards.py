"""Families of the zoo on three emulated boards, int8 and int16: the bits of the reference, 4 samples each."""

from __future__ import annotations

from pathlib import Path

import pytest

from emberc import harness
from tests.e2e.journey import exact
from tests.e2e.test_families import compiled, decibels

BOARDS = ["cortex-m4", "cortex-m55", "rv32"]
#: family and exporter; the build is for one board and has its kernels, the other boards run their plain-C form
FILES = [("electra", "dynamo"), ("electra", "ts"), ("convbert", "dynamo"), ("gpt", "dynamo")]
TARGETS = {"dynamo": "cortex-m55", "ts": "cortex-m4"}
#: families whose int16 build has an op that the others lack: attention, and attention with biases
WIDE = ["electra", "t5"]


@pytest.mark.slow
@pytest.mark.board
@pytest.mark.parametrize(("name", "exporter"), FILES)
def test_has_the_same_bits_everywhere(name: str, exporter: str, tmp_path: Path) -> None:
    firmware = compiled(name, exporter, target=TARGETS[exporter])
    exact(harness.test_build(firmware.write(tmp_path / "build"), ["host", *BOARDS]))


@pytest.mark.slow
@pytest.mark.board
@pytest.mark.parametrize("name", WIDE)
def test_int16_has_the_same_bits_everywhere(name: str, tmp_path: Path) -> None:
    firmware = compiled(name, "ts", target="rv32", precision="int16")
    exact(harness.test_build(firmware.write(tmp_path / "build"), ["host", *BOARDS]))
    assert decibels(firmware) >= 40
