"""The whole plan: order, in-place writes and placement decided together, with what is proved about it."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from emberc.memory.buffers import Buffer, Placement
from emberc.memory.graph import Graph, Node, Share
from emberc.memory.order import Schedule, reorder, schedule
from emberc.memory.place import place
from emberc.memory.pools import NOT_COUNTED, Access, Spread

PLAN_VERSION = 1
# Orders to try when the bound of the first can't be met: their tensors lie differently in time.
_VARIANTS = 12


@dataclass(frozen=True, slots=True)
class Region:
    """``size`` bytes at ``offset`` of the arena, live in the steps [start, end).

    In a plan over several memories it is the arena of ``pool``; ``access`` counts what kernels do to it in a run.
    """

    offset: int
    size: int
    start: int
    end: int
    pool: str = ""
    access: Access = NOT_COUNTED


@dataclass(frozen=True, slots=True)
class Witness:
    """Why the arena can't be smaller in this order: these tensors are live together in this step."""

    step: int
    node: str
    tensors: tuple[str, ...]
    scratch: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A memory plan and its certificate. Sizes, offsets and bounds in bytes, times in steps of ``order``.

    ``tensors`` has every tensor in the arena, views included; ``scratch`` is by node name. ``inplace[out]``
    is the tensor that ``out`` is written over; ``alias_groups`` are the chains these make. No placement of
    this order needs less than ``order_bound``, no order of the graph less than ``any_order_bound``:
    ``any_order_proof`` is "forced" when a single node shows that, "search" when it took an exhaustive search.
    With ``spread`` there is an arena in each of several memories, and ``arena`` is the sum of all.
    """

    order: tuple[str, ...]
    tensors: Mapping[str, Region]
    scratch: Mapping[str, Region]
    inplace: Mapping[str, str]
    alias_groups: tuple[tuple[str, ...], ...]
    arena: int
    order_bound: int
    any_order_bound: int
    any_order_proof: str
    witness: Witness | None
    align: int
    graph: Graph
    method: str
    seconds: float
    spread: Spread | None = None

    @property
    def placement_proved(self) -> bool:
        """The arena is the smallest for this order."""
        return self.arena == self.order_bound

    @property
    def order_proved(self) -> bool:
        """No order has a smaller peak of live bytes."""
        return self.order_bound == self.any_order_bound

    @property
    def proved(self) -> bool:
        """The arena is the smallest that any order and placement of these nodes can have."""
        return self.arena == self.any_order_bound

    def to_json(self) -> dict[str, Any]:
        """The certificate that ``check_plan`` verifies: the same plan gives the same object, no timings."""
        graph = self.graph
        return {
            "version": PLAN_VERSION,
            "align": self.align,
            "arena": self.arena,
            "order_bound": self.order_bound,
            "any_order_bound": self.any_order_bound,
            "any_order_proof": self.any_order_proof,
            "placement_proved": self.placement_proved,
            "order_proved": self.order_proved,
            "proved": self.proved,
            "method": self.method,
            "order": list(self.order),
            "tensors": {name: _region_json(r) for name, r in sorted(self.tensors.items())},
            "scratch": {name: _region_json(r) for name, r in sorted(self.scratch.items())},
            "inplace": dict(sorted(self.inplace.items())),
            "alias_groups": [list(group) for group in self.alias_groups],
            "witness": self.witness and {
                "step": self.witness.step,
                "node": self.witness.node,
                "tensors": list(self.witness.tensors),
                "scratch": self.witness.scratch,
                "bytes": self.witness.bytes,
            },
            "graph": {
                "inputs": list(graph.inputs),
                "outputs": list(graph.outputs),
                "external": sorted(graph.external),
                "nodes": [_node_json(node) for node in graph.nodes],
            },
            **({"spread": _spread_json(self.spread)} if self.spread else {}),
        }  # fmt: skip

    def summary(self) -> str:
        """One line for the report: ``arena 83,968 bytes, 23 buffers, order and placement proved``."""
        if self.spread:
            parts = [f"{a.pool.name} {a.bytes:,}" for a in self.spread.arenas]
            return f"arenas {', '.join(parts)} bytes, {len(self.tensors) + len(self.scratch)} buffers"
        if self.proved:
            verdict = "order and placement proved"
        else:
            parts = [
                "placement proved" if self.placement_proved else f"bound of this order {self.order_bound:,}",
                "order proved" if self.order_proved else f"bound of any order {self.any_order_bound:,}",
            ]
            verdict = ", ".join(parts)
        return f"arena {self.arena:,} bytes, {len(self.tensors) + len(self.scratch)} buffers, {verdict}"


def _region_json(region: Region) -> dict[str, Any]:
    where = {"offset": region.offset, "size": region.size, "start": region.start, "end": region.end}
    access = {"pool": region.pool, "reads": region.access.reads, "writes": region.access.writes}
    return {**where, **(access if region.pool else {})}


def _spread_json(spread: Spread) -> dict[str, Any]:
    arenas = [{**asdict(a.pool), "arena": a.bytes, "bound": a.bound} for a in spread.arenas]
    return {"arenas": arenas, "waits": spread.waits, "waits_bound": spread.waits_bound}


def _node_json(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "reads": list(node.reads),
        "writes": list(node.writes),
        "scratch": node.scratch,
        "inplace": {out: list(sources) for out, sources in sorted(node.inplace.items())},
        "views": {out: list(link) for out, link in sorted(node.views.items())},
    }


def plan_memory(
    nodes: Sequence[Node],
    tensors: Mapping[str, int],
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    external: Collection[str] = (),
    align: int = 16,
) -> Plan:
    """Decide order, in-place writes and offsets of a graph so that its arena is as small as can be found.

    ``tensors`` gives the size in bytes of every tensor that a node reads or writes. Inputs are live from
    the first step, outputs until the last; a tensor that is both (persistent state) is live throughout.
    ``external`` tensors belong to the caller: they order the nodes but take no place in the arena.
    Every offset is a multiple of ``align`` and every tensor occupies a multiple of it. Deterministic.

    Raises VerifyError, naming the node, for an unknown tensor, one written twice, a view that leaves its
    base or a cycle.
    """
    began = time.perf_counter()
    graph = Graph(nodes, tensors, inputs, outputs, external=external, align=align)
    found = schedule(graph)
    return _certify(graph, found, _best_layout(graph, found), began)


@dataclass(frozen=True, slots=True)
class _Layout:
    order: Sequence[int]
    shares: Sequence[Share]
    buffers: Sequence[Buffer]
    placement: Placement


def _best_layout(graph: Graph, found: Schedule) -> _Layout:
    """The lowest placement of the order found; where its bound is out of reach, of others as good."""
    tried: list[_Layout] = []
    for variant in range(_VARIANTS):
        order = reorder(graph, found, variant) if variant else found.order
        shares = graph.all_shares(order)
        for chosen in (shares, _needed_shares(graph, order, shares, found.peak)):
            # Each in-place write ties two tensors to one offset: where the peak does not need it, let go.
            if not tried or (order, chosen) != (tried[-1].order, tried[-1].shares):
                tried.append(_lay_out(graph, order, chosen, effort=0))
                if tried[-1].placement.height <= found.peak:
                    return tried[-1]
    best = min(tried, key=lambda layout: layout.placement.height)
    harder = _lay_out(graph, best.order, best.shares, effort=1)
    return min(best, harder, key=lambda layout: layout.placement.height)


def _lay_out(graph: Graph, order: Sequence[int], shares: Sequence[Share], effort: int) -> _Layout:
    spans = graph.lifetimes(order)
    buffers = [
        Buffer(name, graph.tensors[name], start, end, graph.align)
        for name, (start, end) in zip(graph.storage, spans, strict=True)
    ]
    for step, v in enumerate(order):
        if graph.scratch[v]:
            buffers.append(Buffer(graph.nodes[v].name, graph.nodes[v].scratch, step, step + 1, graph.align))
    return _Layout(order, shares, buffers, place(buffers, _chains(shares), effort=effort))


def _chains(shares: Sequence[Share]) -> list[list[int]]:
    """Storages tied to one offset: shares come in order of execution, so a source is a chain's last link."""
    chains: dict[int, list[int]] = {}
    for share in shares:
        chain = chains.pop(share.source, [share.source])
        chain.append(share.out)
        chains[share.out] = chain
    return sorted(chains.values())


def _needed_shares(graph: Graph, order: Sequence[int], shares: Sequence[Share], peak: int) -> list[Share]:
    """The shares without which some step would exceed the peak."""
    loads = graph.loads(order)
    saved = {share: min(graph.slot[share.out], graph.slot[share.source]) for share in shares}
    needed: list[Share] = []
    for share in sorted(shares, key=lambda s: (s.step, saved[s])):
        loads[share.step] += saved[share]
        if loads[share.step] > peak:
            loads[share.step] -= saved[share]
            needed.append(share)
    return needed


def _certify(graph: Graph, found: Schedule, layout: _Layout, began: float) -> Plan:
    order = layout.order
    offsets = layout.placement.offsets
    spans = graph.lifetimes(order)
    names = tuple(graph.nodes[v].name for v in order)
    regions = {}
    for tensor, (base, inside) in graph.home.items():
        if base in graph.number:
            s = graph.number[base]
            start, end = spans[s]
            regions[tensor] = Region(offsets[s] + inside, graph.tensors[tensor], start, end)
    scratch = {
        b.name: Region(at, b.size, b.start, b.end)
        for b, at in list(zip(layout.buffers, offsets, strict=True))[len(graph.storage) :]
    }
    return Plan(
        order=names,
        tensors=regions,
        scratch=scratch,
        inplace={graph.storage[s.out]: graph.storage[s.source] for s in layout.shares},
        alias_groups=tuple(tuple(graph.storage[s] for s in chain) for chain in _chains(layout.shares)),
        arena=layout.placement.height,
        order_bound=max(graph.loads(order), default=graph.initial_live()),
        any_order_bound=found.bound,
        any_order_proof="forced" if found.bound == found.forced else "search",
        witness=_witness(graph, order, spans),
        align=graph.align,
        graph=graph,
        method=f"order: {found.method}; placement: {layout.placement.method}",
        seconds=time.perf_counter() - began,
    )


def _witness(graph: Graph, order: Sequence[int], spans: Sequence[tuple[int, int]]) -> Witness | None:
    if not order:
        return None
    loads = graph.loads(order)
    step = loads.index(max(loads))
    live = tuple(graph.storage[s] for s, (start, end) in enumerate(spans) if start <= step < end)
    node = graph.nodes[order[step]]
    return Witness(step, node.name, live, graph.scratch[order[step]], loads[step])
