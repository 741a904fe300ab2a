"""``emberc support``: which operators compile, measured on ONNX's own test cases."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from emberc.cli.console import Console
from emberc.cli.values import examples, json_option
from emberc.errors import UsageError

_EXAMPLES = examples("emberc support Gemm Softmax", "emberc support --write compiler/SUPPORT.md")


@click.command("support", epilog=_EXAMPLES, short_help="Say which operators compile.")
@click.argument("operators", nargs=-1)
@click.option("--write", type=click.Path(dir_okay=False, path_type=Path), help="Write the table to this file.")
@json_option
def support_command(operators: tuple[str, ...], write: Path | None, as_json: bool) -> int:
    """Run ONNX's single-node cases of OPERATORS (all of them by default; that takes minutes), in float and integers."""
    from emberc.support import markdown, measure_rows, registered_rows

    known = {r.op for r in registered_rows()}
    unknown = sorted(set(operators) - known)
    if unknown:
        raise UsageError(f"no operator {', '.join(unknown)}", hints=["names are ONNX's, as in 'Gemm'"])
    console = Console(json_only=as_json)
    rows, totals = measure_rows(operators)
    if write is not None:
        write.write_text(markdown(rows, totals), encoding="utf-8")
        console.line(f"wrote {write}")
    elif as_json:
        console.result({"operators": [asdict(r) for r in rows], "cases": dict(totals)})
    else:
        width = max(len(r.op) for r in rows)
        for r in rows:
            shown = "/".join(map(str, r.float_cases)), "/".join(map(str, r.integer_cases))
            console.line(f"  {r.op:<{width}}  {r.how:<10}  float {shown[0]:<7}  integer {shown[1]:<7}  {r.notes}")
    return 0
