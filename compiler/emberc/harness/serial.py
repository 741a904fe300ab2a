"""A board that is already flashed: reads the test program's lines from a serial port. Flashes nothing.

A target of this kind is named ``serial:/dev/ttyACM0`` or ``serial:/dev/ttyACM0@9600``. The board's port sends
``ember_port_puts`` to its UART; the test program runs at reset, so press reset once this waits.
"""

from __future__ import annotations

import os
import select
import time
from types import ModuleType

from emberc.errors import ToolError, UsageError
from emberc.harness.console import DONE, ConsoleResult, parse_console
from emberc.harness.errors import RunError
from emberc.harness.tools import last_lines

PREFIX = "serial:"
DEFAULT_BAUD = 115200


def run_serial(name: str, *, timeout: float = 60.0) -> ConsoleResult:
    """Read one whole run from the port that ``name`` ("serial:PORT[@BAUD]") says.

    ``timeout`` is the silence in seconds after which the board is given up.

    Raises UsageError for a port that can't be opened or a baud rate that does not exist, RunError for a silent
    board or a run that did not come to its end, ToolError on systems without POSIX terminals.
    """
    port, _, baud = name.removeprefix(PREFIX).partition("@")
    termios = _termios()
    speed = getattr(termios, f"B{baud or DEFAULT_BAUD}", None)
    if speed is None:
        raise UsageError(f"no such baud rate: '{baud}'", at=name, hints=[f"serial:{port}@{DEFAULT_BAUD}"])
    try:
        handle = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        raise UsageError(f"cannot open the serial port: {error.strerror}", at=port) from None
    try:
        _make_raw(termios, handle, speed, port)
        return parse_console(_read_run(handle, timeout, port))
    finally:
        os.close(handle)


def _termios() -> ModuleType:
    try:
        import termios
    except ModuleNotFoundError:
        raise ToolError("serial ports need a POSIX system", hints=["run this under Linux or macOS"]) from None
    return termios


def _make_raw(termios: ModuleType, handle: int, speed: int, port: str) -> None:
    """Eight bits, no parity, no translation of what arrives."""
    try:
        mode = termios.tcgetattr(handle)
        control = (mode[2] & ~(termios.CSIZE | termios.PARENB | termios.CSTOPB)) | termios.CS8
        control |= termios.CREAD | termios.CLOCAL
        raw = [0, 0, control, 0, speed, speed, mode[6]]
        termios.tcsetattr(handle, termios.TCSANOW, raw)
    except termios.error as error:
        raise UsageError(f"not a serial port: {error.args[-1]}", at=port) from None


def _read_run(handle: int, timeout: float, port: str) -> str:
    """Text from the first line of a run to its summary. A run that was under way before is skipped."""
    text = ""
    deadline = time.monotonic() + timeout
    while True:
        if not select.select([handle], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise RunError(f"the board was silent for {timeout:g} s", at=port, details=last_lines(text))
        try:
            data = os.read(handle, 4096)
        except OSError as error:
            raise RunError(f"the serial port failed: {error.strerror}", at=port, details=last_lines(text)) from None
        text += data.decode("ascii", errors="replace").replace("\r\n", "\n")
        deadline = time.monotonic() + timeout
        begin = text.rfind("ember: vector=0 ")
        if begin >= 0 and DONE.search(text, begin):
            return text[begin:]
