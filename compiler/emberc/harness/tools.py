"""Running compilers, binutils and emulators: found or named with the command that installs them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from emberc.errors import ToolError
from emberc.harness.errors import BuildError, RunError
from emberc.targets import Target

LAST_LINES = 12
"""How much of a failed tool's output an error shows."""

PLUGIN_COMPILER = "cc"
"""Compiles the profiler, a shared object for this machine."""

_HOST_PACKAGES = {PLUGIN_COMPILER: "gcc libc6-dev"}

# A compiler without its C library says one of these; the library is a package of its own in Debian.
_NO_LIBRARY = re.compile(
    r"fatal error: (?:string|stdint|stddef|stdio|stdlib)\.h: No such file|cannot find -lc\b|cannot read spec file"
)


def required_tools(target: Target, *, run: bool) -> list[str]:
    """File names of the programs that building for ``target`` (and running it, if ``run``) starts."""
    chain = target.toolchain
    tools = [chain.compiler[0], chain.objdump[0], chain.nm[0]]
    if run and target.emulator and "{elf}" not in target.emulator.command[0]:
        tools.append(target.emulator.command[0])
    if run and target.emulator and target.emulator.profile:
        tools.append(PLUGIN_COMPILER)
    return list(dict.fromkeys(tools))


def check_tools(targets: Iterable[Target], *, run: bool = True) -> None:
    """Raise ToolError naming all missing tools of all targets at once, with one install command."""
    missing: dict[str, str] = {}
    for target in targets:
        for tool in required_tools(target, run=run):
            if shutil.which(tool) is None:
                missing[tool] = target.packages_for(tool) or _HOST_PACKAGES.get(tool, "")
    if missing:
        raise missing_tools(missing)


def missing_tools(missing: dict[str, str]) -> ToolError:
    """The error for tools that are not there: ``missing`` maps a tool to its Debian packages ('' if unknown)."""
    packages = dict.fromkeys(p for names in missing.values() for p in names.split())
    unknown = [tool for tool, names in missing.items() if not names]
    hints = [f"apt-get install -y {' '.join(packages)}"] if packages else []
    hints += [f"install {tool} and put it on the PATH" for tool in unknown]
    plural = "s" if len(missing) > 1 else ""
    return ToolError(f"missing tool{plural}: {', '.join(missing)}", hints=hints)


def run_tool(argv: Sequence[str], *, what: str, target: Target | None = None, cwd: Path | None = None) -> str:
    """Run a build tool to its end and return its standard output.

    ``what`` says in an error what was being done ("compiling spam.c"). Raises ToolError when the tool or its C
    library is missing, BuildError with the last lines of its output when it fails.
    """
    packages = target.packages_for(argv[0]) if target else _HOST_PACKAGES.get(argv[0], "")
    try:
        done = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    except FileNotFoundError:
        raise missing_tools({argv[0]: packages}) from None
    except OSError as error:
        raise BuildError(f"{what}: {argv[0]} could not be started: {error.strerror}") from None
    if done.returncode == 0:
        return done.stdout
    output = done.stderr + done.stdout
    if _NO_LIBRARY.search(output):
        error_ = missing_tools({f"the C library of {argv[0]}": packages})
        error_.details = last_lines(output)
        raise error_
    raise BuildError(f"{what} failed: {argv[0]} ended with {done.returncode}", details=last_lines(output))


def last_lines(output: str) -> list[str]:
    """The end of a tool's output, as error details."""
    return output.strip().splitlines()[-LAST_LINES:]


def run_program(argv: Sequence[str], *, timeout: float, packages: str = "") -> tuple[int, str]:
    """Run an image (natively or in an emulator); returns its exit status and both output streams together.

    Raises ToolError when the emulator is missing, RunError when ``timeout`` seconds pass.
    """
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        raise missing_tools({argv[0]: packages}) from None
    except OSError as error:
        raise RunError(f"{argv[0]} could not be started: {error.strerror}") from None
    except subprocess.TimeoutExpired as expired:
        text = expired.stdout.decode(errors="replace") if isinstance(expired.stdout, bytes) else ""
        raise RunError(f"no end after {timeout:g} s", details=last_lines(text)) from None
    return done.returncode, done.stdout
