"""`python -m tests.zoo.measure FAMILY ...`: what sequence models cost, to compile and a step on an emulated board.

One line a family: nodes of its file, processor seconds of the compilation (the measurement of code size included),
SQNR against float on held-back samples, RAM and total in bytes, instructions (exact counts) of a run, and of a step of
the sequence: a token or a frame. Exit code 1 where a build differs from the integer reference.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import onnx

import emberc
from emberc import harness
from emberc.passes.steps import sequence_length
from tests.zoo.families import FAMILIES
from tests.zoo.family import family_model

HEADER = (
    "| family | exporter | nodes | compiled in | dB | RAM | total | instructions | a step | mismatches |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


@dataclass(frozen=True)
class Cost:
    """``run`` is the golden vectors' run on the board, ``steps`` how many steps of the sequence each of them is."""

    family: str
    exporter: str
    nodes: int
    seconds: float
    firmware: emberc.Firmware
    run: harness.TestRun
    steps: int

    @property
    def instructions_a_step(self) -> float:
        return (self.run.instructions or 0) / self.steps

    @property
    def decibels(self) -> float:
        """The worst output's SQNR."""
        return min(a.sqnr_db or 999.0 for a in self.firmware.report.accuracy.values())

    def markdown(self) -> str:
        ram, flash = self.run.ram_bytes or 0, self.run.flash_bytes or 0
        cells = [self.family, self.exporter, f"{self.nodes:,}", f"{self.seconds:.1f} s", f"{self.decibels:.1f}"]
        cells += [f"{ram:,}", f"{ram + flash:,}", f"{self.run.instructions or 0:,}", f"{self.instructions_a_step:,.0f}"]
        return f"| {' | '.join([*cells, str(self.run.mismatches)])} |"


def measured(family: str, exporter: str, on: str, *, streaming: bool = False, precision: str = "int8") -> Cost:
    """Compiles one family for a board and runs it there. Raises what is wrong with the run."""
    model = family_model(family, exporter)
    nodes = len(onnx.load(model.path, load_external_data=False).graph.node)
    start = time.process_time()
    firmware = emberc.compile(
        model.path, calibration=model.samples, target=on, streaming=streaming, precision=precision, name=family
    )
    seconds = time.process_time() - start
    with tempfile.TemporaryDirectory() as folder:
        run = harness.test_build(firmware.write(Path(folder) / "build"), [on])[0]
    if run.error is not None:
        raise run.error
    steps = 1 if streaming else sequence_length(firmware.whole.main)
    return Cost(family, exporter, nodes, seconds, firmware, run, steps)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.zoo.measure", description=__doc__)
    parser.add_argument("families", nargs="+", metavar="FAMILY", help=f"of {', '.join(FAMILIES)}")
    parser.add_argument("--exporter", choices=["dynamo", "ts"], default="ts", help="which of torch's exporters")
    parser.add_argument("--on", default="cortex-m4", help="an emulated target")
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--streaming", action="store_true", help="one step a call")
    a = parser.parse_args()
    if unknown := sorted(set(a.families) - FAMILIES.keys()):
        parser.error(f"no family {', '.join(unknown)}")
    logging.disable(logging.WARNING)
    print(HEADER)
    equal = True
    for family in a.families:
        cost = measured(family, a.exporter, a.on, streaming=a.streaming, precision=a.precision)
        print(cost.markdown(), flush=True)
        equal &= cost.run.ok
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
