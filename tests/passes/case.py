"""Pass cases: text in, passes, text out.

A case is a file: its first line ``// passes: a,b``, then a module, a line ``// expect``, and what must come out.
Large constants stand in the ``.bin`` beside it. In a file whose name begins with ``not_`` nothing may change.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emberc.ir.graph import Module
from emberc.ir.parser import parse_module
from emberc.ir.printer import print_module
from emberc.passes import PassManager, parse_pipeline

FOLDER = Path(__file__).parent / "cases"
HEAD, MIDDLE = "// passes: ", "// expect\n"


@dataclass(frozen=True)
class Case:
    """One file, taken apart."""

    path: Path
    passes: str
    before: str
    expected: str

    @property
    def is_negative(self) -> bool:
        return self.path.name.startswith("not_")

    def module(self) -> Module:
        """The module that goes in, freshly parsed."""
        side = self.path.with_suffix(".bin")
        return parse_module(self.before, side.read_bytes() if side.exists() else b"")

    def result(self) -> Module:
        """The module that comes out."""
        module = self.module()
        PassManager(parse_pipeline(self.passes)).run(module)
        return module

    def update(self) -> None:
        """Writes what comes out now as what is expected."""
        text = print_module(self.result(), self.path.with_suffix(".bin").name)
        self.path.write_text(f"{HEAD}{self.passes}\n{self.before}{MIDDLE}{text}", encoding="utf-8")


def load(path: Path) -> Case:
    """Reads one case; ``expected`` is empty in a file that has no expectation yet."""
    head, _, rest = path.read_text(encoding="utf-8").partition("\n")
    assert head.startswith(HEAD), f"{path.name}: the first line must be '{HEAD}a,b'"
    before, _, expected = rest.partition(MIDDLE)
    return Case(path, head.removeprefix(HEAD), before, expected)


def paths() -> list[Path]:
    """All case files, ``<pass>/<what>.eir``."""
    return sorted(FOLDER.glob("*/*.eir"))
