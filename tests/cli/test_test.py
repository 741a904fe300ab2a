"""`emberc test`: what it prints, and which of its exit codes stands for what."""

import json
import re
import shutil
from pathlib import Path

import pytest

from emberc.errors import EXIT_FAILED, EXIT_NO_FIT, EXIT_OK
from tests.cli.conftest import Emberc

FIELDS = [
    "on",
    "vectors",
    "mismatches",
    "instructions",
    "modelled_cycles",
    "stack_bytes",
    "flash_bytes",
    "ram_bytes",
]
# A Cortex-M4 whose flash holds no BERT, however small.
SMALL_BOARD = """\
name = "small"
title = "A board with 8 KiB of flash"
cpu = "cortex-m4"
isa = ["portable"]
[memory]
stack = "1KiB"
flash = { origin = 0x0, size = "8KiB" }
ram = [{ name = "RAM", origin = 0x20000000, size = "64KiB" }]
[toolchain]
compiler = ["arm-none-eabi-gcc", "-mthumb", "-mcpu=cortex-m4", "-mfloat-abi=soft"]
objdump = ["arm-none-eabi-objdump"]
nm = ["arm-none-eabi-nm"]
[board]
linker_script = "common/sections.ld"
sources = ["common/semihosting.c", "common/stack.c", "cortex_m/startup.S", "cortex_m/region.S"]
[emulator]
command = ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-semihosting", "-kernel", "{elf}"]
"""


@pytest.fixture
def build(small_build: Path, tmp_path: Path) -> Path:
    """A build directory of this test's own."""
    return Path(shutil.copytree(small_build, tmp_path / "build"))


def spoil(build: Path) -> None:
    """Changes one expected output value, so that the firmware is right and the expectation wrong."""
    golden = build / "small_golden.c"
    text = golden.read_text()
    value = re.search(r"(?<=v0_out_logits\[2\] = \{)\s*-?\d+", text)
    assert value
    other = int(value[0]) // 2 - 1
    golden.write_text(f"{text[: value.start()]}{other}{text[value.end() :]}")


def test_every_vector_is_bit_exact_on_the_host(emberc_cli: Emberc, build: Path) -> None:
    done = emberc_cli("test", build, "--on", "host")
    assert done.code == EXIT_OK
    assert re.search(r"^  host +bit-exact +4 +0 ", done.out, re.MULTILINE)


@pytest.mark.board
def test_json_has_one_run_a_target_with_every_promised_field(emberc_cli: Emberc, build: Path) -> None:
    done = emberc_cli("test", build, "--on", "host,cortex-m4", "--json")
    host, board = json.loads(done.out)["runs"]
    assert done.code == EXIT_OK
    assert list(host) == list(board) == FIELDS
    assert (host["on"], board["on"]) == ("host", "cortex-m4")
    assert all(isinstance(board[field], int) for field in FIELDS[1:])
    assert board["vectors"] == 4
    assert board["mismatches"] == 0


def test_a_mismatch_ends_with_1_and_is_counted(emberc_cli: Emberc, build: Path) -> None:
    spoil(build)
    done = emberc_cli("test", build, "--on", "host")
    assert done.code == EXIT_FAILED
    assert re.search(r"^  host +DIFFERS +4 +1 ", done.out, re.MULTILINE)


def test_code_that_does_not_build_ends_with_1(emberc_cli: Emberc, build: Path) -> None:
    (build / "small.c").write_text("#error spoiled\n")
    done = emberc_cli("test", build, "--on", "host", "--json")
    (run,) = json.loads(done.out)["runs"]
    assert done.code == EXIT_FAILED
    assert run["error"]["code"] == "E-BUILD"
    assert "#error spoiled" in done.err


@pytest.mark.board
def test_an_image_that_does_not_fit_ends_with_3_and_the_others_still_run(
    emberc_cli: Emberc, build: Path, tmp_path: Path
) -> None:
    board = tmp_path / "small.toml"
    board.write_text(SMALL_BOARD)
    done = emberc_cli("test", build, "--on", f"{board},host", "--json")
    small, host = json.loads(done.out)["runs"]
    assert done.code == EXIT_NO_FIT
    assert small["error"]["code"] == "E-FIT"
    assert host["mismatches"] == 0
    assert "does not fit small" in done.err


@pytest.mark.board
def test_a_mismatch_counts_for_more_than_a_board_that_is_too_small(
    emberc_cli: Emberc, build: Path, tmp_path: Path
) -> None:
    board = tmp_path / "small.toml"
    board.write_text(SMALL_BOARD)
    spoil(build)
    assert emberc_cli("test", build, "--on", board, "--on", "host").code == EXIT_FAILED


def test_missing_tools_end_with_4_and_the_command_that_installs_them(
    emberc_cli: Emberc, build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    done = emberc_cli("test", build, "--on", "host,cortex-m7,rv32", "--json")
    assert done.code == 4
    error = json.loads(done.out)["error"]
    assert error["code"] == "E-TOOL"
    assert "arm-none-eabi-gcc" in error["message"]
    assert "qemu-system-riscv32" in error["message"]
    (install,) = error["hints"]
    assert install.startswith("apt-get install -y ")
    assert {"gcc-arm-none-eabi", "qemu-system-arm", "gcc-riscv64-unknown-elf"} <= set(install.split())


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nowhere", "--on", "host"], "'nowhere' is not a build directory"),
        (["build", "--on", "cortex-m99"], "unknown target 'cortex-m99'"),
        (["build", "--on", ""], "a name is empty"),
        (["build"], "Missing option '--on'"),
        ([], "Missing argument 'DIR'"),
    ],
)
def test_bad_usage_ends_with_2(
    emberc_cli: Emberc, build: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], message: str
) -> None:
    monkeypatch.chdir(build.parent)
    done = emberc_cli("test", *args)
    assert done.code == 2
    assert message in done.err
    assert done.out == ""
