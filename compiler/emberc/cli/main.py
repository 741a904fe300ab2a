"""``emberc``: the commands, and what becomes of errors."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from io import TextIOWrapper

import click

from emberc.cli.bench import bench_command
from emberc.cli.compile import compile_command
from emberc.cli.console import Console
from emberc.cli.errors import DEBUG, report_error
from emberc.cli.inspect import inspect_command
from emberc.cli.interrupt import INTERRUPT
from emberc.cli.opt import opt_command
from emberc.cli.passes import passes_command
from emberc.cli.plan import plan_command
from emberc.cli.report import report_command
from emberc.cli.support import support_command
from emberc.cli.targets import targets_command
from emberc.cli.test import test_command
from emberc.errors import EXIT_OK

EXIT_INTERRUPTED = 130  # as a shell reports a program ended by Ctrl-C

_EPILOG = f"""\b
Examples:
  emberc compile model.onnx --calib calib.npz --target cortex-m7 -o build
  emberc test build --on host,cortex-m7
  emberc COMMAND --help

\b
Exit codes:
  0  good
  1  mismatch, or an internal error
  2  bad usage, or a bad model
  3  does not fit the budget or the board
  4  a tool is missing

\b
Environment:
  NO_COLOR      no colours, even on a terminal
  {DEBUG}  show the traceback of every error
"""


class _InOrder(click.Group):
    """Lists commands in the order of a model's journey, not by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="emberc", message="emberc %(version)s")
def cli() -> None:
    """Compiles trained ONNX models to integer-only C99 firmware for microcontrollers."""


for _command in (
    inspect_command,
    compile_command,
    test_command,
    report_command,
    targets_command,
    passes_command,
    support_command,
    opt_command,
    plan_command,
    bench_command,
):
    cli.add_command(_command)


def main() -> None:
    """The entry point of the ``emberc`` script."""
    INTERRUPT.listen()
    if not os.environ.get(DEBUG):
        # Samples may lead outside a function's domain, as a logarithm's: the report says what comes of it.
        warnings.filterwarnings("ignore", category=RuntimeWarning)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr: a name that the terminal can't show is no error
    sys.exit(run(sys.argv[1:]))


def run(args: Sequence[str]) -> int:
    """Runs one command line; returns its exit code. Errors are printed, never raised."""
    console = Console(json_only="--json" in args)
    try:
        code = cli.main(list(args), prog_name="emberc", standalone_mode=False)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Who read our output has had enough. What is still buffered goes nowhere, or the interpreter would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except Exception as error:
        return report_error(error, console)
    return code if isinstance(code, int) else EXIT_OK
