"""Builds the test image of a build directory and takes it apart into firmware, golden data and port."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from emberc.harness.compile import compile_object, link
from emberc.harness.errors import BuildError
from emberc.harness.linkmap import LinkMap, Piece, parse_link_map
from emberc.harness.manifest import Manifest, load_manifest
from emberc.harness.symbols import check_objects, symbols_error
from emberc.targets import Target, runtime_root

Role = Literal["firmware", "golden", "port"]

_FLASH_SECTIONS = (".text", ".rodata", ".data", ".sdata", ".vectors", ".got", ".init_array", ".data.rel.ro")
_RAM_SECTIONS = (".data", ".sdata", ".bss", ".sbss")


@dataclass(frozen=True)
class ObjectSize:
    """What one object, or library member, holds in the image, in bytes; ``data`` counts in flash and in RAM."""

    name: str
    role: Role
    text: int
    rodata: int
    data: int
    bss: int

    @property
    def flash(self) -> int:
        return self.text + self.rodata + self.data


@dataclass(frozen=True)
class Image:
    """A linked program for a target.

    ``objects`` are sorted by flash, largest first. ``callgraphs`` are gcc's ``.ci`` files of the firmware sources,
    empty where the compiler writes none.
    """

    elf: Path
    target: Target
    manifest: Manifest
    objects: tuple[ObjectSize, ...]
    pieces: tuple[tuple[Piece, Role], ...]
    callgraphs: tuple[Path, ...]

    @property
    def flash_bytes(self) -> int:
        """The firmware in flash: code, weights and tables, without golden data and port."""
        return sum(o.flash for o in self.objects if o.role == "firmware")

    @property
    def code_bytes(self) -> int:
        """``flash_bytes`` without the weights and tables that the manifest counts."""
        return max(0, self.flash_bytes - self.manifest.constant_bytes)

    @property
    def static_ram_bytes(self) -> int:
        """Writable globals of the firmware: 0 in what emberc generates, a custom kernel may differ."""
        return sum(o.data + o.bss for o in self.objects if o.role == "firmware")

    @cached_property
    def _starts(self) -> list[int]:
        return [piece.address for piece, _ in self.pieces]

    def is_firmware(self, address: int) -> bool:
        """Whether the code at ``address`` is the model's, a kernel's or a library function's that they call."""
        at = bisect_right(self._starts, address) - 1
        if at < 0:
            return False
        piece, role = self.pieces[at]
        return role == "firmware" and address < piece.address + piece.size


def build_image(
    build_dir: Path,
    target: Target,
    work: Path,
    *,
    opt: str | None = None,
    extra_cflags: Sequence[str] = (),
) -> Image:
    """Compile and link the golden-vector test of ``build_dir`` for ``target`` in the folder ``work``.

    ``opt`` replaces the target's optimisation level; ``extra_cflags`` go to every compilation and to the link.

    Raises UsageError for a folder that is no build directory, ToolError for a missing tool, BuildError when the C
    does not compile, FitError when the image does not fit the board.
    """
    manifest = load_manifest(build_dir)
    work.mkdir(parents=True, exist_ok=True)
    firmware = compile_firmware(manifest, target, work, opt=opt, extra=extra_cflags)
    ports = [runtime_root() / "ports" / "common" / "test_main.c", *target.sources]
    includes = [build_dir / d for d in manifest.include_dirs]
    golden = compile_object(
        build_dir / manifest.golden,
        target,
        work,
        name=_object_stem(manifest.golden),
        includes=includes,
        opt=opt,
        extra=extra_cflags,
        port=True,
    )
    port = [compile_object(source, target, work, extra=extra_cflags, port=True) for source in ports]
    elf = work / f"{manifest.model}.elf"
    # Firmware first: library members are then charged to it, even when the golden data needs them too.
    objects = [*firmware, golden, *port]
    try:
        map_file = link(objects, target, elf, extra=extra_cflags, sections=manifest.sections)
    except BuildError:
        # A heap does not even link: it wants system calls that no port has. Name the heap, not those.
        if found := check_objects(objects, target):
            raise symbols_error(found, target) from None
        raise
    roles: dict[str, Role] = {str(o): "firmware" for o in firmware}
    roles[str(golden)] = "golden"
    return describe_image(elf, target, manifest, parse_link_map(map_file.read_text(errors="replace")), roles)


def check_symbols(image: Image) -> list[str]:
    """Symbols of heap, soft floating point and libm in the linked image: empty for firmware that keeps the promise.

    Reads the whole symbol table, so that port and golden data are held to it too.
    """
    return check_objects([image.elf], image.target).get(image.elf.name, [])


def compile_firmware(
    manifest: Manifest, target: Target, work: Path, *, opt: str | None, extra: Sequence[str] = ()
) -> list[Path]:
    """Compile the manifest's sources; returns the objects in the manifest's order."""
    includes = [manifest.folder / d for d in manifest.include_dirs]
    return [
        compile_object(
            manifest.folder / source,
            target,
            work,
            name=_object_stem(source),
            includes=includes,
            opt=opt,
            extra=extra,
        )
        for source in manifest.sources
    ]


def _object_stem(source: str) -> str:
    """``kernels/matmul.c`` -> ``kernels_matmul``: objects of all folders lie in one."""
    return source.rpartition(".")[0].replace("/", "_")


def describe_image(elf: Path, target: Target, manifest: Manifest, link_map: LinkMap, roles: dict[str, Role]) -> Image:
    """The Image of a linked ``elf``, its map's pieces told apart; what ``roles`` does not name is the port's."""

    def role(piece: Piece) -> Role:
        return roles.get(link_map.asker(piece.origin), "port")

    # Without a linker script of ours (the host) a build's own sections keep their names.
    own = {section: ".rodata" if kind == "flash" else ".bss" for section, kind, _ in manifest.sections}
    sizes: dict[tuple[str, Role], list[int]] = {}
    for piece in link_map.pieces:
        output = own.get(piece.output, piece.output)
        if output.startswith((*_FLASH_SECTIONS, *_RAM_SECTIONS)):
            row = sizes.setdefault((_object_name(piece.origin), role(piece)), [0, 0, 0, 0])
            row[_column(output)] += piece.size
    objects = sorted((ObjectSize(name, role_, *row) for (name, role_), row in sizes.items()), key=lambda o: -o.flash)
    code = sorted(((p, role(p)) for p in link_map.pieces if p.output == ".text"), key=lambda item: item[0].address)
    graphs = tuple(ci for o, r in roles.items() if r == "firmware" and (ci := Path(o).with_suffix(".ci")).is_file())
    return Image(elf, target, manifest, tuple(objects), tuple(code), graphs)


def _column(output: str) -> int:
    """Column of ObjectSize that an output section counts in: text, rodata, data, bss."""
    if output.startswith((".bss", ".sbss")):
        return 3
    if output.startswith((".rodata", ".data.rel.ro")):
        return 1
    return 2 if output.startswith((".data", ".sdata")) else 0


def _object_name(origin: str) -> str:
    """``kernels_matmul.o``, or ``libgcc.a(_udivmoddi4.o)``."""
    return origin.rpartition("/")[2]
