"""What becomes of errors: a message on stderr, an object on stdout with ``--json``, an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import click

from emberc.cli.console import Console, paint
from emberc.errors import EXIT_USAGE, EmberError, InternalError

DEBUG = "EMBERC_DEBUG"


def report_error(error: Exception, console: Console) -> int:
    """Prints any error the way its kind asks for; returns the exit code."""
    if os.environ.get(DEBUG):
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, click.ClickException):
        error.show()
        if console.json_only:
            console.result({"error": {"code": "E-USAGE", "message": error.format_message()}})
        return EXIT_USAGE
    known = error if isinstance(error, EmberError) else _internal(error)
    label, _, rest = known.render().partition(": ")
    print(f"{paint(label, sys.stderr, fg='red', bold=True)}: {rest}", file=sys.stderr)
    if console.json_only:
        console.result({"error": error_json(known)})
    return known.exit_code


def error_json(error: EmberError) -> dict[str, Any]:
    """An error as ``--json`` prints it."""
    return {
        "code": error.code,
        "message": error.message,
        "at": error.at,
        "details": error.details,
        "hints": error.hints,
    }


def _internal(error: Exception) -> EmberError:
    if isinstance(error, MemoryError):
        return EmberError(
            f"this takes more memory than there is: {error}".rstrip(": "),
            code="E-MEMORY",
            hints=["a shorter sequence or batch with --shape, fewer calibration samples, or another machine"],
        )
    return InternalError(
        f"{type(error).__name__}: {error}",
        details=["this is a bug in emberc, not in what you gave it"],
        hints=[f"run it again with {DEBUG}=1 for the traceback, and report both"],
    )
