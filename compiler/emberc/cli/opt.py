"""``emberc opt``: passes on the IR's text form, text in and text out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emberc.cli.console import Console
from emberc.cli.values import examples, names_option
from emberc.errors import ModelError, UsageError

if TYPE_CHECKING:
    from emberc.ir.graph import Module

_EXAMPLES = examples(
    "emberc inspect model.onnx --save float.eir",
    "emberc opt float.eir --passes canonicalize,fuse-norm",
    "emberc opt float.eir --passes 'quantize{observer=mse}' --calib calib.npz -o integer.eir",
)


@click.command("opt", epilog=_EXAMPLES, short_help="Run passes on IR text.")
@click.argument("file", metavar="FILE.eir", type=click.Path(path_type=Path))
@click.option("--passes", default="", help="Passes in order, as 'a,b{option=1}'; none: parse, verify, print.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write OUT.eir (and OUT.bin) instead of stdout.")
@click.option("--calib", type=click.Path(path_type=Path), help="Calibration .npz for 'quantize'.")
@names_option("--print-after", "Print the IR after these passes, on stderr.")
@click.option("--stop-after", help="Leave out the passes after this one.")
def opt_command(
    file: Path,
    passes: str,
    out: Path | None,
    calib: Path | None,
    print_after: list[str],
    stop_after: str | None,
) -> int:
    """Run passes on a module in text form and print it. FILE.bin beside FILE.eir holds its large constants."""
    from emberc.ir.printer import print_module, side_data
    from emberc.passes import PassManager, parse_pipeline
    from emberc.quant.calibration import load_calibration

    console = Console()
    pipeline = parse_pipeline(passes)
    stops = [stop_after] if stop_after else []
    unknown = [name for name in (*print_after, *stops) if name not in pipeline.names()]
    if unknown:
        raise UsageError(f"--passes does not run {', '.join(map(repr, unknown))}")
    module = _load(file)
    if calib:
        module.calibration = load_calibration(calib, module.main)
    manager = PassManager(pipeline, frozenset(print_after), stop_after, emit_text=_to_stderr)
    manager.run(module)
    for note in module.notes:
        console.warn(note)
    if out:
        save_module(module, out)
        return 0
    print(print_module(module), end="")
    if side_data(module):
        console.warn("large constants are not in the text: -o OUT.eir writes them beside it")
    return 0


def save_module(module: Module, out: Path) -> None:
    """Writes ``x.eir`` and, when there are large constants, ``x.bin``; both or none. Raises UsageError."""
    from emberc.ir.printer import print_module, side_data

    side = out.with_suffix(".bin")
    if out == side:
        raise UsageError(f"'{out}' is the name of the side file", hints=[f"-o {out.with_suffix('.eir')}"])
    files = {out: print_module(module, side.name).encode()}
    if data := side_data(module):
        files[side] = data
    aside = {path: path.with_name(f".{path.name}.new") for path in files}
    try:
        for path, content in files.items():
            aside[path].write_bytes(content)
        for path, written in aside.items():
            written.replace(path)
    except OSError as e:
        for written in aside.values():
            written.unlink(missing_ok=True)
        raise UsageError(f"can't write {out}: {e.strerror}") from e


def _load(file: Path) -> Module:
    from emberc.ir.parser import load_module

    try:
        return load_module(file)
    except OSError as e:
        raise UsageError(f"can't read {file}: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise ModelError(
            f"{file} is not IR text",
            code="E-SYNTAX",
            hints=[f"emberc inspect {file} --save FILE.eir makes it from an ONNX model"],
        ) from e


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr)
