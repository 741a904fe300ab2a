"""What a build takes: code and stack from objects compiled in a temporary folder, flash by constant from the IR."""

from __future__ import annotations

import tempfile
from pathlib import Path

from emberc.backend.c import without_contents, write_files
from emberc.backend.c.build import Files
from emberc.errors import ToolError
from emberc.harness import StackError, measure_build
from emberc.ir.graph import Module
from emberc.ir.values import Constant
from emberc.targets import Target


def measured_code(files: Files, target: Target, notes: list[str]) -> tuple[int | None, int | None]:
    """(code bytes, worst-case stack bytes) on ``target``; None each where no compiler is installed, with a note."""
    with tempfile.TemporaryDirectory(prefix="emberc-") as folder:
        build = Path(folder) / "build"
        write_files(without_contents(files), build)
        try:
            measured = measure_build(build, target)
        except (ToolError, StackError) as e:
            hint = f"; {e.hints[0]}" if e.hints else ""
            notes.append(f"code size and stack are not measured: {e.message}{hint}")
            return None, None
    return measured.code_bytes, measured.stack_bytes


def flash_by_constant(module: Module) -> list[tuple[str, int]]:
    """The constants and their bytes of flash, largest first; equal ones are stored once."""
    found: dict[tuple[str, bytes], tuple[str, int]] = {}
    for op in module.ops():
        for c in op.operands:
            if isinstance(c, Constant):
                key = (f"{c.type.dtype.value} {c.stored_bytes}", c.data.tobytes())
                found.setdefault(key, (c.name or f"parameters of {op.opcode} {op.loc}".strip(), c.stored_bytes))
    return sorted(found.values(), key=lambda s: (-s[1], s[0]))
