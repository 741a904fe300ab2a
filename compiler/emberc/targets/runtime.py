"""Where the C runtime lies: inside an installed wheel, or at the root of a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from emberc.errors import InternalError


@cache
def runtime_root() -> Path:
    """The folder ``runtime_c``: kernels, headers and ports.

    A wheel carries it as ``emberc/_runtime_c``; an editable install finds it beside ``compiler/``.

    Raises InternalError if neither exists (a broken installation).
    """
    package = Path(__file__).resolve().parent.parent
    candidates = (package / "_runtime_c", package.parent.parent / "runtime_c")
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise InternalError(
        "the C runtime is missing from this installation of emberc",
        at=str(candidates[0]),
        hints=["install emberc again"],
    )
