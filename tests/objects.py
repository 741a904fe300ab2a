"""Every object that the harness compiles is compiled once a test run: most builds share most kernels.

The key is all that decides an object: the compiler, its flags, the source and the headers that it includes, as text.
Nothing is kept between runs. What does not compile is not kept either, so errors come from the compiler itself.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

_INCLUDE = re.compile(rb'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.MULTILINE)

RunTool = Callable[..., str]


def remembering(run_tool: RunTool, store: Path) -> RunTool:
    """``run_tool`` that takes an object (and its call graph) from ``store`` where the same one was compiled before."""

    def run(argv: Sequence[str], **options: Any) -> str:
        compiler = shutil.which(argv[0])
        if "-c" not in argv or compiler is None:
            return run_tool(argv, **options)
        source, out = Path(argv[argv.index("-c") + 1]), Path(argv[argv.index("-o") + 1])
        kept = store / _key(argv, compiler, source)
        if not kept.is_dir():
            run_tool(argv, **options)
            _keep(out, kept)
            return ""
        for made in kept.iterdir():
            shutil.copyfile(made, out.with_suffix(made.suffix))
        return ""

    return run


def _keep(out: Path, kept: Path) -> None:
    """Copied aside and moved in place as one: workers may race, with the same bytes."""
    aside = Path(mkdtemp(dir=kept.parent))
    for made in (out, out.with_suffix(".ci")):
        if made.is_file():
            shutil.copyfile(made, aside / f"object{made.suffix}")
    try:
        aside.rename(kept)
    except OSError:
        shutil.rmtree(aside)


def _key(argv: Sequence[str], compiler: str, source: Path) -> str:
    """A hash of the command without its folders, and of every file of ours that it reads."""
    folders = [Path(a[2:]) for a in argv if a.startswith("-I")]
    flags = [a for a in argv if not a.startswith("-I") and a not in (str(source), argv[argv.index("-o") + 1])]
    digest = hashlib.sha256("\0".join([compiler, *flags, source.name]).encode())
    seen: set[Path] = set()
    pending = [source]
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        seen.add(path)
        text = path.read_bytes()
        digest.update(hashlib.sha256(text).digest())
        for name in _included(text):
            here = (folder / name for folder in (path.parent, *folders))
            pending += [found for found in here if found.is_file()][:1]  # else a header of the compiler
    return digest.hexdigest()


@cache
def _included(text: bytes) -> tuple[str, ...]:
    return tuple(name.decode() for name in _INCLUDE.findall(text))
