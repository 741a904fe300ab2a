"""``emberc inspect``: what a model is, and whether it can be compiled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emberc.cli.console import Console
from emberc.cli.opt import save_module
from emberc.cli.values import examples, json_option, signature_options
from emberc.errors import EXIT_OK, EmberError

if TYPE_CHECKING:
    from emberc.frontend.summary import Summary, Tensor
    from emberc.ir.graph import Module

_EXAMPLES = examples(
    "emberc inspect model.onnx",
    "emberc inspect model.onnx --shape input_ids=1x128 --ir",
    "emberc inspect model.onnx --fix token_type_ids=0 --save float.eir",
)


@click.command("inspect", epilog=_EXAMPLES, short_help="Show what a model is and whether it compiles.")
@click.argument("model", type=click.Path(path_type=Path))
@signature_options
@click.option("--ir", "show_ir", is_flag=True, help="Print the imported float IR.")
@click.option("--save", type=click.Path(path_type=Path), help="Write the float IR as SAVE.eir, for 'emberc opt'.")
@json_option
def inspect_command(
    model: Path,
    shapes: dict[str, tuple[int, ...]],
    fix: dict[str, int | float],
    show_ir: bool,
    save: Path | None,
    as_json: bool,
) -> int:
    """Show the inputs, outputs, operators and parameters of MODEL, and everything in it that is not supported.

    Exits with 2 when the model would not compile with these --shape and --fix.
    """
    from emberc.frontend.summary import summarize

    console = Console(json_only=as_json)
    summary = summarize(model)
    module, problem = _import(model, shapes, fix)
    if module and save:
        save_module(module, save)
    if as_json:
        console.result(_json(summary, module, problem, show_ir))
    else:
        _show(console, summary, module, problem, show_ir)
    return problem.exit_code if problem else EXIT_OK


def _import(
    model: Path, shapes: dict[str, tuple[int, ...]], fix: dict[str, int | float]
) -> tuple[Module | None, EmberError | None]:
    """The float module as imported, and what stands in the way of compiling it."""
    from emberc.frontend import check_not_empty, import_model
    from emberc.passes import PassManager, Pipeline, Quantize, default_pipeline

    try:
        module = import_model(model, shapes=shapes, fix=fix)
    except EmberError as e:
        return None, e
    # The float passes change the module that they get: what --ir shows is a module of its own.
    trial = import_model(model, shapes=shapes, fix=fix)
    passes = default_pipeline().passes
    before = next(i for i, p in enumerate(passes) if isinstance(p, Quantize))
    try:
        check_not_empty(module)
        PassManager(Pipeline(passes[:before])).run(trial)
        Quantize().requires(trial)
    except EmberError as e:
        return module, e
    return module, None


def _show(console: Console, summary: Summary, module: Module | None, problem: EmberError | None, ir: bool) -> None:
    from emberc.ir.printer import print_module

    def row(label: str, text: str) -> None:
        console.line(f"  {label:<10} {text}")

    row("model", f"{summary.name}, written by {summary.producer}" if summary.producer else summary.name)
    row("opset", ", ".join(f"{domain or 'ai.onnx'} {version}" for domain, version in summary.opsets.items()))
    for label, tensors in (("inputs", summary.inputs), ("outputs", summary.outputs)):
        for i, tensor in enumerate(tensors):
            row("" if i else label, _tensor(tensor))
    row("operators", f"{sum(summary.operators.values())} nodes")
    console.words((f"{op} {n}" for op, n in summary.operators.items()), indent=13)
    if summary.functions:
        row("functions", ", ".join(summary.functions))
    row("weights", f"{summary.parameters:,} parameters, {summary.parameter_bytes:,} bytes")
    if module:
        row("imported", f"{len(module.main.ops)} float ops")
        for note in module.notes:
            row("note", note)
    if module and ir:
        console.line(f"\n{print_module(module)}")
    if problem:
        console.line(f"  {'compiles':<10} no\n")
        console.line(problem.render())
    else:
        row("compiles", "yes")


def _tensor(tensor: Tensor) -> str:
    return f"{tensor.name} : {tensor.dtype}[{', '.join(map(str, tensor.shape or ['?']))}]"


def _json(summary: Summary, module: Module | None, problem: EmberError | None, ir: bool) -> dict[str, Any]:
    from emberc.cli.errors import error_json
    from emberc.ir.printer import print_module

    data = summary.to_json()
    data["float_ops"] = len(module.main.ops) if module else None
    data["notes"] = module.notes if module else []
    data["compiles"] = problem is None
    data["error"] = error_json(problem) if problem else None
    if ir:
        data["ir"] = print_module(module) if module else None
    return data
