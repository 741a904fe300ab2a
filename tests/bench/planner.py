"""How good and how fast the planner is, as tables: ``python -m tests.bench.planner [--zoo] [--crowds] [CSV ...]``

Tight instances (rectangles cut from a full box), model-shaped graphs, the zoo's models compiled, and any CSV files
named. ``--rivals`` runs the package ``omnimalloc``'s allocators on the same buffers (``pip install omnimalloc``).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import emberc
from emberc.memory import Buffer, Plan, place, plan_memory
from emberc.memory.csvtool import patience, plan_csv
from emberc.memory.plan import Region
from tests.bench.crowds import crowds
from tests.bench.tight import cut_box
from tests.memory.graphs import branches, encoder, mixers
from tests.zoo.families import ONLY
from tests.zoo.family import family_model
from tests.zoo.table import SHOWN

try:
    import omnimalloc
except ImportError:
    omnimalloc = None

RIVALS = ("greedy_by_size", "hill_climb", "telamalloc", "supermalloc")
EFFORT = 24
SCANS = ("mamba", "mamba_base2", "mamba_base4", "mamba2", "scan", "scan_associative", "scan_unrolled")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv", nargs="*", type=Path)
    parser.add_argument("--instances", type=int, default=10)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--waste", type=float, default=0.0)
    parser.add_argument(
        "--crowds", action="store_true", help="1,000 buffers of several kinds, as `emberc plan` does it"
    )
    parser.add_argument("--zoo", action="store_true", help="compile the zoo's families and place their buffers")
    parser.add_argument("--rivals", action="store_true", help="run omnimalloc's allocators on the same buffers")
    args = parser.parse_args()
    rivals = RIVALS if args.rivals and omnimalloc is not None else ()

    print("\nGraphs: order, in-place and placement together")
    for name, problem in graphs().items():
        report_plan(name, plan_memory(**problem))
    if args.zoo:
        print("\nThe zoo's models: whole plan, and their buffers alone (an in-place chain as one of its largest size)")
        for name in (*SHOWN, *SCANS):
            report_family(name, rivals)

    if args.crowds:
        print("\n1,000 buffers with the effort that `emberc plan` takes for so many: processor time")
        for name, buffers in crowds().items():
            report_crowd(name, buffers)

    print("\nHard placements: height over bound")
    solved = 0
    for i in range(args.instances):
        count = 150 + 300 * i // max(args.instances - 1, 1)
        buffers = cut_box(count, seed=i, steps=args.steps, waste=args.waste)
        solved += report_buffers(f"box {i}", buffers, rivals)
    print(f"{solved} of {args.instances} proved smallest")
    for path in args.csv:
        report_buffers(path.stem, plan_csv(path).buffers, rivals)


def graphs() -> dict[str, dict[str, Any]]:
    """Graphs of 24 to 1,100 buffers in the shapes of encoders and state-space models, and one made to be wide."""
    return {
        "BERT-Tiny, L 128": encoder(2),
        "BERT-Tiny, no in-place": encoder(2, inplace=False),
        "BERT, 12 layers": encoder(12),
        "Mamba, 5 layers": mixers(5, rows=256),
        "Mamba, 90 layers": mixers(90),
        "20 chains of 5": branches(20, 5),
    }


def report_family(name: str, rivals: Sequence[str]) -> None:
    """The plan of one family's firmware, and the placement of the same buffers as rectangles, beside the rivals'."""
    model = family_model(name, ONLY.get(name, "dynamo"))
    plan = emberc.compile(model.path, calibration=model.samples).plan.memory
    report_plan(name, plan)
    report_buffers("as boxes", rectangles(plan), rivals)


def rectangles(plan: Plan) -> list[Buffer]:
    """The plan's buffers; an in-place chain is one buffer of its largest member's size, live as long as any of it."""
    leader = {member: group[0] for group in plan.alias_groups for member in group}
    groups: dict[str, list[Region]] = {}
    # Views lie inside a tensor that is here too.
    storage = {tensor: plan.tensors[tensor] for tensor in plan.graph.storage}
    for tensor, region in [*storage.items(), *plan.scratch.items()]:
        groups.setdefault(leader.get(tensor, tensor), []).append(region)
    return [
        Buffer(first, max(r.size for r in g), min(r.start for r in g), max(r.end for r in g), align=plan.align)
        for first, g in groups.items()
    ]


def report_plan(name: str, plan: Plan) -> None:
    print(f"  {name:<24} {plan.seconds:6.2f} s  {plan.summary()}  ({plan.method})")


def report_crowd(name: str, buffers: Sequence[Buffer]) -> None:
    began = time.process_time()
    found = place(buffers, effort=patience(len(buffers)))
    seconds = time.process_time() - began
    print(f"  {name:<36} {found.height / found.bound - 1:7.2%} {seconds:5.1f} s  {found.method}", flush=True)


def report_buffers(name: str, buffers: Sequence[Buffer], rivals: Sequence[str]) -> bool:
    found = place(buffers, effort=EFFORT)
    over = found.height / max(found.bound, 1) - 1
    line = f"  {name:<10} {len(buffers):4} buffers  {over:7.2%} {found.seconds:6.1f} s  {found.method:<22}"
    for rival in rivals:
        height, seconds = run_rival(rival, buffers)
        line += f"  {rival} {height / found.bound - 1:7.2%} {seconds:5.1f} s"
    print(line, flush=True)
    return found.proved


def run_rival(name: str, buffers: Sequence[Buffer]) -> tuple[int, float]:
    """(height in bytes, seconds) of one of omnimalloc's allocators with its own time limit."""
    allocate: Callable[..., Any] = omnimalloc.allocate
    began = time.perf_counter()
    asked = [omnimalloc.Allocation(b.name, b.slot, b.start, b.end) for b in buffers]
    try:
        height = max(a.offset + a.size for a in allocate(asked, name))
    except Exception as failure:
        print(f"  {name}: {failure}")
        height = 0
    return height, time.perf_counter() - began


if __name__ == "__main__":
    main()
