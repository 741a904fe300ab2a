"""Errors of building and running firmware, beside the missing tool (ToolError) and the full board (FitError)."""

from __future__ import annotations

from emberc.errors import EXIT_FAILED, EmberError


class BuildError(EmberError):
    """The generated C does not compile or link; the details are the tool's last lines."""

    exit_code = EXIT_FAILED
    default_code = "E-BUILD"


class RunError(EmberError):
    """The image ran and did not come to its end: fault, time limit, no answer."""

    exit_code = EXIT_FAILED
    default_code = "E-RUN"


class StackError(EmberError):
    """The worst-case stack of the firmware can't be known: recursion, an indirect call, a dynamic frame."""

    exit_code = EXIT_FAILED
    default_code = "E-STACK"
