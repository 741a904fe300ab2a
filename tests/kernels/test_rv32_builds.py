"""The rv32 kernels build without a warning in gcc and clang, for host and core, without data or libraries."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.kernels.library import ROOT, WARNINGS
from tests.kernels.test_builds import ALLOWED, BOARDS, HOST

FOLDERS = [f"-I{ROOT / folder}" for folder in ("include", "kernels/portable")]


@pytest.mark.parametrize("compiler", [*HOST, *(pytest.param(b, marks=pytest.mark.board) for b in BOARDS)])
def test_builds(compiler: list[str], tmp_path: Path) -> None:
    tool = shutil.which(compiler[0])
    assert tool is not None, f"{compiler[0]} is not installed"
    files = sorted(map(str, (ROOT / "kernels" / "rv32").glob("*.c")))
    assert files
    command = [tool, *compiler[1:], *WARNINGS, "-Wshadow", "-O2", *FOLDERS, "-c", *files]
    subprocess.run(command, check=True, cwd=tmp_path)
    nm = compiler[0].replace("gcc", "nm") if "-" in compiler[0] else "nm"
    objects = map(str, tmp_path.glob("*.o"))
    listed = subprocess.run([nm, *objects], capture_output=True, text=True, check=True).stdout
    symbols = [line.split()[-2:] for line in listed.splitlines() if len(line.split()) in (2, 3)]
    own = {name for kind, name in symbols if kind == "T"}
    assert {name for kind, name in symbols if kind == "U"} <= ALLOWED | own
    assert {kind for kind, name in symbols if not name.startswith((".L", "$"))} <= {"T", "t", "U", "r"}
