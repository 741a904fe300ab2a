"""The kernels build without a warning in gcc and clang, for the host and the boards, and need no library."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.kernels.library import ROOT, WARNINGS, sources

INCLUDE = f"-I{ROOT / 'include'}"
HOST = [["gcc"], ["clang"]]
BOARDS = [
    ["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"],
    ["riscv64-unknown-elf-gcc", "-march=rv32imac", "-mabi=ilp32", "--specs=picolibc.specs"],
]
#: Copying and filling bytes, and what cores without the instruction call to count leading zeros.
ALLOWED = {"memcpy", "memset", "__clzsi2"}


@pytest.mark.parametrize("compiler", [*HOST, *(pytest.param(b, marks=pytest.mark.board) for b in BOARDS)])
def test_builds_without_warnings_and_needs_no_library(compiler: list[str], tmp_path: Path) -> None:
    tool = shutil.which(compiler[0])
    assert tool is not None, f"{compiler[0]} is not installed"
    files = [str(s) for s in sources()]
    command = [tool, *compiler[1:], *WARNINGS, "-Wshadow", "-O2", INCLUDE, "-c", *files]
    subprocess.run(command, check=True, cwd=tmp_path)
    nm = compiler[0].replace("gcc", "nm") if "-" in compiler[0] else "nm"
    listed = subprocess.run(
        [nm, "--undefined-only", *map(str, tmp_path.glob("*.o"))], capture_output=True, text=True, check=True
    ).stdout
    wanted = {line.split()[-1] for line in listed.splitlines() if " U " in line}
    assert wanted <= ALLOWED, wanted - ALLOWED


def test_no_kernel_has_mutable_data(tmp_path: Path) -> None:
    files = [str(s) for s in sources()]
    subprocess.run(["cc", "-std=c99", "-O2", INCLUDE, "-c", *files], check=True, cwd=tmp_path)
    listed = subprocess.run(["nm", *map(str, tmp_path.glob("*.o"))], capture_output=True, text=True, check=True).stdout
    kinds = {line.split()[1] for line in listed.splitlines() if len(line.split()) == 3}
    assert kinds <= {"T", "t"}, kinds


def test_cxx_programs_can_call_them(tmp_path: Path) -> None:
    kernel = ROOT / "kernels" / "portable" / "ember_nonzero_s8.c"
    subprocess.run(["cc", "-std=c99", INCLUDE, "-c", str(kernel), "-o", "k.o"], check=True, cwd=tmp_path)
    caller = ROOT / "tests" / "cxx_caller.cpp"
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
    subprocess.run(["c++", *flags, INCLUDE, str(caller), "k.o", "-o", "program"], check=True, cwd=tmp_path)
    subprocess.run([str(tmp_path / "program")], check=True)
