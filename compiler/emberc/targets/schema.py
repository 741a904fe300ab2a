"""What a target is: the frozen dataclasses that a TOML file is read into."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

ISA_FEATURES = ("portable", "armv7em", "armv7em-m7", "mve", "rv32")
"""Known kernel families, each a folder of ``runtime_c/kernels``; "-m7" are the same instructions in the order that
suits a Cortex-M7, beside the others."""


@dataclass(frozen=True)
class Region:
    """A stretch of the board's address space; ``origin`` and ``size`` in bytes.

    ``read_wait`` and ``write_wait`` are the cycles that a 32-bit access takes beyond one to memory at the
    processor's own pace (0: tightly coupled). ``section`` is the linker section of what is placed here; "" where
    the linker's own (``.bss``, ``.rodata``) lie here anyway.
    """

    name: str
    origin: int
    size: int
    read_wait: int = 0
    write_wait: int = 0
    section: str = ""


@dataclass(frozen=True)
class Toolchain:
    """The cross compiler and its binutils, each an argv prefix.

    ``compiler`` carries the flags that decide the ABI (they are used for compiling and for linking);
    ``cflags`` are for compiling alone and ``ldflags`` for linking alone.
    """

    compiler: tuple[str, ...]
    cflags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()
    objdump: tuple[str, ...] = ("objdump",)
    nm: tuple[str, ...] = ("nm",)


@dataclass(frozen=True)
class Emulator:
    """How an image runs on the developer's machine: ``{elf}`` in ``command`` stands for the image.

    ``profile`` says that the command is a QEMU that takes ``-plugin``; ``cycle_model`` names the model
    in :mod:`emberc.harness.cycles` that turns its counts into modelled cycles.
    """

    command: tuple[str, ...]
    profile: bool = False
    cycle_model: str | None = None


@dataclass(frozen=True)
class Target:
    """One board: processor, memory, tools, and the files that bring it up.

    ``isa`` is ordered, most specialised last: the backend takes a kernel from the last family that has it.
    ``flash`` is empty where flash is not bounded (the host); code lies in its first region. ``ram`` is in the order
    of the description. ``stack_in`` names the region of the stack, ``data_in`` that of ``.data`` and ``.bss``, where
    the caller's buffers and context are taken to lie. ``vectors`` is the region of the vector table where that is
    not the start of flash. ``packages`` maps a tool's file name to the Debian packages that bring it. All paths are
    absolute.
    """

    name: str
    title: str
    cpu: str
    isa: tuple[str, ...]
    toolchain: Toolchain
    sources: tuple[Path, ...]
    aliases: tuple[str, ...] = ()
    flash: tuple[Region, ...] = ()
    ram: tuple[Region, ...] = ()
    stack_in: str = ""
    data_in: str = ""
    vectors: Region | None = None
    stack_bytes: int = 16 * 1024
    opt: str = "-O2"
    linker_script: Path | None = None
    emulator: Emulator | None = None
    packages: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def flash_bytes(self) -> int | None:
        """Sum of all flash regions in bytes; None where flash is not bounded."""
        return sum(region.size for region in self.flash) if self.flash else None

    @property
    def ram_bytes(self) -> int | None:
        """Sum of all RAM regions in bytes; None where RAM is not bounded."""
        return sum(region.size for region in self.ram) if self.ram else None

    def packages_for(self, tool: str) -> str:
        """Debian packages that bring ``tool`` (``arm-none-eabi-gcc``, whatever its folder); '' if not known."""
        return self.packages.get(Path(tool).name, "")
