"""The kernels build without a warning in gcc and clang, for the host and the boards, and need no library."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from emberc.targets import load_target
from tests.kernels.library import ROOT, WARNINGS

INCLUDE = f"-I{ROOT / 'include'}"
PORTABLE = f"-I{ROOT / 'kernels' / 'portable'}"
HOST = [["gcc"], ["clang"]]
BOARDS = [
    ["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"],
    ["riscv64-unknown-elf-gcc", "-march=rv32imac", "-mabi=ilp32", "--specs=picolibc.specs"],
]
#: Copying and filling bytes, and what cores without the instruction call to count leading zeros.
ALLOWED = {"memcpy", "memmove", "memset", "__clzsi2"}


@pytest.mark.parametrize("compiler", [*HOST, *(pytest.param(b, marks=pytest.mark.board) for b in BOARDS)])
@pytest.mark.parametrize("isa", ["portable", "rv32"])
def test_builds_without_warnings_has_no_data_and_needs_no_library(
    compiler: list[str], isa: str, tmp_path: Path
) -> None:
    """Both sets are plain C that runs on all cores."""
    tool = shutil.which(compiler[0])
    assert tool is not None, f"{compiler[0]} is not installed"
    files = sorted(map(str, (ROOT / "kernels" / isa).glob("*.c")))
    assert files
    command = [tool, *compiler[1:], *WARNINGS, "-Wshadow", "-O2", INCLUDE, PORTABLE, "-c", *files]
    subprocess.run(command, check=True, cwd=tmp_path)
    nm = compiler[0].replace("gcc", "nm") if "-" in compiler[0] else "nm"
    objects = map(str, tmp_path.glob("*.o"))
    listed = subprocess.run([nm, *objects], capture_output=True, text=True, check=True).stdout
    symbols = [line.split()[-2:] for line in listed.splitlines() if len(line.split()) in (2, 3)]
    own = {name for kind, name in symbols if kind == "T"}
    wanted = {name for kind, name in symbols if kind == "U"}
    assert wanted - own <= ALLOWED, wanted - own - ALLOWED
    assert {kind for kind, name in symbols if not name.startswith((".L", "$"))} <= {"T", "t", "U", "r"}


CORES = ("cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "rv32")
LEVELS = ("-O1", "-O2", "-O3", "-Os")


def combinations() -> Iterator[Any]:
    """Every core, level and set of kernels; all but the assembly at its hardest behind ``slow``.

    Assembly asks for registers, of which a lower level leaves fewer: -O1 on Cortex-M55 is the hardest.
    """
    for core, opt in product(CORES, LEVELS):
        for isa in load_target(core).isa:
            if (ROOT / "kernels" / isa).is_dir():
                hardest = (core, opt) == ("cortex-m55", "-O1") and isa != "portable"
                yield pytest.param(core, opt, isa, marks=[] if hardest else pytest.mark.slow)


@pytest.mark.board
@pytest.mark.parametrize(("core", "opt", "isa"), list(combinations()))
def test_every_kernel_that_a_core_may_run_builds_at_every_level(core: str, opt: str, isa: str, tmp_path: Path) -> None:
    chain = load_target(core).toolchain
    files = sorted(map(str, (ROOT / "kernels" / isa).glob("*.c")))
    command = [*chain.compiler, *WARNINGS, *chain.cflags, opt, INCLUDE, PORTABLE, "-c", *files]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]


def test_cxx_programs_can_call_them(tmp_path: Path) -> None:
    kernel = ROOT / "kernels" / "portable" / "ember_nonzero_s8.c"
    subprocess.run(["cc", "-std=c99", INCLUDE, "-c", str(kernel), "-o", "k.o"], check=True, cwd=tmp_path)
    caller = ROOT / "tests" / "cxx_caller.cpp"
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
    subprocess.run(["c++", *flags, INCLUDE, str(caller), "k.o", "-o", "program"], check=True, cwd=tmp_path)
    subprocess.run([str(tmp_path / "program")], check=True)
