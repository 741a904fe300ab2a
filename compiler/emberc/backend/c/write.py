"""Writes a build directory whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from emberc.errors import UsageError


def write_files(files: Mapping[str, str | bytes], out_dir: str | Path) -> None:
    """Writes ``files`` (path -> content) as the folder ``out_dir``.

    They are written beside it first and swapped in when complete, so an interrupted run leaves the old build or none.
    An existing build is replaced; files in it that emberc did not write stay. Raises UsageError if the folder can't be
    written, or holds something that is not an emberc build.
    """
    out = Path(out_dir).absolute()
    if out.is_symlink():
        out = out.resolve()
    ours = check_output(out)
    fresh = out.with_name(f".{out.name}.emberc-new-{os.getpid()}")
    old = out.with_name(f".{out.name}.emberc-old-{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            fresh.mkdir()
            for name, content in files.items():
                path = fresh / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
            if out.exists():
                out.rename(old)
                _keep_foreign(old, fresh, ours)
            fresh.rename(out)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            if old.exists() and not out.exists():
                old.rename(out)
            raise
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise UsageError(
            f"cannot write the build directory: {error.strerror or error}",
            at=str(out_dir),
            hints=["-o DIR names a folder that you may write"],
        ) from None


def check_output(out: Path) -> frozenset[str]:
    """The files that an earlier build left in ``out``; empty if there is none.

    Raises UsageError for something that must not be overwritten; a driver calls this before the long work starts.
    """
    hint = ["-o DIR names an empty or new folder, or an earlier build"]
    try:
        if not out.exists():
            return frozenset()
        if not out.is_dir():
            raise UsageError("the output is a file, not a folder", at=str(out), hints=hint)
        if out.samefile(Path.cwd()):
            raise UsageError("the output is the current folder, which can't be replaced", at=str(out), hints=hint)
        if not any(out.iterdir()):
            return frozenset()
        listed = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["files"]
        return frozenset(str(name) for name in listed) | {"report.json", "memory_plan.json", "fit_plan.json"}
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        raise UsageError(
            "the output folder holds something that is not an emberc build", at=str(out), hints=hint
        ) from None
    except OSError as error:
        raise UsageError(f"cannot look into the output folder: {error.strerror}", at=str(out), hints=hint) from None


def _keep_foreign(old: Path, fresh: Path, ours: frozenset[str]) -> None:
    """Copies what the user put into the old build to the new one, object files of ``make`` excepted."""
    for path in sorted(old.rglob("*")):
        name = path.relative_to(old).as_posix()
        if name in ours or name.startswith("obj/") or not path.is_file() or (fresh / name).exists():
            continue
        (fresh / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, fresh / name)
