"""Code size and stack of a build directory, from compiled objects alone: no emulator, no golden vectors."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from emberc.harness.compile import link
from emberc.harness.errors import StackError
from emberc.harness.image import Role, compile_firmware, describe_image
from emberc.harness.linkmap import parse_link_map
from emberc.harness.manifest import load_manifest
from emberc.harness.stack import worst_stack
from emberc.targets import Target


@dataclass(frozen=True)
class Measurement:
    """Bytes of code that the entry reaches (constants apart), and its worst-case stack."""

    code_bytes: int
    stack_bytes: int


def measure_build(build_dir: Path, target: Target, *, opt: str | None = None) -> Measurement:
    """Compile ``build_dir`` for ``target``, link what the entry reaches, and measure it.

    Raises as :func:`emberc.harness.build_image` does, and StackError when the stack has no bound.
    """
    manifest = load_manifest(build_dir)
    with tempfile.TemporaryDirectory(prefix="emberc-") as folder:
        work = Path(folder)
        firmware = compile_firmware(manifest, target, work, opt=opt)
        elf = work / f"{manifest.model}.elf"
        map_file = link(firmware, target, elf, entry=manifest.entry, sections=manifest.sections)
        link_map = parse_link_map(map_file.read_text(errors="replace"))
        roles: dict[str, Role] = {str(o): "firmware" for o in firmware}
        image = describe_image(map_file.with_suffix(".elf"), target, manifest, link_map, roles)
        return Measurement(image.code_bytes, _stack(image.callgraphs, manifest.entry, target))


def stack_bytes(build_dir: Path, target: Target, *, opt: str | None = None) -> int:
    """Worst-case stack of the manifest's entry in bytes, through model, kernels and library routines."""
    manifest = load_manifest(build_dir)
    with tempfile.TemporaryDirectory(prefix="emberc-") as folder:
        objects = compile_firmware(manifest, target, Path(folder), opt=opt)
        graphs = [ci for o in objects if (ci := o.with_suffix(".ci")).is_file()]
        return _stack(graphs, manifest.entry, target)


def _stack(graphs: list[Path] | tuple[Path, ...], entry: str, target: Target) -> int:
    if not graphs:
        compiler = target.toolchain.compiler[0]
        raise StackError(
            f"{compiler} reports no stack use",
            at=target.title,
            hints=["use gcc 10 or newer: it writes call graphs with -fcallgraph-info"],
        )
    return worst_stack(graphs, entry).total
