"""Missing tools are named with the command that installs them; failing ones speak for themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from emberc import harness
from emberc.errors import EXIT_NO_TOOL, ToolError
from emberc.harness import BuildError
from emberc.harness.tools import check_tools, run_tool
from emberc.targets import load_target
from tests.harness.conftest import MakeBuild


@pytest.fixture
def bare_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with nothing installed."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


@pytest.mark.usefixtures("bare_path")
def test_all_missing_tools_in_one_command(make_build: MakeBuild) -> None:
    with pytest.raises(ToolError) as caught:
        harness.test_build(make_build(), ["host", "cortex-m4", "rv32"])
    assert caught.value.exit_code == EXIT_NO_TOOL
    assert caught.value.message == (
        "missing tools: cc, objdump, nm, arm-none-eabi-gcc, arm-none-eabi-objdump, arm-none-eabi-nm, qemu-system-arm, "
        "riscv64-unknown-elf-gcc, riscv64-unknown-elf-objdump, riscv64-unknown-elf-nm, qemu-system-riscv32"
    )
    assert caught.value.hints == [
        "apt-get install -y gcc libc6-dev binutils gcc-arm-none-eabi libnewlib-arm-none-eabi binutils-arm-none-eabi "
        "qemu-system-arm gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf binutils-riscv64-unknown-elf "
        "qemu-system-misc"
    ]


@pytest.mark.usefixtures("bare_path")
def test_measuring_needs_the_compiler_alone(make_build: MakeBuild) -> None:
    with pytest.raises(ToolError, match=r"missing tool: arm-none-eabi-gcc\b") as caught:
        harness.measure_build(make_build(), load_target("cortex-m7"))
    assert caught.value.hints == ["apt-get install -y gcc-arm-none-eabi libnewlib-arm-none-eabi"]


def test_tool_of_a_board_that_names_no_package(tmp_path: Path) -> None:
    board = tmp_path / "board.toml"
    board.write_text(
        'name = "b"\ntitle = "b"\ncpu = "z80"\nisa = ["portable"]\n'
        '[toolchain]\ncompiler = ["no-such-cc"]\n[board]\nsources = ["host/port.c"]\n'
    )
    with pytest.raises(ToolError) as caught:
        check_tools([load_target(board)])
    assert caught.value.hints == ["install no-such-cc and put it on the PATH"]


def test_present_tools_pass() -> None:
    check_tools([load_target("host")])


def test_compiler_without_its_library_is_named_so(tmp_path: Path) -> None:
    compiler = tmp_path / "arm-none-eabi-gcc"
    compiler.write_text("#!/bin/sh\necho 'x.c:1:10: fatal error: string.h: No such file or directory' >&2\nexit 1\n")
    compiler.chmod(0o755)
    target = load_target("cortex-m4")
    with pytest.raises(ToolError, match="missing tool: the C library of") as caught:
        run_tool([str(compiler)], what="compiling", target=target)
    assert caught.value.details == ["x.c:1:10: fatal error: string.h: No such file or directory"]
    assert caught.value.hints == ["apt-get install -y gcc-arm-none-eabi libnewlib-arm-none-eabi"]


def test_failing_tool_shows_its_last_lines(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\nfor i in $(seq 1 100); do echo line $i; done\nexit 3\n")
    tool.chmod(0o755)
    with pytest.raises(BuildError, match=r"linking failed: .* ended with 3") as caught:
        run_tool([str(tool)], what="linking")
    assert caught.value.details == [f"line {i}" for i in range(89, 101)]
