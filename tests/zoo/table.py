"""`python -m tests.zoo.table [FAMILY ...]`: what the zoo's families cost, and how close to float they are.

Prints the table of `tests/zoo/README.md`; `--write` puts it there. SQNR and top-1 are those of held-back samples on
shaken random weights, memory that of a Cortex-M7 build at int8 whose arena is as small as it gets.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import emberc
from emberc import harness
from emberc.report import Report
from tests.zoo.families import FAMILIES
from tests.zoo.family import family_model

#: what the table shows unless families are named: one of each, and the published sizes
SHOWN = [
    "electra", "electra_discriminator", "roberta", "convbert", "convbert_groups", "mobilebert", "mobilebert_layernorm",
    "lora", "nanobert", "embbert", "gpt", "llama", "t5", "nanobert_2mb", "embbert_256",
]  # fmt: skip
EXPORTERS = ("dynamo", "ts")
#: transformers builds their causal masks with aten::diff, which torch's older exporter refuses
NOT_IN_TORCHSCRIPT = ("gpt", "llama")
BOARDS = ("cortex-m4", "cortex-m55", "rv32")
PAGE = Path(__file__).parent / "README.md"
START, END = "<!-- table: python -m tests.zoo.table --write -->", "<!-- end -->"


@dataclass(frozen=True)
class Row:
    """One family as one exporter writes it. ``narrow`` and ``wide``: the reports at int8 and int16."""

    family: str
    exporter: str
    narrow: Report
    wide: Report
    ran_on: str

    def markdown(self) -> str:
        low, high = (min(a.sqnr_db or 999.0 for a in r.accuracy.values()) for r in (self.narrow, self.wide))
        top1 = min(a.top1_agreement for a in self.narrow.accuracy.values())
        m = self.narrow.memory
        grown = self.wide.memory.total - m.total
        quality = [f"{low:.1f}", f"{high:.1f}", f"{100 * top1:.0f} %"]
        kilobytes = [f"{n / 1000:.1f}" for n in (m.flash.total, m.ram.total, m.total, grown)]
        return f"| {' | '.join([self.family, self.exporter, *quality, *kilobytes, self.ran_on])} |"


HEADER = (
    "| family | exporter | int8 dB | int16 dB | top-1 | flash kB | RAM kB | total kB | int16 + kB | equal on |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def row(family: str, exporter: str, boards: Sequence[str]) -> Row:
    """Compiles twice and runs the int8 build; raises AssertionError where an element differs."""
    model = family_model(family, exporter)
    builds = [
        emberc.compile(
            model.path, calibration=model.samples, target="cortex-m7", precision=p, prefer="memory", name="zoo"
        )
        for p in ("int8", "int16")
    ]
    with tempfile.TemporaryDirectory() as folder:
        runs = harness.test_build(builds[0].write(Path(folder) / "build"), ["host", *boards])
    equal = [r.on for r in runs if r.error is None]
    assert "host" in equal, runs[0].error
    assert not any(r.mismatches for r in runs if r.error is None), f"{family} {exporter} differs"
    assert all(r.error is None or r.error.code == "E-FIT" for r in runs), [r.error for r in runs]
    return Row(family, exporter, builds[0].report, builds[1].report, ", ".join(equal))


def lines(families: Sequence[str], exporters: Sequence[str], boards: Sequence[str]) -> Iterator[str]:
    yield HEADER
    for family in families:
        for exporter in exporters:
            if exporter != "ts" or family not in NOT_IN_TORCHSCRIPT:
                yield row(family, exporter, boards).markdown()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.zoo.table", description=__doc__)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {', '.join(FAMILIES)}")
    parser.add_argument("--exporter", choices=EXPORTERS, action="append", help="one of the two; both by default")
    parser.add_argument("--boards", action="store_true", help=f"also run on {', '.join(BOARDS)} (emulated)")
    parser.add_argument("--write", action="store_true", help="put the table into tests/zoo/README.md")
    arguments = parser.parse_args()
    unknown = set(arguments.families) - FAMILIES.keys()
    if unknown:
        parser.error(f"no family {', '.join(sorted(unknown))}")
    logging.disable(logging.WARNING)
    table = []
    for line in lines(arguments.families or SHOWN, arguments.exporter or EXPORTERS, BOARDS if arguments.boards else ()):
        print(line, flush=True)
        table.append(line)
    if arguments.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{START}\n" + "\n".join(table) + f"\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
