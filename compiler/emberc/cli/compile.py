"""``emberc compile``: an ONNX model to a build directory."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emberc.cli.console import Console, Progress
from emberc.cli.values import (
    examples,
    json_option,
    limit_option,
    names_option,
    parse_states,
    signature_options,
    size_option,
)
from emberc.errors import UsageError

if TYPE_CHECKING:
    from emberc.firmware import Firmware
    from emberc.passes import Pipeline

_EXAMPLES = examples(
    "emberc compile spam.onnx --calib spam_calib.npz --target cortex-m7 -o build",
    "emberc compile bert.onnx --shape input_ids=1x128 --fix token_type_ids=0 -o build",
    "emberc compile bert.onnx --calib calib.npz --ram 128KiB --flash 1MiB -o build",
    "emberc compile bert.onnx --calib calib.npz --target stm32h743 --ram dtcm=64KiB --flash internal=1MiB -o build",
    "emberc compile bert_tiny.onnx --calib calib.npz --target cortex-m7 --budget 2MiB --fit -o build",
    "emberc compile bert_tiny.onnx --calib calib.npz --target cortex-m7 --plan build/fit_plan.json -o again",
    "emberc compile mamba.onnx --calib calib.npz --target cortex-m4 --streaming -o build",
    "emberc compile vad.onnx --calib speech.npz --streaming --state state=stateN -o build",
    "emberc compile bert.onnx --calib calib.npz --json -o build > report.json",
)


@click.command("compile", epilog=_EXAMPLES, short_help="Translate an ONNX model to firmware.")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Build directory to write.")
@click.option("--calib", type=click.Path(path_type=Path), help=".npz, one array per input, samples first.")
@click.option("--target", default="host", show_default=True, help="A name of 'emberc targets', or a TOML file.")
@size_option("--budget", "Limit of flash and RAM together, as 2MiB.")
@limit_option("--flash", "Limit of flash: weights, tables, code; or of the target's flash regions.")
@limit_option("--ram", "Limit of RAM: arena, state, stack, I/O; or of the target's RAM regions.")
@click.option("--streaming", is_flag=True, help="One step a call, with the state in the caller's context.")
@click.option(
    "--state",
    "states",
    metavar="IN=OUT",
    multiple=True,
    callback=parse_states,
    help="An input that is an output of the call before, with --streaming; 'past.*=present.*'; repeatable.",
)
@click.option("--fit", is_flag=True, help="Squeeze weights, those that cost least, until flash and total fit.")
@click.option("--plan", type=click.Path(path_type=Path), help="Squeeze as a fit_plan.json of --fit says.")
@click.option("--vocab", type=click.Path(path_type=Path), help="Token ids to keep, one a line, unknown's first.")
@signature_options
@click.option(
    "--precision",
    help="int8 (default: 16 bits where the outputs need them), int16, or mixed:NdB, the output SQNR to reach.",
)
@click.option(
    "--prefer",
    type=click.Choice(["speed", "balanced", "memory"]),
    default="balanced",
    show_default=True,
    help="Where fast kernels need scratch.",
)
@click.option(
    "--placement",
    type=click.Choice(["hot", "size"]),
    default="hot",
    show_default=True,
    help="What decides which of several memories.",
)
@click.option("--observer", type=click.Choice(["minmax", "percentile", "mse"]), help="Ranges; minmax by default.")
@click.option("--percentile", type=click.FloatRange(50, 100), help="What the percentile observer keeps; 99.99.")
@click.option("--name", help="Prefix of all C names; the file's name by default.")
@click.option("--passes", help="Replace the default pipeline, as 'canonicalize,quantize{observer=mse}'.")
@names_option("--print-after", "Print the IR after these passes.")
@json_option
def compile_command(
    model: Path,
    out: Path,
    calib: Path | None,
    target: str,
    budget: int | None,
    flash: tuple[int | None, dict[str, int]],
    ram: tuple[int | None, dict[str, int]],
    placement: str,
    streaming: bool,
    states: dict[str, str],
    fit: bool,
    plan: Path | None,
    vocab: Path | None,
    shapes: dict[str, tuple[int, ...]],
    fix: dict[str, int | float],
    precision: str | None,
    prefer: str,
    observer: str | None,
    percentile: float | None,
    name: str | None,
    passes: str | None,
    print_after: list[str],
    as_json: bool,
) -> int:
    """Translate MODEL (ONNX) to portable C99 in a build directory, quantized on calibration samples.

    The directory is written whole or not at all. Without --calib the samples are made up: good for a first try,
    but the accuracy that is reported then says nothing.
    """
    from emberc.backend.c.write import check_output
    from emberc.driver import compile_model
    from emberc.options import Options
    from emberc.quant.precision import parse_precision

    if states and not streaming:
        raise UsageError("--state names what a step keeps", hints=["add --streaming"])
    parse_precision(precision or "int8")
    if fit and plan is not None:
        raise UsageError("--fit makes a plan and --plan takes one: give one of the two")
    console = Console(json_only=as_json)
    check_output(out.absolute())
    quantization = {"precision": precision, "observer": observer, "percentile": percentile}
    chosen = {k: v for k, v in quantization.items() if v is not None}
    pipeline = _pipeline(passes, chosen)
    with Progress(console.out) as progress:
        options = Options(
            target=target,
            name=name,
            shapes=shapes,
            fix=fix,
            budget=budget,
            flash=flash[0],
            ram=ram[0],
            regions={**ram[1], **flash[1]},
            placement=placement,
            streaming=streaming,
            states=states,
            fit=fit,
            fit_plan=plan,
            vocabulary=vocab,
            prefer=prefer,
            pipeline=pipeline,
            print_after=_known_passes(pipeline, print_after),
            began=_on_begin(console, progress, synthetic=calib is None),
            progress=_on_end(console, progress),
            **chosen,  # type: ignore[arg-type]  # click has checked them
        )
        with console.guarded():
            firmware = compile_model(model, calib, options)
        firmware.write(out)
    if as_json:
        console.result(firmware.report.to_json())
    else:
        _show(console, firmware, out, target)
    return 0


def _on_begin(console: Console, progress: Progress, *, synthetic: bool) -> Callable[[str], None]:
    def begin(stage: str) -> None:
        if stage == "calibrate" and synthetic:
            console.warn("no --calib: calibrating on made-up samples, accuracy is not representative")
        progress.begin(f"  {stage:<10} ...")

    return begin


def _on_end(console: Console, progress: Progress) -> Callable[[str, str, float], None]:
    def end(stage: str, did: str, seconds: float) -> None:
        progress.end()
        console.line(f"  {stage:<10} {did:<64} {seconds:6.1f} s")

    return end


def _show(console: Console, firmware: Firmware, out: Path, target: str) -> None:
    from emberc.report import render
    from emberc.targets import load_target

    console.line()
    for line in render(firmware.report).splitlines():
        console.line(f"  {line}")
    on = target if load_target(target).emulator else "serial:PORT"
    console.line(f"  {'next':<10} emberc test {shlex.quote(str(out))} --on {shlex.quote(on)}")


def _pipeline(text: str | None, quantization: Mapping[str, object]) -> Pipeline | None:
    """The pipeline that ``--passes`` asks for; None is the default one."""
    from emberc.passes import parse_pipeline

    if text is None:
        return None
    if quantization:
        flags = " ".join(f"--{k}" for k in quantization)
        inside = " ".join(f"{k}={v}" for k, v in quantization.items())
        raise UsageError(f"{flags} can't be used with --passes", hints=[f"--passes '...,quantize{{{inside}}},...'"])
    return parse_pipeline(text)


def _known_passes(pipeline: Pipeline | None, names: list[str]) -> frozenset[str]:
    """``names`` once each, all of them in the pipeline."""
    from emberc.passes import default_pipeline

    known = (pipeline or default_pipeline()).names()
    unknown = [n for n in names if n not in known]
    if unknown:
        raise UsageError(
            f"--print-after: the pipeline has no pass {', '.join(map(repr, unknown))}",
            hints=[f"its passes are: {', '.join(dict.fromkeys(known))}"],
        )
    return frozenset(names)
