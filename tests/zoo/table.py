"""`python -m tests.zoo.table [FAMILY ...]`: what the zoo's families cost, and how close to float they are.

Prints the table of `tests/zoo/README.md`; `--write` puts its rows there, in place of those of the same family and
exporter. SQNR and top-1 are those of held-back samples on shaken random weights, memory that of a Cortex-M7 build at
int8 whose arena is as small as it gets. A file whose build has the calls of the other exporter's is not run on boards
again.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import emberc
from emberc import harness
from emberc.backend.c import manifest
from emberc.report import Report
from tests.zoo.families import FAMILIES, ONLY
from tests.zoo.family import family_model

#: what the table shows unless families are named: one of each, and the published sizes
SHOWN = [
    "electra", "electra_discriminator", "roberta", "ibert", "ibert_integer", "convbert", "convbert_groups",
    "mobilebert", "mobilebert_layernorm", "lora", "nanobert", "embbert", "embbert_derived", "gpt", "llama", "t5",
    "sentence", "sentence_max", "multihead", "clip_text", "deberta", "qwen3", "vit", "nanobert_2mb", "embbert_256",
]  # fmt: skip
EXPORTERS = ("dynamo", "ts")
Calls = Counter[tuple[object, ...]]
BOARDS = ("cortex-m4", "cortex-m55", "rv32")
PAGE = Path(__file__).parent / "README.md"
START, END = "<!-- table: python -m tests.zoo.table --write -->", "<!-- end -->"


@dataclass(frozen=True)
class Row:
    """One family as one exporter writes it. ``narrow`` and ``wide``: the reports at int8 and int16; ``calls``: those of
    the int8 build."""

    family: str
    exporter: str
    narrow: Report
    wide: Report
    ran_on: str
    calls: Calls

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


def row(family: str, exporter: str, boards: Sequence[str], other: Row | None = None) -> Row:
    """Compiles twice and runs the int8 build; raises AssertionError where an element differs.

    ``other`` is the same family's row of another exporter: where the calls are the same the host is enough.
    """
    model = family_model(family, exporter)
    builds = [
        emberc.compile(
            model.path, calibration=model.samples, target="cortex-m7", precision=p, prefer="memory", name="zoo"
        )
        for p in ("int8", "int16")
    ]
    calls = calls_of(builds[0])
    same = other is not None and other.calls == calls
    with tempfile.TemporaryDirectory() as folder:
        runs = harness.test_build(builds[0].write(Path(folder) / "build"), ["host", *([] if same else boards)])
    equal = [r.on for r in runs if r.error is None]
    assert "host" in equal, runs[0].error
    assert not any(r.mismatches for r in runs if r.error is None), f"{family} {exporter} differs"
    assert all(r.error is None or r.error.code == "E-FIT" for r in runs), [r.error for r in runs]
    ran_on = ", ".join(equal) + (f"; calls as {other.exporter}" if same and other is not None else "")
    return Row(family, exporter, builds[0].report, builds[1].report, ran_on, calls)


def calls_of(firmware: emberc.Firmware) -> Calls:
    """Op, kernel and work of every call; what nodes are named, and independent calls' order, is the exporter's."""
    rows = manifest(firmware.files)["calls"]
    return Counter((r["op"], r["kernel"], r["macs"], r["elements"]) for r in rows)


def rows(families: Sequence[str], exporters: Sequence[str], boards: Sequence[str]) -> Iterator[Row]:
    for family in families:
        made: Row | None = None
        for exporter in exporters:
            if ONLY.get(family, exporter) == exporter:
                made = row(family, exporter, boards, made)
                yield made


def written(page: str, new: Sequence[str]) -> str:
    """The page with the rows ``new`` in place of those of the same family and exporter, in the order of ``SHOWN``."""
    before, _, rest = page.partition(START)
    old, _, after = rest.partition(END)

    def key(line: str) -> tuple[str, str]:
        cells = [c.strip() for c in line.split("|")]
        return cells[1], cells[2]

    table = {key(line): line for line in [*old.strip().splitlines()[2:], *new]}
    order = list(dict.fromkeys([*SHOWN, *FAMILIES]))
    kept = sorted(table, key=lambda k: (order.index(k[0]), k[1]))
    return f"{before}{START}\n" + "\n".join([HEADER, *(table[k] for k in kept)]) + f"\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.zoo.table", description=__doc__)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {', '.join(FAMILIES)}")
    parser.add_argument("--exporter", choices=EXPORTERS, action="append", help="one of the two; both by default")
    parser.add_argument("--boards", action="store_true", help=f"also run on {', '.join(BOARDS)} (emulated)")
    parser.add_argument("--write", action="store_true", help="put the rows into tests/zoo/README.md")
    arguments = parser.parse_args()
    unknown = set(arguments.families) - FAMILIES.keys()
    if unknown:
        parser.error(f"no family {', '.join(sorted(unknown))}")
    logging.disable(logging.WARNING)
    table = []
    print(HEADER, flush=True)
    for found in rows(arguments.families or SHOWN, arguments.exporter or EXPORTERS, BOARDS if arguments.boards else ()):
        table.append(found.markdown())
        print(table[-1], flush=True)
        if arguments.write:  # row by row: an interrupted run keeps what it has
            PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    main()
