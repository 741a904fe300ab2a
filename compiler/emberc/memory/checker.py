"""Verifies a memory plan from its JSON alone. Shares no code with the planner, on purpose: it is the proof.

Everything is recomputed from the nodes that the plan lists: who reads what, when each tensor lives, what may
lie over what, how many bytes any order must hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from emberc.errors import VerifyError

Json = Mapping[str, Any]


def check_plan(plan: Json) -> None:
    """Raise VerifyError (code E-PLAN) with the reason unless the plan is sound and its bounds are true.

    ``plan`` is the object of ``memory_plan.json``. A bound over all orders that the planner found by search
    is checked against what is provable without one; a bound claimed from single nodes is recomputed.
    """
    try:
        _check(plan)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as wrong:
        _fail(f"not a memory plan: {type(wrong).__name__} at {wrong}")


def _fail(reason: str) -> None:
    raise VerifyError(reason, code="E-PLAN", at="memory plan")


def _require(truth: bool, reason: str) -> None:
    if not truth:
        _fail(reason)


def _check(plan: Json) -> None:
    nodes = {node["name"]: node for node in plan["graph"]["nodes"]}
    order, align, table = plan["order"], plan["align"], plan["tensors"]
    _require(sorted(order) == sorted(nodes), "the order is not the list of nodes")
    step_of = {name: step for step, name in enumerate(order)}

    # Every read after its write.
    written = dict.fromkeys(plan["graph"]["inputs"], -1)
    for name in order:
        for tensor in nodes[name]["reads"]:
            _require(tensor in written, f"'{name}' reads '{tensor}' before it is written")
        for tensor in nodes[name]["writes"]:
            _require(tensor not in written, f"'{tensor}' is written twice")
            written[tensor] = step_of[name]

    # Views lie in their base; lifetimes are those of the bytes, so a base lives as long as its views.
    base_of = {t: (t, 0) for t in written}
    last = dict(written)
    for name in order:
        for out, (source, inside) in nodes[name]["views"].items():
            base, offset = base_of[source]
            base_of[out] = (base, offset + inside)
        for tensor in nodes[name]["reads"]:
            last[base_of[tensor][0]] = max(last[base_of[tensor][0]], step_of[name])
    kept = {base_of[t][0] for t in plan["graph"]["outputs"]}
    read = {base_of[t][0] for node in nodes.values() for t in node["reads"]}
    kept |= {t for t in plan["graph"]["inputs"] if t not in read}
    steps = max(len(order), 1)
    arena_tensors = [t for t in written if base_of[t][0] not in plan["graph"]["external"]]
    _require(sorted(table) == sorted(arena_tensors), "the plan's tensors are not those of its nodes")

    spans: dict[str, tuple[int, int]] = {}
    for tensor, region in table.items():
        base, inside = base_of[tensor]
        start = max(written[base], 0)
        end = steps if base in kept else max(last[base], start) + 1
        spans[base] = start, end
        _require(
            (region["start"], region["end"]) == (start, end),
            f"'{tensor}' lives in [{start}, {end}), not in [{region['start']}, {region['end']})",
        )
        _require(region["offset"] == table[base]["offset"] + inside, f"view '{tensor}' is not in '{base}'")
        _require(0 <= inside <= inside + region["size"] <= table[base]["size"],
                 f"view '{tensor}' leaves '{base}'")  # fmt: skip

    # What each node may write over: it says so, the source dies there, and nothing else reads the source.
    handover: dict[frozenset[str], int] = {}
    for out, source in plan["inplace"].items():
        step = written[out]
        name = order[step]
        offered = [t for t in nodes[name]["inplace"].get(out, ()) if base_of[t] == (source, 0)]
        _require(bool(offered), f"'{name}' does not offer to write '{out}' over '{source}'")
        readers = [t for t in nodes[name]["reads"] if base_of[t][0] == source]
        _require(set(readers) <= {offered[0]}, f"'{name}' reads '{source}' twice while writing over it")
        _require(
            spans[source][1] == step + 1 and source not in kept,
            f"'{out}' is written over '{source}', which is still live",
        )
        _require(table[out]["offset"] == table[source]["offset"], f"'{out}' is not over '{source}'")
        handover[frozenset((out, source))] = step
    chained = {frozenset(p) for group in plan["alias_groups"] for p in pairwise(group)}
    _require(chained == set(handover), "the alias groups are not the in-place writes")

    # Regions: (name, offset, bytes occupied, start, end).
    def slot(size: int) -> int:
        return -(-size // align) * align

    regions = [(t, table[t]["offset"], slot(table[t]["size"]), *spans[t]) for t in spans]
    scratch = {name: slot(node["scratch"]) for name, node in nodes.items() if node["scratch"]}
    _require(sorted(scratch) == sorted(plan["scratch"]), "the plan's scratch is not that of its nodes")
    for name, size in scratch.items():
        region = plan["scratch"][name]
        _require(region["size"] == nodes[name]["scratch"], f"scratch of '{name}' has another size")
        regions.append((f"{name} (scratch)", region["offset"], size, step_of[name], step_of[name] + 1))
    for i, (one, at, size, start, end) in enumerate(regions):
        _require(at % align == 0 and at >= 0, f"'{one}' is not aligned to {align}")
        _require(at + size <= plan["arena"], f"'{one}' ends at {at + size}, outside the arena")
        for other, other_at, other_size, other_start, other_end in regions[:i]:
            apart = at + size <= other_at or other_at + other_size <= at
            never = end <= other_start or other_end <= start
            allowed = frozenset((one, other)) in handover
            _require(apart or never or allowed, f"'{one}' and '{other}' overlap while both are live")

    # The bounds.
    loads = [scratch.get(name, 0) for name in order] or [0]
    for _, _, size, start, end in regions[: len(spans)]:
        for step in range(start, end):
            loads[step] += size
    for pair, step in handover.items():
        loads[step] -= min(slot(table[t]["size"]) for t in pair)
    order_bound, any_bound = plan["order_bound"], plan["any_order_bound"]
    _require(order_bound == max(loads), f"this order needs {max(loads)} bytes, not {order_bound}")
    forced = _forced(nodes, plan, base_of, kept, {t: slot(table[t]["size"]) for t in spans}, scratch)
    _require(forced <= any_bound <= order_bound, f"the bound of any order is in [{forced}, {order_bound}]")
    _require(
        plan["any_order_proof"] == "search" or any_bound == forced,
        f"single nodes force {forced} bytes, not {any_bound}",
    )
    claims = (plan["placement_proved"], plan["order_proved"], plan["proved"])
    truth = (plan["arena"] == order_bound, order_bound == any_bound, plan["arena"] == any_bound)
    _require(claims == truth, "what the plan says is proved is not what its numbers say")
    if order:
        peak = plan["witness"]
        live = sorted(t for t, (start, end) in spans.items() if start <= peak["step"] < end)
        _require(order[peak["step"]] == peak["node"] and sorted(peak["tensors"]) == live
                 and peak["bytes"] == loads[peak["step"]] == order_bound,
                 f"the witness at step {peak['step']} is not the peak")  # fmt: skip


def _forced(
    nodes: Json, plan: Json, base_of: Json, kept: set[str], slots: dict[str, int], scratch: dict[str, int]
) -> int:
    """Bytes that some node finds live whatever the order is: its own, and those that must span it."""
    maker = {t: name for name, node in nodes.items() for t in node["writes"]}
    above: dict[str, set[str]] = {}
    for name in plan["order"]:
        above[name] = set()
        for t in nodes[name]["reads"]:
            if t in maker:
                above[name] |= {maker[t]} | above[maker[t]]
    most: int = sum(slots[t] for t in plan["graph"]["inputs"] if t in slots)
    for name, node in nodes.items():
        below = {other for other in nodes if name in above[other]}
        wanted = kept | {base_of[t][0] for other in below for t in nodes[other]["reads"]}
        own = {base_of[t][0] for t in (*node["reads"], *node["writes"])}
        held = {t for t in slots if t in own or (t in wanted and maker.get(t, name) in above[name] | {name})}
        savings = [
            (min(slots[out], slots[base_of[t][0]]), out, base_of[t][0])
            for out, sources in node["inplace"].items()
            for t in sources
            if out in slots and base_of[t][0] in slots and base_of[t][1] == 0 and base_of[t][0] not in wanted
            and all(base_of[r][0] != base_of[t][0] for r in node["reads"] if r != t)
        ]  # fmt: skip
        most = max(most, sum(slots[t] for t in held) + scratch.get(name, 0) - _most_saved(savings))
    return most


def _most_saved(savings: list[tuple[int, str, str]]) -> int:
    """The best choice of pairs in which no tensor stands twice."""
    if not savings:
        return 0
    (saved, out, source), rest = savings[0], savings[1:]
    return max(_most_saved(rest), saved + _most_saved([s for s in rest if s[1] != out and s[2] != source]))
