"""Where a command writes: lines and colours for people, or with ``--json`` one JSON object and nothing else."""

from __future__ import annotations

import json
import os
import sys
import textwrap
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import IO, Any

import click

from emberc.cli.interrupt import INTERRUPT

_TICK = 0.2
_WIDTH = 100
_GLUE = "\N{NO-BREAK SPACE}"  # what textwrap does not break


def coloured(stream: IO[str]) -> bool:
    """Whether escape codes are welcome: on a terminal, unless NO_COLOR is set (no-color.org)."""
    return not os.environ.get("NO_COLOR") and _is_live(stream)


def _is_live(stream: IO[str]) -> bool:
    """Whether what was written can be rewritten."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def paint(text: str, stream: IO[str], **style: Any) -> str:
    """``text`` in the style that ``click.style`` takes, where ``stream`` shows it."""
    return click.style(text, **style) if coloured(stream) else text


class Console:
    """One command's output. ``lines`` go to stdout, or to stderr when stdout is promised to JSON."""

    def __init__(self, *, json_only: bool = False) -> None:
        self.json_only = json_only
        self.out: IO[str] = sys.stderr if json_only else sys.stdout

    def line(self, text: str = "", **style: Any) -> None:
        """One or more lines that a person reads."""
        print(paint(text, self.out, **style) if style else text, file=self.out)

    def words(self, words: Iterable[str], indent: int) -> None:
        """A list separated by commas, wrapped between its members."""
        margin = " " * indent
        whole = ", ".join(word.replace(" ", _GLUE) for word in words)
        lines = textwrap.fill(
            whole,
            _WIDTH,
            initial_indent=margin,
            subsequent_indent=margin,
            break_on_hyphens=False,
            break_long_words=False,
        )
        self.line(lines.replace(_GLUE, " "))

    def warn(self, text: str) -> None:
        """A warning: always on stderr."""
        print(f"{paint('warning:', sys.stderr, fg='yellow', bold=True)} {text}", file=sys.stderr)

    def result(self, data: object) -> None:
        """The JSON object that ``--json`` promises."""
        print(json.dumps(data, indent=1, allow_nan=False))

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Columns as wide as their widest cell; numbers (and the header above them) to the right."""
        widths = [max(len(r[i]) for r in [header, *rows]) for i in range(len(header))]
        right = [bool(rows) and all(_is_number(r[i]) for r in rows) for i in range(len(header))]
        self.line(_row(header, widths, right), bold=True)
        for row in rows:
            self.line(_row(row, widths, right))

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Sends what anything else prints to where ``line`` writes, so that it can't spoil the JSON."""
        with redirect_stdout(self.out):
            yield


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True)]
    return "  ".join(["", *padded]).rstrip()


def _is_number(cell: str) -> bool:
    return cell in ("", "-") or cell[0].isdigit()


class Progress:
    """A line that says what is being done and for how long, rewritten in place; silent where no terminal sees it."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream
        self.live = _is_live(stream)
        self._stop: threading.Event | None = None
        self._thread: threading.Thread | None = None

    def begin(self, text: str) -> None:
        """Shows ``text`` with a clock until ``end``. Raises KeyboardInterrupt if one came and went unheard."""
        INTERRUPT.check()
        self.end()
        if self.live:
            self._stop = threading.Event()
            self._thread = threading.Thread(target=self._tick, args=(text, self._stop), daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Takes the line away."""
        if self._stop and self._thread:
            self._stop.set()
            self._thread.join()
            self.stream.write("\r\x1b[K")
            self.stream.flush()
        self._stop = self._thread = None

    def _tick(self, text: str, stop: threading.Event) -> None:
        start = time.monotonic()
        while True:
            self.stream.write(f"\r\x1b[K{text}  {time.monotonic() - start:.1f} s")
            self.stream.flush()
            if stop.wait(_TICK):
                return

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
