"""The QEMU plugin that profiles an image: compiled on first use, kept in a cache folder."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from functools import cache
from pathlib import Path

from emberc.errors import ToolError
from emberc.harness.tools import PLUGIN_COMPILER, run_tool

_SOURCE = Path(__file__).resolve().parent / "qemu" / "region_profile.c"
_VERSION = re.compile(r"version (\d+)\.")


def cache_dir() -> Path:
    """``$EMBERC_CACHE``, else ``emberc`` in the user's cache folder; not created yet."""
    if own := os.environ.get("EMBERC_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emberc"


def plugin_for(emulator: str) -> Path:
    """The plugin's shared object for this QEMU, compiled if the cache lacks it.

    The file's name carries a hash of sources and interface version, so a stale one is never used; it is renamed
    into place, so that two runs at once do not meet half a file.

    Raises ToolError when the C compiler is missing or the cache folder can't be written.
    """
    abi = _plugin_abi(emulator)
    sources = b"".join(path.read_bytes() for path in sorted(_SOURCE.parent.glob("*.[ch]")))
    digest = hashlib.sha256(sources + bytes([abi])).hexdigest()[:16]
    folder = cache_dir()
    plugin = folder / f"region_profile-{digest}.so"
    if plugin.is_file():
        return plugin
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, suffix=".so")
    except OSError as error:
        raise ToolError(
            f"the cache folder can't be written: {error.strerror}",
            at=str(folder),
            hints=["set EMBERC_CACHE to a folder that can"],
        ) from None
    os.close(handle)
    made = Path(name)
    try:
        flags = ["-std=c99", "-D_GNU_SOURCE", "-O2", "-shared", "-fPIC", f"-DEMBER_QEMU_PLUGIN_ABI={abi}"]
        run_tool([PLUGIN_COMPILER, *flags, str(_SOURCE), "-o", str(made)], what="compiling the profiler")
        made.replace(plugin)
    finally:
        made.unlink(missing_ok=True)
    return plugin


@cache
def _plugin_abi(emulator: str) -> int:
    """Version of the plugin interface: QEMU 9.0 raised the least one that it loads to 2."""
    match = _VERSION.search(run_tool([emulator, "--version"], what="asking the emulator's version"))
    return 2 if match and int(match[1]) >= 9 else 1
