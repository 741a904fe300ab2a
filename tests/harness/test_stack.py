"""Worst-case stack: on graphs written here, on a compiler's own, and the table of library frames."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from emberc import harness
from emberc.harness import StackError
from emberc.harness.stack import LIBRARY_FRAMES, worst_stack
from emberc.targets import load_target, target_names
from tests.harness.conftest import KERNEL_C, MODEL_C, MakeBuild, compilers


def graph(folder: Path, name: str, text: str) -> Path:
    """A .ci file of "function bytes" and "caller > callee" lines; bytes "?" for an external function."""
    lines = [f'graph: {{ title: "{name}.c"']
    for line in text.split(";"):
        if ">" in line:
            caller, callee = (w.strip() for w in line.split(">"))
            lines.append(f'edge: {{ sourcename: "{caller}" targetname: "{callee}" label: "{name}.c:1:1" }}')
            continue
        title, size = line.split()
        if size == "?":
            lines.append(f'node: {{ title: "{title}" label: "{title}\\n<built-in>" shape : ellipse }}')
        else:
            label = f"{title}\\n{name}.c:1:1\\n{size.replace('_', ' bytes (', 1)})"
            lines.append(f'node: {{ title: "{title}" label: "{label}" }}')
    path = folder / f"{name}.ci"
    path.write_text("\n".join([*lines, "}"]) + "\n")
    return path


def test_deepest_path_over_several_files(tmp_path: Path) -> None:
    files = [
        graph(tmp_path, "model", "run 16_static; a ?; b ?; run > a; run > b"),
        graph(tmp_path, "a", "a 100_static"),
        graph(tmp_path, "b", "b 8_static; b.c:inner 120_dynamic,bounded; b > b.c:inner"),
    ]
    use = worst_stack(files, "run")
    assert use.total == 16 + 8 + 120
    assert use.path == ("run", "b", "inner")


def test_statics_of_one_name_are_told_apart(tmp_path: Path) -> None:
    files = [
        graph(tmp_path, "a", "run 8_static; a.c:f 16_static; g ?; run > a.c:f; run > g"),
        graph(tmp_path, "b", "g 8_static; b.c:f 500_static; g > b.c:f"),
    ]
    assert worst_stack(files, "run").total == 8 + 8 + 500


def test_library_callee_counts_its_constant(tmp_path: Path) -> None:
    file = graph(tmp_path, "m", "run 8_static; memcpy ?; run > memcpy")
    assert worst_stack([file], "run").total == 8 + LIBRARY_FRAMES["memcpy"]


REFUSED = {
    "recursion": ("run 8_static; f 8_static; run > f; f > run", "'run' calls itself: run -> f -> run"),
    "pointer": ("run 8_static; __indirect_call ?; run > __indirect_call", "'run' calls through a pointer"),
    "dynamic": ("run 8_static; f 8_dynamic; run > f", "the frame of 'f' has no fixed size"),
    "unknown": ("run 8_static; mystery ?; run > mystery", "'run' calls 'mystery', whose stack use is not known"),
    "no entry": ("other 8_static", "no stack figures for the entry 'run'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_bound_is_named(case: str, tmp_path: Path) -> None:
    text, message = REFUSED[case]
    with pytest.raises(StackError) as caught:
        worst_stack([graph(tmp_path, "m", text)], "run")
    assert caught.value.message.startswith(message)


@pytest.mark.board
@pytest.mark.parametrize("name", compilers(target_names()))
def test_compilers_graph_shows_recursion(name: str, make_build: MakeBuild) -> None:
    recursive = MODEL_C.replace("return 0;", "return x[0] > 99 ? doubler_run(y, y) + doubler_run(x, y) : 0;")
    with pytest.raises(StackError, match="'doubler_run' calls itself"):
        harness.stack_bytes(make_build(sources={"doubler.c": recursive}), load_target(name))


@pytest.mark.board
@pytest.mark.parametrize("name", compilers(target_names()))
def test_compilers_graph_shows_a_variable_frame(name: str, make_build: MakeBuild) -> None:
    variable = KERNEL_C.replace("row[64]", "row[(unsigned char)w[0] + 4]")
    with pytest.raises(StackError, match="the frame of 'ember_scale_s8' has no fixed size"):
        harness.stack_bytes(make_build(sources={"kernels/ember_scale_s8.c": variable}), load_target(name))


LIBRARY_CALLS = """\
#include <stdint.h>
#include <string.h>
int64_t divide(int64_t x, int64_t y) { return x / y + x % y; }
uint64_t udivide(uint64_t x, uint64_t y) { return x / y + x % y; }
uint64_t shift(uint64_t x, int n) { return (x << n) | (x >> (n + 1)); }
int64_t ashift(int64_t x, int n) { return x >> n; }
int64_t multiply(int64_t x, int64_t y) { return x * y; }
int bits(unsigned x, uint64_t y)
{
    return __builtin_clz(x) + __builtin_ctz(x) + __builtin_clzll(y) + __builtin_ctzll(y) + __builtin_popcount(x) +
           (int)__builtin_bswap32(x);
}
void copy(void *p, void *q, unsigned n) { memcpy(p, q, n); }
void move(void *p, void *q, unsigned n) { memmove(p, q, n); }
void fill(void *p, unsigned n) { memset(p, 1, n); }
int compare(void *p, void *q, unsigned n) { return memcmp(p, q, n); }
"""
_PUSH = re.compile(r"\t(?:push(?:\.w)?|stmdb(?:\.w)?\s+sp!,|vpush)\s*\{([^}]*)\}")
_LOWER = re.compile(r"\t(?:sub(?:\.w)?\s+sp, (?:sp, )?#(\d+)|addi?\s+sp,sp,-(\d+)|\S+\s.*\[sp, #-(\d+)\]!)")
_CALL = re.compile(r"\t(?:bl|b|b\.w|b\.n|jal|j)\s+(?:ra,)?[0-9a-f]+ <([^+>]+)>")


def frames(listing: str) -> tuple[dict[str, int], dict[str, set[str]]]:
    """Per function of a disassembly: all bytes it ever takes off the stack pointer, and whom it calls."""
    taken: dict[str, int] = {}
    calls: dict[str, set[str]] = {}
    name = "?"
    for line in listing.splitlines():
        if match := re.match(r"[0-9a-f]+ <(.+)>:", line):
            name = match[1]
            taken[name], calls[name] = 0, set()
        elif match := _PUSH.search(line):
            taken[name] += 4 * len(match[1].split(","))
        elif match := _LOWER.search(line):
            taken[name] += int(match[1] or match[2] or match[3])
        elif match := _CALL.search(line):
            calls[name].add(match[1])
    return taken, calls


@pytest.mark.board
@pytest.mark.parametrize("name", compilers([name for name in target_names() if name != "host"]))
def test_library_frames_bound_the_librarys_code(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    source, elf = tmp_path / "calls.c", tmp_path / "calls.elf"
    source.write_text(LIBRARY_CALLS)
    compiler = [*target.toolchain.compiler, "-O2", "-nostartfiles", "-Wl,--entry=divide"]
    subprocess.run([*compiler, str(source), "-o", str(elf)], check=True)
    listing = subprocess.run(
        [*target.toolchain.objdump, "-d", str(elf)], check=True, capture_output=True, text=True
    ).stdout
    taken, calls = frames(listing)

    def deepest(function: str, above: tuple[str, ...] = ()) -> int:
        below = [deepest(f, (*above, function)) for f in calls[function] if f in taken and f not in (*above, function)]
        return taken[function] + max(below, default=0)

    linked = [function for function in LIBRARY_FRAMES if function in taken]
    assert {"memcpy", "memmove", "memset", "memcmp", "__popcountsi2"} <= set(linked)
    too_small = {f: deepest(f) for f in linked if deepest(f) > LIBRARY_FRAMES[f]}
    assert too_small == {}
    # What the compiler called is in the table: nothing that integer code needs would be refused as unknown.
    own = {"divide", "udivide", "shift", "ashift", "multiply", "bits", "copy", "move", "fill", "compare"}
    assert {callee for function in own for callee in calls[function]} <= set(LIBRARY_FRAMES)
