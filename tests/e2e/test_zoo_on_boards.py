"""Every family of the zoo on three emulated boards, int8 and int16: the bits of the reference, 4 samples each.

One exporter is enough there: that the other one's file becomes the same calls of the same kernels is a test of its own.
BERT itself is on the boards in ``test_small_encoders.py``, scans are in ``test_scans_on_boards.py``.
"""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest

from emberc import harness
from tests.e2e.journey import exact
from tests.e2e.test_families import compiled, decibels
from tests.zoo.families import ONLY
from tests.zoo.table import calls_of

BOARDS = ["cortex-m4", "cortex-m55", "rv32"]
#: what both exporters can write
BOTH = [
    "electra", "electra_discriminator", "roberta", "ibert", "nanobert", "convbert", "convbert_groups", "embbert",
    "embbert_derived", "mobilebert", "mobilebert_layernorm", "lora", "t5",
]  # fmt: skip
#: families whose int16 build has an op that the others lack: attention, and attention with biases
WIDE = ["electra", "t5"]


@pytest.mark.slow
@pytest.mark.board
@pytest.mark.parametrize(("name", "target"), list(zip([*BOTH, *ONLY], cycle(BOARDS), strict=False)))
def test_has_the_same_bits_everywhere(name: str, target: str, tmp_path: Path) -> None:
    """The build is for one board and has its kernels; the other boards run their plain-C form."""
    firmware = compiled(name, ONLY.get(name, "dynamo"), target=target)
    exact(harness.test_build(firmware.write(tmp_path / "build"), ["host", *BOARDS]))


@pytest.mark.slow
@pytest.mark.parametrize("name", BOTH)
def test_both_exporters_give_the_same_calls(name: str, tmp_path: Path) -> None:
    dynamo, ts = (compiled(name, exporter) for exporter in ("dynamo", "ts"))
    assert calls_of(dynamo) == calls_of(ts)
    assert dynamo.report.memory.total == ts.report.memory.total
    exact(harness.test_build(ts.write(tmp_path / "build"), ["host"]))


@pytest.mark.slow
@pytest.mark.board
@pytest.mark.parametrize("name", WIDE)
def test_int16_has_the_same_bits_everywhere(name: str, tmp_path: Path) -> None:
    firmware = compiled(name, "ts", target="rv32", precision="int16")
    exact(harness.test_build(firmware.write(tmp_path / "build"), ["host", *BOARDS]))
    assert decibels(firmware) >= 40
