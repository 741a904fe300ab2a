"""What the test program prints (``runtime_c/ports/common/test_main.c``), read back."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emberc.harness.errors import RunError
from emberc.harness.tools import last_lines

_VECTOR = re.compile(r"^ember: vector=(\d+) mismatches=(\d+) status=(\d+)\s*$", re.MULTILINE)
DONE = re.compile(r"^ember: done vectors=(\d+) mismatches=(\d+) errors=(\d+) stack=(\d+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class VectorResult:
    """One golden vector: output elements that differ, and the model's status (0: it ran)."""

    vector: int
    mismatches: int
    status: int


@dataclass(frozen=True)
class ConsoleResult:
    """A whole run. ``stack`` is the high water of the painted stack in bytes, 0 where there is no paint."""

    vectors: tuple[VectorResult, ...]
    stack: int

    @property
    def mismatches(self) -> int:
        """Output elements that differ; a vector that the model refused counts as one."""
        return sum(v.mismatches + bool(v.status) for v in self.vectors)


def parse_console(output: str) -> ConsoleResult:
    """The results in a test program's output; other lines are ignored.

    Raises RunError when the summary is missing (the program did not come to its end) or a vector's line is lost.
    """
    done = DONE.search(output)
    if not done:
        raise RunError("the test program did not come to its end", details=last_lines(output))
    vectors = tuple(VectorResult(*map(int, m.groups())) for m in _VECTOR.finditer(output, 0, done.start()))
    if [v.vector for v in vectors] != list(range(int(done[1]))):
        raise RunError(
            f"the test program ran {done[1]} vectors, but {len(vectors)} of their lines arrived",
            details=last_lines(output),
        )
    return ConsoleResult(vectors, int(done[4]))
