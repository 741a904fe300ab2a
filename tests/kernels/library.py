"""The portable kernels as a shared library of the host, and one call of a kernel on numpy arrays."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2] / "runtime_c"
WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]

shared: Path | None = None
"""The folder that the workers of a test run share: the first to call a kernel builds the library for all."""


def sources() -> list[Path]:
    """The portable kernels' C files."""
    return sorted((ROOT / "kernels" / "portable").glob("*.c"))


def build_library(out: Path, compiler: str, *flags: str) -> None:
    """Builds all portable kernels with the host's compiler, warnings being errors."""
    command = [compiler, *WARNINGS, *flags, "-shared", "-fPIC", f"-I{ROOT / 'include'}", *map(str, sources())]
    subprocess.run([*command, "-o", str(out)], check=True)


@cache
def library() -> ctypes.CDLL:
    """The portable kernels, built by the worker that needs them first.

    test_sanitized.py runs these tests again with a library that checks every access.
    """
    given = os.environ.get("EMBER_KERNEL_LIBRARY")
    built = Path(given) if given else (shared or Path(mkdtemp())) / "kernels.so"
    with built.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.is_file():
            build_library(built, shutil.which("cc") or "gcc", "-O1")
    return ctypes.CDLL(str(built))


def aligned(bytes_: int) -> Any:
    """A scratch buffer of exactly that many bytes."""
    return np.full(bytes_, 0xA5, np.uint8)


def call(kernel: str, *arguments: Any) -> int:
    """Calls a kernel: arrays and structs go by address, None is NULL. Returns what an int function returns."""
    function = getattr(library(), kernel)
    function.restype = ctypes.c_int
    function.argtypes = [ctypes.c_void_p] * len(arguments)
    passed: list[Any] = []
    for a in arguments:
        if a is None:
            passed.append(None)
        elif isinstance(a, np.ndarray):
            assert a.flags.c_contiguous
            passed.append(a.ctypes.data)
        else:
            passed.append(ctypes.addressof(a))
    return int(function(*passed))
