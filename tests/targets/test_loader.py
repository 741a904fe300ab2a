"""Target descriptions: what ships, a user's own file, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from emberc.errors import TargetError
from emberc.targets import Region, load_target, runtime_root, target_names

SHIPPED = ["host", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "rv32", "stm32h743"]

BOARD = """\
name = "my-board"
title = "My board"
cpu = "cortex-m4"
isa = ["portable", "armv7em"]
[memory]
stack = 4096
flash = { origin = 0x08000000, size = "512KiB" }
ram = [{ name = "DTCM", origin = 0x20000000, size = "64KiB" }, { name = "SRAM", origin = 0x24000000, size = 1024 }]
[toolchain]
compiler = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb"]
[board]
linker_script = "common/sections.ld"
sources = ["uart.c", "cortex_m/startup.S"]
"""


def write_board(folder: Path, text: str = BOARD) -> Path:
    (folder / "uart.c").write_text("/* a board's own console */\n")
    path = folder / "my_board.toml"
    path.write_text(text)
    return path


def test_names_are_the_host_and_boards_in_natural_order() -> None:
    assert target_names() == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_target_is_complete(name: str) -> None:
    target = load_target(name)
    assert target.name == name
    assert target.isa[0] == "portable"
    assert target.emulator is not None
    assert all(path.is_file() for path in target.sources)
    tools = [target.toolchain.compiler[0], target.toolchain.objdump[0], target.toolchain.nm[0]]
    assert all(target.packages_for(tool) for tool in tools)


def test_alias_gives_the_same_target() -> None:
    assert load_target("m55") is load_target("cortex-m55")


def test_kernel_families_of_each_core() -> None:
    families = {name: load_target(name).isa for name in SHIPPED}
    assert families == {
        "host": ("portable",),
        "cortex-m3": ("portable",),
        "cortex-m4": ("portable", "armv7em"),
        "cortex-m7": ("portable", "armv7em", "armv7em-m7"),
        "cortex-m33": ("portable", "armv7em"),
        "cortex-m55": ("portable", "armv7em", "mve"),
        "rv32": ("portable", "rv32"),
        "stm32h743": ("portable", "armv7em", "armv7em-m7"),
    }


def test_board_of_ones_own_resolves_files_beside_it_first(tmp_path: Path) -> None:
    target = load_target(write_board(tmp_path))
    assert target.flash_bytes == 512 * 1024
    assert target.ram == (Region("DTCM", 0x20000000, 64 * 1024), Region("SRAM", 0x24000000, 1024, section=".sram"))
    assert (target.stack_in, target.data_in) == ("DTCM", "DTCM")
    assert target.ram_bytes == 65 * 1024
    assert target.sources == (tmp_path.resolve() / "uart.c", runtime_root() / "ports" / "cortex_m" / "startup.S")
    assert target.opt == "-O2"


def test_regions_have_waits_and_sections() -> None:
    target = load_target("stm32h743")
    assert [(r.name, r.read_wait, r.section) for r in target.ram] == [("DTCM", 0, ".dtcm"), ("SRAM", 6, "")]
    assert [(r.name, r.read_wait, r.section) for r in target.flash] == [
        ("INTERNAL", 10, ""),
        ("EXTERNAL", 32, ".external"),
    ]
    assert (target.stack_in, target.data_in) == ("DTCM", "SRAM")


def test_host_memory_is_unbounded() -> None:
    assert load_target("host").flash_bytes is None
    assert load_target("host").ram_bytes is None


def test_unknown_name_lists_the_known_and_the_nearest() -> None:
    with pytest.raises(TargetError) as caught:
        load_target("cortex-m5")
    assert caught.value.message == "unknown target 'cortex-m5'"
    assert caught.value.details == [f"known: {', '.join(SHIPPED)}"]
    assert caught.value.hints == ["--target cortex-m55"]


def test_absent_file_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="cannot read the target description: No such file") as caught:
        load_target(tmp_path / "none.toml")
    assert caught.value.details == [f"known: {', '.join(SHIPPED)}"]


BAD = {
    "not TOML": ("name = ", "not valid TOML"),
    "missing key": (BOARD.replace('cpu = "cortex-m4"\n', ""), "cpu is missing: a string"),
    "wrong type": (BOARD.replace('title = "My board"', "title = 7"), "title must be a string, not 7"),
    "title that ends a comment": (BOARD.replace('"My board"', '"*/ int x;"'), "title must be one line of text without"),
    "too deep": ("a = " + "[" * 100_000, "it nests too deeply"),
    "unknown key": (BOARD + 'linker_scirpt = "x"\n', "board.linker_scirpt is not a known key; known here: "),
    "unknown key in a region": (BOARD.replace("size = 1024", "sise = 1024"), r"memory.ram\[1\].size is missing"),
    "bad size": (BOARD.replace('"512KiB"', '"512KB"'), 'memory.flash.size must be a size such as 65536 or "64KiB"'),
    "zero size": (BOARD.replace("stack = 4096", "stack = 0"), "memory.stack must be a size"),
    "region twice": (BOARD.replace('"SRAM"', '"dtcm"'), "memory.regions have the name 'dtcm' twice"),
    "regions overlap": (BOARD.replace("0x24000000", "0x20000010"), "memory.regions 'DTCM' and 'SRAM' overlap"),
    "region name": (BOARD.replace('"SRAM"', '"S RAM"'), r"memory.ram\[1\].name must be a name of letters"),
    "wait below zero": (BOARD.replace("size = 1024", "size = 1024, read_wait = -1"), "read_wait must be a number of c"),
    "bad section": (BOARD.replace("size = 1024", 'size = 1024, section = "fast"'), "must be a linker section such as"),
    "stack nowhere": (
        BOARD.replace("stack = 4096", 'stack_in = "CCM"'),
        "memory.stack_in names 'CCM', which is no RAM region; known: DTCM, SRAM",
    ),
    "unknown ISA": (
        BOARD.replace("armv7em", "armv7"),
        "isa names 'armv7'; known: portable, armv7em, armv7em-m7, mve, rv32",
    ),
    "no portable": (BOARD.replace('"portable", ', ""), 'isa must start with "portable"'),
    "absent source": (BOARD.replace("uart.c", "usart.c"), "board.sources names 'usart.c', which is neither beside"),
    "bad opt": ('opt = "fast"\n' + BOARD, "opt must be an optimisation flag such as -O2, not 'fast'"),
    "no image": (BOARD + '[emulator]\ncommand = ["qemu"]\n', "emulator.command must hold {elf}"),
    "no flash": (
        BOARD.replace('flash = { origin = 0x08000000, size = "512KiB" }\n', ""),
        "memory needs flash and at least one ram region",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_description_is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    text, message = BAD[case]
    path = write_board(tmp_path, text)
    with pytest.raises(TargetError, match=message) as caught:
        load_target(path)
    assert caught.value.at == str(path)
