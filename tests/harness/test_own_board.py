"""Adding a board is adding a file: a user's TOML builds, runs, and has its own memory enforced."""

from __future__ import annotations

from pathlib import Path

import pytest

from emberc import harness
from emberc.errors import FitError
from emberc.targets import load_target
from tests.harness.conftest import MakeBuild

BOARD = """\
name = "small-m4"
title = "A small Cortex-M4 board"
cpu = "cortex-m4"
isa = ["portable", "armv7em"]
opt = "-Os"
[memory]
stack = "2KiB"
flash = { origin = 0x0, size = "64KiB" }
ram = [{ name = "DTCM", origin = 0x20000000, size = "4KiB" }]
[toolchain]
compiler = ["arm-none-eabi-gcc", "-mthumb", "-mcpu=cortex-m4", "-mfloat-abi=soft"]
objdump = ["arm-none-eabi-objdump"]
nm = ["arm-none-eabi-nm"]
[board]
linker_script = "common/sections.ld"
sources = ["console.c", "common/semihosting.c", "common/stack.c", "cortex_m/startup.S", "cortex_m/region.S"]
[emulator]
command = ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none",
           "-semihosting-config", "enable=on,target=native", "-kernel", "{elf}"]
profile = true
"""


def write_board(folder: Path, text: str = BOARD) -> str:
    (folder / "console.c").write_text("typedef int something_of_this_board;\n")
    path = folder / "board.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.board
def test_own_board_runs(make_build: MakeBuild, tmp_path: Path) -> None:
    (run,) = harness.test_build(make_build(), [write_board(tmp_path)])
    assert run.ok, run.error
    assert run.on == "small-m4"
    assert run.instructions is not None
    assert run.modelled_cycles is None, "the description names no cycle model"


@pytest.mark.board
def test_own_board_enforces_its_memory_by_name(make_build: MakeBuild, tmp_path: Path) -> None:
    board = write_board(tmp_path, BOARD.replace('"2KiB"', '"5KiB"'))
    (run,) = harness.test_build(make_build(), [board])
    assert isinstance(run.error, FitError)
    assert run.error.message == "the test image does not fit small-m4: DTCM overflows by 1,024 bytes"
    assert run.error.details == ["DTCM: 4,096 bytes available, 5,120 required"]


@pytest.mark.board
def test_measuring_ignores_how_small_the_board_is(make_build: MakeBuild, tmp_path: Path) -> None:
    build = make_build(weights=100_000)
    target = load_target(write_board(tmp_path))
    assert 20 < harness.measure_build(build, target).code_bytes < 150
    (run,) = harness.test_build(build, [str(tmp_path / "board.toml")])
    assert isinstance(run.error, FitError)
    assert "FLASH overflows by " in run.error.message
