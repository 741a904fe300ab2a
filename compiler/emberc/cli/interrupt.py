"""Ctrl-C that is not lost: a library interrupted while it loads may take the exception for an error of its own."""

from __future__ import annotations

import signal
from types import FrameType


class Interrupt:
    """Remembers that SIGINT came, beside raising KeyboardInterrupt as Python does."""

    def __init__(self) -> None:
        self._came = False

    def listen(self) -> None:
        """From now on. Where SIGINT is ignored, as in a shell's background jobs, it stays ignored."""
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._raise)

    def check(self) -> None:
        """Raises KeyboardInterrupt if one came: when this is reached, somebody swallowed it."""
        if self._came:
            raise KeyboardInterrupt

    def _raise(self, _signal: int, _frame: FrameType | None) -> None:
        self._came = True
        raise KeyboardInterrupt


INTERRUPT = Interrupt()
