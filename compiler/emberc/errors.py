"""The errors a user can meet: each has a code, the place, what is wrong and the way out.

A command prints them as in ::

    error[E-SHAPE]: input 'input_ids' has a symbolic dimension 'sequence'
      at   model.onnx: graph input 'input_ids' [batch, sequence]
      try  emberc compile model.onnx --shape input_ids=1x128

and exits with ``exit_code``. Nothing here imports the rest of the package.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NO_FIT = 3
EXIT_NO_TOOL = 4


class EmberError(Exception):
    """Base of all errors that are the user's to mend.

    ``code`` is stable and searchable (``E-SHAPE``); ``at`` names the place (file, node, op, pass);
    ``details`` are further lines; ``hints`` say what to do, most useful first.
    """

    exit_code = EXIT_USAGE
    default_code = "E-ERROR"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        at: str = "",
        details: list[str] | None = None,
        hints: list[str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.at = at
        self.details = list(details or [])
        self.hints = list(hints or [])

    def render(self) -> str:
        """The whole error as the command line prints it, without colours."""
        lines = [f"error[{self.code}]: {self.message}"]
        if self.at:
            lines.append(f"  at   {self.at}")
        lines += [f"  {d}" for d in self.details]
        lines += [f"  try  {h}" for h in self.hints]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.render()


class UsageError(EmberError):
    """A flag, file name or option that can't be used as given."""

    default_code = "E-USAGE"


class ModelError(EmberError):
    """The model file is damaged, unsupported or not what it claims to be."""

    default_code = "E-MODEL"


class UnsupportedError(ModelError):
    """The model is valid, but uses something emberc does not compile."""

    default_code = "E-UNSUPPORTED"


class CalibrationError(EmberError):
    """The calibration data does not match the model, or holds values that can't be used."""

    default_code = "E-CALIB"


class TargetError(EmberError):
    """A target description is unknown or wrong."""

    default_code = "E-TARGET"


class FitError(EmberError):
    """The firmware does not fit a budget."""

    exit_code = EXIT_NO_FIT
    default_code = "E-FIT"


class ToolError(EmberError):
    """A compiler or emulator is missing; the hint is the command that installs it."""

    exit_code = EXIT_NO_TOOL
    default_code = "E-TOOL"


class VerifyError(EmberError):
    """The IR breaks one of its own rules: names the pass, the op and what broke. A bug or a bad custom pass."""

    exit_code = EXIT_FAILED
    default_code = "E-VERIFY"


class InternalError(EmberError):
    """Something that should be impossible; the message says what to report."""

    exit_code = EXIT_FAILED
    default_code = "E-INTERNAL"
