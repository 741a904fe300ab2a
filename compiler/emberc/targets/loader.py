"""Reads and checks target TOML files."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from emberc.errors import TargetError
from emberc.targets.runtime import runtime_root
from emberc.targets.schema import ISA_FEATURES, Emulator, Region, Target, Toolchain

_HERE = Path(__file__).resolve().parent
_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB)?")
_UNIT = {None: 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SECTION = re.compile(r"\.[A-Za-z_][\w.]*")
_OPT = re.compile(r"-O(?:[0-3sgz]|fast)?")


def target_names() -> list[str]:
    """The targets that come with emberc: the host first, then boards in natural order."""

    def natural(name: str) -> tuple[bool, list[tuple[bool, int, str]]]:
        parts = re.findall(r"\d+|\D+", name)
        return name != "host", [(p.isdigit(), int(p) if p.isdigit() else 0, p) for p in parts]

    return sorted((path.stem for path in _HERE.glob("*.toml")), key=natural)


def load_target(name_or_path: str | Path) -> Target:
    """The target of that name or alias, or the one that a user's TOML file describes.

    Files that the TOML names are looked up beside it, then in ``runtime_c/ports``.

    Raises TargetError for an unknown name, an unreadable file, or a description that breaks the schema.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(".toml") or "/" in text:
        return _read(Path(text))
    known = _known()
    if text in known:
        return _read(known[text])
    names = target_names()
    near = difflib.get_close_matches(text, known, n=1)
    raise TargetError(
        f"unknown target '{text}'",
        details=[f"known: {', '.join(names)}"],
        hints=[f"--target {near[0]}"] if near else ["a path to a TOML file describes a board of your own"],
    )


@cache
def _known() -> dict[str, Path]:
    """Name or alias -> file, for the targets that come with emberc."""
    table = {name: _HERE / f"{name}.toml" for name in target_names()}
    for path in list(table.values()):
        table.update(dict.fromkeys(_read(path).aliases, path))
    return table


@cache
def _read(path: Path) -> Target:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TargetError(
            f"cannot read the target description: {error.strerror or error}",
            at=str(path),
            details=[f"known: {', '.join(target_names())}"],
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TargetError(f"not valid TOML: {error}", at=str(path)) from None
    except RecursionError:
        raise TargetError("not a target description: it nests too deeply", at=str(path)) from None
    return _target(_Table(data, path))


class _Table:
    """One TOML table being consumed: typed access, and at the end an error for what nobody asked for."""

    def __init__(self, data: Mapping[str, Any], file: Path, prefix: str = "") -> None:
        self._data = dict(data)
        self._asked: set[str] = set()
        self.file = file
        self.prefix = prefix

    def fail(self, key: str, message: str) -> TargetError:
        return TargetError(f"{self.prefix}{key} {message}", at=str(self.file))

    def take(self, key: str, kind: type, what: str, default: Any = ...) -> Any:
        self._asked.add(key)
        if key not in self._data:
            if default is ...:
                raise self.fail(key, f"is missing: {what}")
            return default
        value = self._data[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.fail(key, f"must be {what}, not {value!r}")
        return value

    def text(self, key: str, default: Any = ...) -> str:
        value: str = self.take(key, str, "a string", default)
        return value

    def label(self, key: str) -> str:
        """One line that comments of C and linker scripts can hold."""
        value = self.text(key)
        if not value.isprintable() or "*/" in value or not value.strip():
            raise self.fail(key, f"must be one line of text without '*/', not {value!r}")
        return value

    def texts(self, key: str, default: Any = ...) -> tuple[str, ...]:
        values = self.take(key, list, "a list of strings", default)
        if not all(isinstance(v, str) for v in values):
            raise self.fail(key, f"must be a list of strings, not {values!r}")
        return tuple(values)

    def size(self, key: str, default: Any = ...) -> int:
        """Bytes: an integer, or a string such as ``"64KiB"``."""
        value = self.take(key, object, 'a size such as "64KiB"', default)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        match = _SIZE.fullmatch(value) if isinstance(value, str) else None
        if not match or not int(match[1]):
            raise self.fail(key, f'must be a size such as 65536 or "64KiB", not {value!r}')
        return int(match[1]) * _UNIT[match[2]]

    def count(self, key: str) -> int:
        """A number that is not negative; 0 where it is not given."""
        value: int = self.take(key, int, "a number of cycles", 0)
        if value < 0:
            raise self.fail(key, f"must be a number of cycles from 0, not {value}")
        return value

    def table(self, key: str) -> _Table | None:
        value = self.take(key, dict, "a table", None)
        return None if value is None else _Table(value, self.file, f"{self.prefix}{key}.")

    def tables(self, key: str) -> list[_Table]:
        """A list of tables; one table alone is a list of one."""
        if isinstance(self._data.get(key), dict):
            return [table for table in [self.table(key)] if table is not None]
        values = self.take(key, list, "a list of tables", [])
        if not all(isinstance(v, dict) for v in values):
            raise self.fail(key, "must be a list of tables")
        return [_Table(v, self.file, f"{self.prefix}{key}[{i}].") for i, v in enumerate(values)]

    def finish(self) -> None:
        unknown = sorted(set(self._data) - self._asked)
        if unknown:
            raise self.fail(unknown[0], f"is not a known key; known here: {', '.join(sorted(self._asked))}")


def _region(table: _Table, name: str = "") -> Region:
    """One region; ``name`` is what it is called unless it says another."""
    said = table.text("name", name or ...)
    if not _NAME.fullmatch(said):
        raise table.fail("name", f"must be a name of letters, digits and _, not {said!r}")
    region = Region(
        said,
        table.take("origin", int, "an address"),
        table.size("size"),
        table.count("read_wait"),
        table.count("write_wait"),
        table.text("section", ""),
    )
    if region.section and not _SECTION.fullmatch(region.section):
        raise table.fail("section", f"must be a linker section such as .dtcm, not {region.section!r}")
    table.finish()
    return region


def _with_section(region: Region, default: str) -> Region:
    """The region with a section of its own, ``.`` and its name unless it says another; none in the ``default`` one."""
    return region if region.section or region.name == default else replace(region, section=f".{region.name.lower()}")


@dataclass(frozen=True)
class _Memory:
    """What ``[memory]`` says."""

    flash: tuple[Region, ...]
    ram: tuple[Region, ...]
    vectors: Region | None
    stack_bytes: int
    stack_in: str
    data_in: str


def _memory(top: _Table) -> _Memory:
    table = top.table("memory") or _Table({}, top.file, "memory.")
    flash = [_region(r, "" if at else "FLASH") for at, r in enumerate(table.tables("flash"))]
    ram = [_region(r) for r in table.tables("ram")]
    vectors = table.table("vectors")
    _check_apart(table, [*flash, *ram])
    where = {key: table.text(key, ram[0].name if ram else "") for key in ("stack_in", "data_in")}
    for key, name in where.items():
        if name not in {r.name for r in ram} and (ram or name):
            raise table.fail(key, f"names '{name}', which is no RAM region; known: {', '.join(r.name for r in ram)}")
    memory = _Memory(
        tuple(_with_section(r, flash[0].name) for r in flash),
        tuple(_with_section(r, where["data_in"]) for r in ram),
        _region(vectors, "VECTORS") if vectors else None,
        table.size("stack", 16 * 1024),
        where["stack_in"],
        where["data_in"],
    )
    table.finish()
    return memory


def _check_apart(table: _Table, regions: Sequence[Region]) -> None:
    """No two regions of one name, whatever the case, and none over another."""
    for at, region in enumerate(regions):
        for other in regions[:at]:
            if region.name.lower() == other.name.lower():
                raise table.fail("regions", f"have the name '{region.name}' twice")
            if region.origin < other.origin + other.size and other.origin < region.origin + region.size:
                raise table.fail("regions", f"'{other.name}' and '{region.name}' overlap")


def _file(table: _Table, key: str, name: str) -> Path:
    for folder in (table.file.resolve().parent, runtime_root() / "ports"):
        if (folder / name).is_file():
            return (folder / name).resolve()
    raise table.fail(key, f"names '{name}', which is neither beside the description nor in runtime_c/ports")


def _target(top: _Table) -> Target:
    name = top.label("name")
    isa = top.texts("isa")
    for feature in isa:
        if feature not in ISA_FEATURES:
            raise top.fail("isa", f"names '{feature}'; known: {', '.join(ISA_FEATURES)}")
    if not isa or isa[0] != "portable":
        raise top.fail("isa", 'must start with "portable": every target runs the portable kernels')
    memory = _memory(top)
    board = top.table("board")
    if board is None:
        raise top.fail("board", "is missing: the table that names the port's sources")
    script = board.text("linker_script", "")
    opt = top.text("opt", "-O2")
    if not _OPT.fullmatch(opt):
        raise top.fail("opt", f"must be an optimisation flag such as -O2, not {opt!r}")
    target = Target(
        name=name,
        title=top.label("title"),
        aliases=top.texts("aliases", []),
        cpu=top.text("cpu"),
        isa=isa,
        opt=opt,
        flash=memory.flash,
        vectors=memory.vectors,
        ram=memory.ram,
        stack_in=memory.stack_in,
        data_in=memory.data_in,
        stack_bytes=memory.stack_bytes,
        toolchain=_toolchain(top),
        linker_script=_file(board, "linker_script", script) if script else None,
        sources=tuple(_file(board, "sources", s) for s in board.texts("sources")),
        emulator=_emulator(top),
        packages=_packages(top),
    )
    if target.linker_script and not (target.flash and target.ram):
        raise top.fail("memory", "needs flash and at least one ram region: the linker script places code in them")
    board.finish()
    top.finish()
    return target


def _toolchain(top: _Table) -> Toolchain:
    table = top.table("toolchain")
    if table is None:
        raise top.fail("toolchain", "is missing: the table that names the compiler")
    toolchain = Toolchain(
        compiler=table.texts("compiler"),
        cflags=table.texts("cflags", []),
        ldflags=table.texts("ldflags", []),
        objdump=table.texts("objdump", ["objdump"]),
        nm=table.texts("nm", ["nm"]),
    )
    if not toolchain.compiler:
        raise table.fail("compiler", "must name the compiler's command")
    table.finish()
    return toolchain


def _emulator(top: _Table) -> Emulator | None:
    table = top.table("emulator")
    if table is None:
        return None
    model = table.text("cycle_model", "")
    emulator = Emulator(table.texts("command"), table.take("profile", bool, "true or false", False), model or None)
    if not any("{elf}" in word for word in emulator.command):
        raise table.fail("command", "must hold {elf} where the image's path goes")
    table.finish()
    return emulator


def _packages(top: _Table) -> dict[str, str]:
    packages = top.take("packages", dict, "a table of tool = packages", {})
    for tool, names in packages.items():
        if not isinstance(names, str):
            raise top.fail(f"packages.{tool}", "must be a string of package names")
    return dict(packages)
