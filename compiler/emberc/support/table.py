"""``SUPPORT.md``: one row an operator, from the registered importers and from what ONNX's cases show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import onnx

from emberc.frontend.bodies import has_schema_body
from emberc.frontend.load import NEWEST_OPSET, OLDEST_OPSET
from emberc.frontend.refusals import REASONS
from emberc.frontend.registry import REGISTRY
from emberc.support.cases import BOUND, collect_cases, float_outcome, integer_outcome

HEAD = f"""# What emberc compiles

Made by `emberc support --write compiler/SUPPORT.md`; a test checks that it is current. The cases are those of
`onnx.backend.test.case.node` with static shapes and float, integer or bool tensors; sizes and axes that a case hands
over as inputs are fixed at compile time. *Float import*: cases whose answer the imported float model gives, of all.
*Integer firmware*: cases whose answer the integer module gives within {BOUND:.0%} of its range, of those that leave
something to compute and have a finite answer. An operator without a case of its own is listed with "-".
"""


@dataclass(frozen=True)
class Row:
    """One operator. Counts are (good, all); ``notes`` says why the others are not good."""

    op: str
    opsets: str
    how: str
    float_cases: tuple[int, int] = (0, 0)
    integer_cases: tuple[int, int] = (0, 0)
    notes: str = ""


def registered_rows() -> list[Row]:
    """Every operator of ONNX, and those of com.microsoft that are imported, without looking at any case."""
    newest = {s.name: s for s in onnx.defs.get_all_schemas() if not s.domain}
    imported = {(d, op): min(v) for (d, op), v in REGISTRY.versions.items()}
    rows = []
    for name in sorted(newest.keys() | {op for d, op in imported if not d}):
        first = max(OLDEST_OPSET, imported.get(("", name), 1), _since(name))
        how = "importer" if ("", name) in imported else "refused"
        if how == "refused" and has_schema_body(name, "", NEWEST_OPSET):
            how = "by its ONNX definition"
        rows.append(Row(name, f"{first}-{NEWEST_OPSET}", how, notes=REASONS.get(name, "") if how == "refused" else ""))
    return rows + [Row(f"{d}::{op}", "1", "importer") for d, op in sorted(imported) if d]


def measure_rows(
    only: Collection[str] = (), progress: Callable[[int, int], None] | None = None
) -> tuple[list[Row], Counter[str]]:
    """The rows with their cases run, of the operators in ``only`` (all for none), and how many cases came out how."""
    rows = {r.op: r for r in registered_rows() if not only or r.op in only}
    chosen = [c for c in collect_cases() if not only or c.op in rows]
    floats: dict[str, list[str]] = {}
    integers: dict[str, list[str]] = {}
    for i, case in enumerate(chosen):
        outcome = float_outcome(case)
        floats.setdefault(case.op, []).append(outcome)
        if outcome == "pass" and case.op:
            integers.setdefault(case.op, []).append(integer_outcome(case))
        if progress:
            progress(i + 1, len(chosen))
    totals = Counter(o.partition(":")[0] for outcomes in floats.values() for o in outcomes)
    return [_measured(r, floats.get(op, []), integers.get(op, [])) for op, r in rows.items()], totals


def markdown(rows: list[Row], totals: Counter[str]) -> str:
    """The whole of SUPPORT.md."""
    count, good = sum(totals.values()), totals["pass"]
    lines = [HEAD, f"{good} of {count} cases pass ({good / count:.1%}); each of the others is a refusal with a reason."]
    lines += ["", "| operator | opsets | float import | integer firmware | notes |", "| --- | --- | --- | --- | --- |"]
    for r in rows:
        how = "" if r.how == "importer" else f"{r.how} "
        shown = f"{how}{_share(r.float_cases)}" if r.how != "refused" else "no"
        lines.append(f"| {r.op} | {r.opsets} | {shown} | {_share(r.integer_cases)} | {r.notes} |")
    return "\n".join(lines) + "\n"


def _since(name: str) -> int:
    versions = [s.since_version for s in onnx.defs.get_all_schemas_with_history() if s.name == name and not s.domain]
    return int(min(versions, default=1))


def _measured(row: Row, floats: list[str], integers: list[str]) -> Row:
    counted = [o for o in integers if o not in ("folded", "not finite")]
    reasons = [o.partition(": ")[2] for o in floats if o != "pass"]
    reasons += [f"firmware: {o.partition(': ')[2]}" for o in counted if o != "pass"]
    notes = [row.notes] if row.notes else list(dict.fromkeys(reasons))
    if integers and not counted:
        notes.append("only makes constants here" if "folded" in integers else "")
    return replace(
        row,
        float_cases=(floats.count("pass"), len(floats)),
        integer_cases=(counted.count("pass"), len(counted)),
        notes="; ".join(n.replace("|", "/")[:110] for n in notes[:2] if n),
    )


def _share(cases: tuple[int, int]) -> str:
    return f"{cases[0]}/{cases[1]}" if cases[1] else "-"
