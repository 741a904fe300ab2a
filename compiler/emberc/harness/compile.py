"""Compiles and links C for a target; knows flags and linker messages, nothing of models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from emberc.errors import FitError, ToolError
from emberc.harness.errors import BuildError
from emberc.harness.tools import run_tool
from emberc.targets import Target, runtime_root

STRICT_CFLAGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
"""What all our C is clean under; the harness itself builds without, so that a newer compiler's new warning
does not stop a user."""

_COMMON = ("-std=c99", "-ffunction-sections", "-fdata-sections", "-fno-common")
# The port may not pull library code into the image (a copy loop turned into memcpy): it would count as firmware.
_PORT_ONLY = ("-ffreestanding", "-fno-tree-loop-distribute-patterns")
_OVERFLOW = re.compile(r"region [`'](\w+)' overflowed by (\d+) bytes")
_CALLGRAPH = "-fcallgraph-info=su"


def compile_object(
    source: Path,
    target: Target,
    folder: Path,
    *,
    name: str | None = None,
    includes: Sequence[Path] = (),
    opt: str | None = None,
    extra: Sequence[str] = (),
    port: bool = False,
) -> Path:
    """Compile one C or assembly source to ``folder/<name>.o`` and return that path.

    ``name`` is the source's, its folder before it, unless given. Beside the object lies ``<name>.ci``, the call
    graph with stack use, when the compiler can write it. ``port`` marks sources that are no firmware.
    """
    chain = target.toolchain
    out = folder / f"{name or f'{source.parent.name}_{source.stem}'}.o"
    flags = [*_COMMON, opt or target.opt, *chain.cflags]
    if target.linker_script and port:
        flags += _PORT_ONLY
    if source.suffix == ".c" and callgraph_supported(chain.compiler):
        flags.append(_CALLGRAPH)
    flags += [f"-I{folder_}" for folder_ in (*includes, runtime_root() / "include")]
    argv = [*chain.compiler, *flags, *extra, "-c", str(source), "-o", str(out)]
    run_tool(argv, what=f"compiling {source.name} for {target.name}", target=target)
    return out


@cache
def callgraph_supported(compiler: tuple[str, ...]) -> bool:
    """Whether the compiler takes ``-fcallgraph-info`` (gcc from version 10; clang does not)."""
    try:
        run_tool(
            [*compiler, _CALLGRAPH, "-E", "-x", "c", "/dev/null", "-o", "/dev/null"],
            what="probing the compiler",
        )
    except (BuildError, ToolError):  # one that is missing is named by the call that needs it, with its package
        return False
    return True


def link(
    objects: Sequence[Path],
    target: Target,
    elf: Path,
    *,
    entry: str | None = None,
    extra: Sequence[str] = (),
    sections: Sequence[tuple[str, str, str]] = (),
) -> Path:
    """Link to ``elf`` with unused sections dropped; returns the map file's path.

    ``sections`` are those that the build places in regions of its choice (``section_script``).

    Without ``entry`` the image is a whole program in the board's memory. With it, only what ``entry`` reaches is
    linked, nowhere in particular: that measures sizes without a port.

    Raises FitError when a memory region overflows, BuildError for any other linker error.
    """
    chain = target.toolchain
    map_file = elf.with_suffix(".map")
    flags = [*chain.ldflags, "-Wl,--gc-sections", f"-Wl,-Map={map_file}"]
    if entry:
        flags += ["-nostartfiles", f"-Wl,--entry={entry}", f"-Wl,--undefined={entry}"]
    if target.linker_script:
        flags += ["-nostartfiles", f"-L{elf.parent}", f"-L{target.linker_script.parent}"]
        flags += [f"-T{target.linker_script}"]
        (elf.parent / "memory.ld").write_text(memory_script(target, unbounded=entry is not None))
        (elf.parent / "regions.ld").write_text(section_script(target, sections))
    argv = [*chain.compiler, *extra, *map(str, objects), *flags, "-o", str(elf)]
    try:
        run_tool(argv, what=f"linking for {target.name}", target=target)
    except BuildError as error:
        overflow = {m[1]: int(m[2]) for line in error.details for m in _OVERFLOW.finditer(line)}
        if overflow:
            raise _overflow_error(target, overflow) from None
        raise
    return map_file


def memory_script(target: Target, *, unbounded: bool = False) -> str:
    """``memory.ld``: the board's regions for the linker, which enforces their sizes.

    ``unbounded`` gives every region a size that nothing overflows, for measuring.
    """
    regions = [*target.flash, *target.ram, *([target.vectors] if target.vectors else [])]
    lines = [f"/* {target.title}: written by emberc from the target's description. */", "MEMORY {"]
    for at, region in enumerate(regions):
        # Unbounded regions lie one gigabyte apart, so that they can't run into each other.
        origin, size = (at << 30, 1 << 30) if unbounded else (region.origin, region.size)
        lines.append(f"  {region.name} (rwx) : ORIGIN = {origin:#x}, LENGTH = {size:#x}")
    lines.append("}")
    names = {region.name for region in regions}
    roles = {"FLASH": target.flash[0].name, "RAM": target.data_in, "STACK": target.stack_in}
    if not target.vectors:
        roles["VECTORS"] = target.flash[0].name
    lines += [f'REGION_ALIAS("{role}", {name})' for role, name in roles.items() if role not in names]
    lines.append(f"STACK_SIZE = {target.stack_bytes};")
    return "\n".join(lines) + "\n"


def section_script(target: Target, sections: Sequence[tuple[str, str, str]]) -> str:
    """``regions.ld``: where the sections (name, kind "ram" or "flash", region) of a build lie on this board.

    A region of another board, which this one lacks, becomes the RAM of ``.data`` or the flash of ``.rodata``: so a
    build for one board runs on all. The outputs are called ``.bss...`` and ``.rodata...``, as what they hold counts.
    """
    names = {region.name for region in (*target.flash, *target.ram)}
    lines = []
    for section, kind, region in sections:
        inputs = f"*({section} {section}.*)"
        if kind == "ram":
            place = region if region in names else "RAM"
            lines.append(f"  .bss{section} (NOLOAD) : ALIGN(16) {{ {inputs} }} > {place}")
        else:
            place = region if region in names else "FLASH"
            lines.append(f"  .rodata{section} : ALIGN(16) {{ {inputs} }} > {place}")
    return "".join(f"{line}\n" for line in lines)


def _overflow_error(target: Target, overflow: dict[str, int]) -> FitError:
    sizes = {r.name: r.size for r in (*target.flash, *target.ram, target.vectors) if r}
    return FitError(
        f"the test image does not fit {target.name}: "
        + ", ".join(f"{region} overflows by {excess:,} bytes" for region, excess in overflow.items()),
        at=target.title,
        details=[
            f"{region}: {sizes[region]:,} bytes available, {sizes[region] + excess:,} required"
            for region, excess in overflow.items()
            if region in sizes
        ],
        hints=[
            f"beside the firmware, the image holds the golden vectors and {target.stack_bytes:,} bytes of stack",
            "test on a board with more memory: emberc targets",
        ],
    )
