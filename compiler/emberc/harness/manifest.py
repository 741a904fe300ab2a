"""The build directory as the backend leaves it: ``manifest.json`` read and checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emberc.errors import UsageError


@dataclass(frozen=True)
class Manifest:
    """What ``manifest.json`` says; paths are relative to ``folder``, sizes in bytes.

    ``entry`` is the C function whose worst-case stack counts. ``io_bytes`` are the caller's input and output
    buffers, ``state_bytes`` what outlives a call. ``sections`` are what the C asks of the linker beyond the usual:
    (section, kind of memory "ram" or "flash", region of the target that it was compiled for).
    """

    folder: Path
    model: str
    target: str
    sources: tuple[str, ...]
    golden: str
    include_dirs: tuple[str, ...]
    vectors: int
    arena_bytes: int
    state_bytes: int
    io_bytes: int
    weights_bytes: int
    tables_bytes: int
    entry: str
    sections: tuple[tuple[str, str, str], ...] = ()

    @property
    def constant_bytes(self) -> int:
        """Weights and tables together."""
        return self.weights_bytes + self.tables_bytes


_TEXTS = ("model", "target", "golden", "entry")
_LISTS = ("sources", "include_dirs")
_NUMBERS = ("vectors", "arena_bytes", "state_bytes", "io_bytes", "weights_bytes", "tables_bytes")


def load_manifest(folder: Path) -> Manifest:
    """Read ``folder/manifest.json``.

    Raises UsageError when the folder is no build directory, or one that is damaged: a field missing or of the
    wrong type, a source that is not there.
    """
    path = folder / "manifest.json"
    hint = f"emberc compile MODEL -o {folder}"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise UsageError(f"'{folder}' is not a build directory: it has no manifest.json", hints=[hint]) from None
    except ValueError as error:
        raise UsageError(f"manifest.json is damaged: {error}", at=str(path), hints=[hint]) from None

    def field(name: str, ok: bool, kind: str) -> Any:
        if not isinstance(data, dict) or name not in data or not ok:
            raise UsageError(f"manifest.json is damaged: '{name}' must be {kind}", at=str(path), hints=[hint])
        return data[name]

    get = data.get if isinstance(data, dict) else lambda _: None
    values: dict[str, Any] = {}
    for name in _TEXTS:
        values[name] = field(name, isinstance(get(name), str), "a string")
    for name in _LISTS:
        found = get(name)
        ok = isinstance(found, list) and all(isinstance(item, str) for item in found)
        values[name] = tuple(field(name, ok, "a list of strings"))
    for name in _NUMBERS:
        found = get(name)
        ok = isinstance(found, int) and not isinstance(found, bool) and found >= 0
        values[name] = field(name, ok, "a number that is not negative")
    sections = get("sections") or []
    ok = isinstance(sections, list) and all(_is_section(item) for item in sections)
    values["sections"] = tuple(tuple(item) for item in sections) if ok else field("sections", ok, "a list of sections")
    for source in (*values["sources"], values["golden"]):
        if not (folder / source).is_file():
            raise UsageError(f"the build directory lacks '{source}'", at=str(path), hints=[hint])
    return Manifest(folder=folder, **values)


def _is_section(item: object) -> bool:
    return isinstance(item, list) and len(item) == 3 and all(isinstance(text, str) for text in item)
