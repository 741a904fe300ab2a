"""The kernels build without a warning in gcc and clang, for the host and the boards, and need no library."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from emberc.targets import load_target
from tests.kernels.library import ROOT, WARNINGS, sources

INCLUDE = f"-I{ROOT / 'include'}"
HOST = [["gcc"], ["clang"]]
BOARDS = [
    ["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"],
    ["riscv64-unknown-elf-gcc", "-march=rv32imac", "-mabi=ilp32", "--specs=picolibc.specs"],
]
#: Copying and filling bytes, and what cores without the instruction call to count leading zeros.
ALLOWED = {"memcpy", "memmove", "memset", "__clzsi2"}


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
    own = {Path(s).stem for s in files}
    assert wanted - own <= ALLOWED, wanted - own - ALLOWED


LEVELS = ("-O1", "-O2", "-O3", "-Os")
CORES = ("cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "rv32")


@pytest.mark.board
@pytest.mark.parametrize(
    ("core", "opt"),
    [
        pytest.param(c, o, marks=[] if (c, o) == ("cortex-m55", "-O1") else pytest.mark.slow)
        for c in CORES
        for o in LEVELS
    ],
)
def test_every_kernel_that_a_core_may_run_builds_at_every_level(core: str, opt: str, tmp_path: Path) -> None:
    """Assembly asks for registers, of which a lower level leaves fewer: -O1 on Cortex-M55 is the hardest."""
    target = load_target(core)
    folders = [ROOT / "kernels" / isa for isa in target.isa if (ROOT / "kernels" / isa).is_dir()]
    files = [str(f) for folder in folders for f in sorted(folder.glob("*.c"))]
    includes = [INCLUDE, f"-I{ROOT / 'kernels' / 'portable'}"]
    command = [*target.toolchain.compiler, *WARNINGS, *target.toolchain.cflags, opt, *includes, "-c", *files]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]


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
