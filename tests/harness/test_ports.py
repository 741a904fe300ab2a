"""The ports and the profiler's plugin as C: warning-free for both compilers, markers where the profiler looks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from emberc import harness
from emberc.errors import ToolError
from emberc.harness import STRICT_CFLAGS
from emberc.harness.plugin import plugin_for
from emberc.harness.profile import parse_disassembly
from emberc.targets import load_target, runtime_root, target_names
from tests.harness.conftest import GOLDEN_C, MakeBuild

PORTS = runtime_root() / "ports"
BARE = ["common/test_main.c", "common/semihosting.c", "common/stack.c"]


@pytest.mark.board
@pytest.mark.parametrize("source", BARE)
@pytest.mark.parametrize("triple", ["arm-none-eabi", "riscv32-unknown-elf"])
def test_clang_compiles_the_bare_metal_sources(source: str, triple: str, tmp_path: Path) -> None:
    cpu = ["-mcpu=cortex-m4"] if triple.startswith("arm") else ["-march=rv32imac"]
    flags = ["-std=c99", "-ffreestanding", *STRICT_CFLAGS, f"-I{runtime_root() / 'include'}"]
    argv = ["clang", f"--target={triple}", *cpu, *flags, "-c", str(PORTS / source), "-o", str(tmp_path / "o")]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("source", ["host/port.c", "common/test_main.c"])
def test_host_sources_compile_strictly(source: str, compiler: str, tmp_path: Path) -> None:
    flags = ["-std=c99", *STRICT_CFLAGS, f"-I{runtime_root() / 'include'}"]
    argv = [compiler, *flags, "-c", str(PORTS / source), "-o", str(tmp_path / "o")]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("abi", [1, 2])
def test_plugin_compiles_for_both_interfaces(abi: int, compiler: str, tmp_path: Path) -> None:
    source = Path(harness.__file__).parent / "qemu" / "region_profile.c"
    flags = ["-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", f"-DEMBER_QEMU_PLUGIN_ABI={abi}"]
    argv = [compiler, *flags, "-fPIC", "-c", str(source), "-o", str(tmp_path / "o")]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.board
def test_plugin_is_built_once_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBERC_CACHE", str(tmp_path / "cache"))
    plugin = plugin_for("qemu-system-arm")
    assert plugin.parent == tmp_path / "cache"
    made = plugin.stat().st_mtime_ns
    assert plugin_for("qemu-system-arm") == plugin
    assert plugin.stat().st_mtime_ns == made
    assert [p.name for p in plugin.parent.iterdir()] == [plugin.name], "no half-made file stays"


@pytest.mark.board
def test_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EMBERC_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ToolError, match="the cache folder can't be written") as caught:
        plugin_for("qemu-system-arm")
    assert caught.value.hints == ["set EMBERC_CACHE to a folder that can"]


@pytest.mark.board
@pytest.mark.parametrize("name", [name for name in target_names() if name != "host"])
def test_each_vector_has_its_region_up_to_the_last(name: str, make_build: MakeBuild, tmp_path: Path) -> None:
    golden = GOLDEN_C.replace("vectors = 3", "vectors = 70").replace("input[vector]", "input[vector % 3]")
    golden = golden.replace("expected[vector]", "expected[vector % 3]")
    target = load_target(name)
    image = harness.build_image(make_build(sources={"doubler_golden.c": golden}), target, tmp_path / "work")
    result = harness.run_image(image, target)
    assert len(result.vectors) == 70
    assert sorted(result.regions) == list(range(1, 64))
    one = result.regions[1]
    assert all(result.regions[region] == one for region in range(1, 63))
    assert result.regions[63].instructions == 8 * one.instructions
    assert result.instructions == one.instructions


@pytest.mark.board
def test_without_a_profile_results_stay(make_build: MakeBuild, tmp_path: Path) -> None:
    target = load_target("cortex-m33")
    image = harness.build_image(make_build(), target, tmp_path / "work")
    result = harness.run_image(image, target, profile=False)
    assert (result.mismatches, result.instructions, result.cycles) == (0, None, None)


LISTING = """\
00000400 <ember_scale_s8>:
     400:\tb530      \tpush\t{r4, r5, lr}
     402:\tf04f 0c00 \tmov.w\tip, #0
     406:\t4b02      \tldr\tr3, [pc, #8]\t; (410 <ember_scale_s8+0x10>)
     408:\td1fb      \tbne.n\t402 <ember_scale_s8+0x2>

0000040a <doubler_run>:
     40a:\t4770      \tbx\tlr
80000036:\t00050783          \tlb\ta5,0(a0) # 8000 <x>
"""


def test_disassembly_is_read_without_comments() -> None:
    found = parse_disassembly(LISTING)
    assert [(i.mnemonic, i.operands, i.size) for i in found.code.values()] == [
        ("push", "{r4, r5, lr}", 2),
        ("mov.w", "ip, #0", 4),
        ("ldr", "r3, [pc, #8]", 2),
        ("bne.n", "402", 2),
        ("bx", "lr", 2),
        ("lb", "a5,0(a0)", 4),
    ]
    assert found.function(0x408) == "ember_scale_s8"
    assert found.function(0x40A) == "doubler_run"
    assert found.function(0x3FF) == "?"
