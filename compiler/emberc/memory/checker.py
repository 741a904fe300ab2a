"""Verifies a memory plan from its JSON alone. Shares no code with the planner, on purpose: it is the proof.

Everything is recomputed from the nodes that the plan lists: who reads what, how long each byte lives, what
may lie over what, and how many bytes any order must hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from emberc.errors import VerifyError

Json = Mapping[str, Any]
Spans = dict[str, tuple[int, int]]


def check_plan(plan: Json) -> None:
    """Raise VerifyError (code E-PLAN) with the reason unless the plan is sound and its bounds are true.

    ``plan`` is the object of ``memory_plan.json``. A bound over all orders that single nodes force is
    recomputed; one that the planner found by search must lie between that and the bound of its order.
    """
    try:
        _Checker(plan).run()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as wrong:
        raise _fault(f"not a memory plan: {type(wrong).__name__} at {wrong}") from wrong


def _fault(reason: str) -> VerifyError:
    return VerifyError(reason, code="E-PLAN", at="memory plan")


def _require(truth: bool, reason: str) -> None:
    if not truth:
        raise _fault(reason)


class _Checker:
    def __init__(self, plan: Json) -> None:
        self.plan, self.graph, self.table = plan, plan["graph"], plan["tensors"]
        self.order: list[str] = plan["order"]
        self.nodes: dict[str, Json] = {node["name"]: node for node in self.graph["nodes"]}
        self.step = {name: step for step, name in enumerate(self.order)}
        self.arenas: list[Json] = plan["spread"]["arenas"] if "spread" in plan else []

    def run(self) -> None:
        self.check_order()
        self.find_homes()
        spans = self.check_lifetimes()
        over = self.check_inplace(spans)
        self.check_space(spans, over)
        self.check_bounds(spans, over)
        if "spread" in self.plan:
            self.check_spread(spans, over)

    def slot(self, size: int) -> int:
        """Bytes that ``size`` bytes occupy in the arena."""
        align: int = self.plan["align"]
        return -(-size // align) * align

    def pool(self, tensor: str) -> str | None:
        """The memory that a tensor lies in; None where there is but one."""
        pool: str | None = self.table[tensor].get("pool")
        return pool

    def check_order(self) -> None:
        """Every node once, every tensor written once and before it is read."""
        _require(sorted(self.order) == sorted(self.nodes), "the order is not the list of nodes")
        self.written: dict[str, int] = dict.fromkeys(self.graph["inputs"], 0)
        self.maker: dict[str, str] = {}
        for name in self.order:
            for tensor in self.nodes[name]["reads"]:
                _require(tensor in self.written, f"'{name}' reads '{tensor}' before it is written")
            for tensor in self.nodes[name]["writes"]:
                _require(tensor not in self.written, f"'{tensor}' is written twice")
                self.written[tensor] = self.step[name]
                self.maker[tensor] = name

    def find_homes(self) -> None:
        """The tensor whose bytes each tensor lies in and where there; the bases each node reads."""
        self.home = {tensor: (tensor, 0) for tensor in self.written}
        for name in self.order:
            for out, (source, inside) in self.nodes[name]["views"].items():
                base, offset = self.home[source]
                self.home[out] = base, offset + inside
        self.reads = {n: [self.home[t][0] for t in node["reads"]] for n, node in self.nodes.items()}
        read = {base for bases in self.reads.values() for base in bases}
        # The caller fills an input even if no node reads it.
        unread = {t for t in self.graph["inputs"] if t not in read}
        self.kept = {self.home[t][0] for t in self.graph["outputs"]} | unread

    def check_lifetimes(self) -> Spans:
        """The steps [start, end) each base is live in, from the nodes; the table must say the same."""
        outside = set(self.graph["external"])
        inside = sorted(t for t, (base, _) in self.home.items() if base not in outside)
        _require(sorted(self.table) == inside, "the plan's tensors are not those of its nodes")
        last = dict(self.written)
        for name, bases in self.reads.items():
            for base in bases:
                last[base] = max(last[base], self.step[name])
        spans: Spans = {}
        for tensor, region in self.table.items():
            base, offset = self.home[tensor]
            start = self.written[base]
            end = max(len(self.order), 1) if base in self.kept else last[base] + 1
            spans[base] = start, end
            said = region["start"], region["end"]
            _require(said == (start, end), f"'{tensor}' lives in [{start}, {end}), not {list(said)}")
            lies = region["offset"] == self.table[base]["offset"] + offset, region.get("pool") == self.pool(base)
            _require(all(lies), f"'{tensor}' is not in '{base}'")
            room = self.table[base]["size"] - region["size"]
            _require(region["size"] >= 0 and 0 <= offset <= room, f"'{tensor}' leaves '{base}'")
        return spans

    def offers(self, name: str) -> list[tuple[str, str]]:
        """The pairs (out, base of an input) that a node can lay over each other, were the input to die there."""
        pairs = []
        for out, sources in self.nodes[name]["inplace"].items():
            for source in sources:
                base, offset = self.home[source]
                others = [self.home[t][0] for t in self.nodes[name]["reads"] if t != source]
                if base in self.table and out in self.table and offset == 0 and base not in others:
                    pairs.append((out, base))
        return pairs

    def check_inplace(self, spans: Spans) -> dict[frozenset[str], int]:
        """The step of each pair written over each other: its node offers that, and the source dies there."""
        over: dict[frozenset[str], int] = {}
        for out, source in self.plan["inplace"].items():
            name = self.maker[out]
            _require((out, source) in self.offers(name), f"'{name}' can't write '{out}' over '{source}'")
            dies = spans[source][1] == self.step[name] + 1 and source not in self.kept
            _require(dies, f"'{out}' is written over '{source}', which is still live")
            same = self.table[out]["offset"] == self.table[source]["offset"] and self.pool(out) == self.pool(source)
            _require(same, f"'{out}' does not lie over '{source}'")
            over[frozenset((out, source))] = self.step[name]
        linked = {frozenset(pair) for group in self.plan["alias_groups"] for pair in pairwise(group)}
        _require(linked == set(over), "the alias groups are not the in-place writes")
        return over

    def check_space(self, spans: Spans, over: Mapping[frozenset[str], int]) -> None:
        """Everything aligned and inside its arena; nothing live together overlaps, in-place pairs apart."""
        sizes = {arena["name"]: arena["arena"] for arena in self.arenas} or {None: self.plan["arena"]}
        _require(len(sizes) == max(len(self.arenas), 1), "two memories have one name")
        regions = []
        for base, (start, end) in spans.items():
            size = self.slot(self.table[base]["size"])
            regions.append((base, self.pool(base), self.table[base]["offset"], size, start, end))
        wanted = {name: node["scratch"] for name, node in self.nodes.items() if node["scratch"]}
        said = {name: region["size"] for name, region in self.plan["scratch"].items()}
        _require(wanted == said, "the plan's scratch is not that of its nodes")
        for name, size in wanted.items():
            region, step = self.plan["scratch"][name], self.step[name]
            _require((region["start"], region["end"]) == (step, step + 1), f"scratch of '{name}' at another step")
            pool, offset = region.get("pool"), region["offset"]
            regions.append((f"scratch of {name}", pool, offset, self.slot(size), step, step + 1))
        for i, (one, pool, at, size, start, end) in enumerate(regions):
            _require(at >= 0 and at % self.plan["align"] == 0, f"'{one}' at {at} is not aligned")
            _require(pool in sizes, f"'{one}' lies in '{pool}', which is no memory of the plan")
            _require(at + size <= sizes[pool], f"'{one}' ends at {at + size}, outside the arena")
            for other, other_pool, other_at, other_size, other_start, other_end in regions[:i]:
                if pool != other_pool:
                    continue
                apart = at + size <= other_at or other_at + other_size <= at or not size or not other_size
                never = end <= other_start or other_end <= start
                if not apart and not never:
                    allowed = frozenset((one, other)) in over
                    _require(allowed, f"'{one}' and '{other}' overlap while both are live")

    def check_bounds(self, spans: Spans, over: Mapping[frozenset[str], int]) -> None:
        """The load of every step gives this order's bound and the witness; single nodes bound any order."""
        plan = self.plan
        sizes = {base: self.slot(self.table[base]["size"]) for base in spans}
        loads = [self.slot(self.nodes[name]["scratch"]) for name in self.order] or [0]
        for base, (start, end) in spans.items():
            for step in range(start, end):
                loads[step] += sizes[base]
        for pair, step in over.items():
            loads[step] -= min(sizes[base] for base in pair)
        bound, any_bound = plan["order_bound"], plan["any_order_bound"]
        _require(bound == max(loads), f"this order needs {max(loads)} bytes at its peak, not {bound}")
        forced = self.forced(sizes)
        _require(forced <= any_bound <= bound, f"any order needs {forced} to {bound} bytes, not {any_bound}")
        searched = plan["any_order_proof"] == "search"
        _require(searched or any_bound == forced, f"single nodes force {forced} bytes, not {any_bound}")
        said = plan["placement_proved"], plan["order_proved"], plan["proved"]
        true = plan["arena"] == bound, bound == any_bound, plan["arena"] == any_bound
        _require(said == true, "what the plan calls proved is not what its numbers say")
        if self.order:
            witness = plan["witness"]
            step = witness["step"]
            live = sorted(base for base, (start, end) in spans.items() if start <= step < end)
            _require(witness["bytes"] == loads[step] == bound, f"the witness at step {step} is not the peak")
            right = self.order[step] == witness["node"] and sorted(witness["tensors"]) == live
            _require(right, f"the witness at step {step} does not name what is live there")

    def check_spread(self, spans: Spans, over: Mapping[frozenset[str], int]) -> None:
        """Every arena within its memory and not below what is live there; the waits are those of the accesses."""
        spread, waits = self.plan["spread"], 0
        for arena in self.arenas:
            name, capacity = arena["name"], arena["capacity"]
            _require(arena["arena"] <= capacity, f"the arena in {name} has {arena['arena']} bytes of {capacity}")
            loads = [0] * max(len(self.order), 1)
            for base, (start, end) in spans.items():
                if self.pool(base) == name:
                    for step in range(start, end):
                        loads[step] += self.slot(self.table[base]["size"])
            for pair, step in over.items():
                if self.pool(next(iter(pair))) == name:
                    loads[step] -= min(self.slot(self.table[base]["size"]) for base in pair)
            for node, region in self.plan["scratch"].items():
                loads[self.step[node]] += self.slot(region["size"]) if region["pool"] == name else 0
            bound = arena["bound"]
            _require(max(loads) <= bound <= arena["arena"], f"{name} holds {max(loads)} bytes at its peak, not {bound}")
            here = [r for r in (*self.table.values(), *self.plan["scratch"].values()) if r["pool"] == name]
            waits += sum(r["reads"] * arena["read_wait"] + r["writes"] * arena["write_wait"] for r in here)
        _require(sum(arena["arena"] for arena in self.arenas) == self.plan["arena"], "the arenas do not add up")
        _require(spread["waits"] == waits, f"accesses wait {waits} cycles, not {spread['waits']}")
        _require(spread["waits_bound"] <= waits, "the least waits are more than those of the plan")

    def forced(self, sizes: Mapping[str, int]) -> int:
        """The most bytes that some node finds live whatever the order: its own and all that must span it."""
        above: dict[str, set[str]] = {}
        below: dict[str, set[str]] = {name: set() for name in self.order}
        for name in self.order:
            makers = {self.maker[t] for t in self.nodes[name]["reads"] if t in self.maker}
            above[name] = makers.union(*(above[maker] for maker in makers))
            for maker in above[name]:
                below[maker].add(name)
        most = sum(sizes[t] for t in self.graph["inputs"] if t in sizes)
        for name, node in self.nodes.items():
            later = self.kept.union(*(self.reads[other] for other in below[name]))
            own = {*self.reads[name], *node["writes"]}
            early = {t for t in sizes if t not in self.maker or self.maker[t] in above[name]}
            load = sum(sizes[t] for t in sizes if t in own or (t in later and t in early))
            saving = _most_saved([(min(sizes[o], sizes[s]), o, s) for o, s in self.offers(name) if s not in later])
            most = max(most, load + self.slot(node["scratch"]) - saving)
        return most


def _most_saved(savings: list[tuple[int, str, str]]) -> int:
    """The best choice of pairs (bytes, out, source) in which no tensor stands twice."""
    if not savings:
        return 0
    (saved, out, source), rest = savings[0], savings[1:]
    others = [s for s in rest if s[1] != out and s[2] != source]
    return max(_most_saved(rest), saved + _most_saved(others))
