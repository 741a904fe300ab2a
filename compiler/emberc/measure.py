"""Code size and stack of a build that is not written yet, from objects compiled in a temporary folder."""

from __future__ import annotations

import tempfile
from pathlib import Path

from emberc.backend.c import write_files
from emberc.backend.c.build import Files
from emberc.errors import ToolError
from emberc.harness import StackError, measure_build
from emberc.targets import Target


def measured_code(files: Files, target: Target, notes: list[str]) -> tuple[int | None, int | None]:
    """(code bytes, worst-case stack bytes) on ``target``; None each where no compiler is installed, with a note."""
    with tempfile.TemporaryDirectory(prefix="emberc-") as folder:
        build = Path(folder) / "build"
        write_files(files, build)
        try:
            measured = measure_build(build, target)
        except (ToolError, StackError) as e:
            hint = f"; {e.hints[0]}" if e.hints else ""
            notes.append(f"code size and stack are not measured: {e.message}{hint}")
            return None, None
    return measured.code_bytes, measured.stack_bytes
