"""The order of execution with the smallest peak of live bytes, and a lower bound over all orders.

What is live depends only on the *set* of nodes that have run, so an order is a path through these sets
(down-sets of the graph) and the best order a minimax shortest path (Ahn et al., "Ordering Chaos:
Memory-Aware Scheduling", MLSys 2020, section 3; Liberis and Lane, "Neural networks on microcontrollers:
saving memory at inference via operator reordering", 2019). Three things keep that small: the graph is cut
at every node that all others run wholly before or after; sets are visited lowest peak first, so a visit
is also a proof; and a node that neither raises the peak nor adds live bytes is run at once.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emberc.memory.graph import Graph, bits

_VISITS = 40_000
_QUICK_VISITS = 2_000
_BEAM = 64


@dataclass(frozen=True, slots=True)
class Schedule:
    """An order (node numbers), its peak in bytes, and a bound that no order of the graph can beat.

    ``forced`` is the part of that bound that needs no search: some node finds so many bytes live always.
    """

    order: tuple[int, ...]
    peak: int
    bound: int
    method: str
    forced: int

    @property
    def proved(self) -> bool:
        return self.peak == self.bound


@dataclass(frozen=True, slots=True)
class _Segment:
    """The nodes between two cuts: ``done`` have run and ``live`` bytes are live when it begins."""

    nodes: tuple[int, ...]
    done: int
    live: int


def forced_loads(graph: Graph) -> list[int]:
    """Per node the bytes that are live while it runs *whatever the order*.

    Its operands, results and scratch, less the best in-place saving it could ever have; every storage made
    by an ancestor (or an input) that the node's descendants, or the caller, still need.
    """
    loads = []
    for v in range(len(graph.nodes)):
        later = graph.after[v]
        own = {*graph.uses[v], *graph.makes[v]}
        held = [
            s
            for s in range(len(graph.storage))
            if s in own
            or ((graph.maker[s] < 0 or graph.before[v] >> graph.maker[s] & 1)
                and (graph.kept[s] or graph.readers[s] & later))
        ]  # fmt: skip
        # In-place is best when every other reader that may run earlier has done so.
        saved = graph.shares(v, ~later)[0]
        loads.append(sum(graph.slot[s] for s in held) + graph.scratch[v] - saved)
    return loads


def _segments(graph: Graph, order: Sequence[int]) -> list[_Segment]:
    """The order cut after every node that all others precede or follow."""
    everything = (1 << len(graph.nodes)) - 1
    segments, nodes, done, live = [], list[int](), 0, graph.initial_live()
    start, start_live = 0, live
    for v in order:
        _, live = graph.step(v, done, live)
        done |= 1 << v
        nodes.append(v)
        if graph.before[v] | graph.after[v] | 1 << v == everything:
            # All ancestors of a cut node come before it, in every order: the set at the cut is the same.
            segments.append(_Segment(tuple(nodes), start, start_live))
            nodes, start, start_live = [], done, live
    if nodes:
        segments.append(_Segment(tuple(nodes), start, start_live))
    return segments


def _search(
    graph: Graph, part: _Segment, floor: int, ceiling: int, visits: int, rng: random.Random | None = None
) -> tuple[int, tuple[int, ...] | None]:
    """The smallest peak of a segment, at least ``floor``, and its order.

    Sets are visited lowest peak first, then largest, then with the fewest bytes live, or as ``rng`` likes. Only
    peaks below ``ceiling`` are looked for: (ceiling, None) says there is none; (bound, None) with a lower bound
    says that the limit of visits was reached.
    """
    goal = part.done | sum(1 << v for v in part.nodes)
    heap = [(floor, -part.done.bit_count(), 0.0, 0, part.done, part.live, _ready(graph, part))]
    came: dict[int, tuple[int, int]] = {}
    best_peak: dict[int, int] = {part.done: floor}
    closed: set[int] = set()
    pushed = 0
    while heap:
        peak, _, _, _, done, live, ready = heapq.heappop(heap)
        if done in closed:
            continue
        closed.add(done)
        if done == goal:
            order: list[int] = []
            while done != part.done:
                v, done = came[done]
                order.append(v)
            return peak, tuple(reversed(order))
        if len(closed) > visits:
            return peak, None
        moves = []
        for v in _shuffled(bits(ready), rng):
            during, after = graph.step(v, done, live)
            if during <= peak and after <= live:
                # Exchange argument: run now, it only lowers what every later step sees.
                moves = [(v, peak, after)]
                break
            if max(peak, during) < ceiling:
                moves.append((v, max(peak, during), after))
        for v, reached, after in moves:
            then = done | 1 << v
            if then not in closed and reached < best_peak.get(then, reached + 1):
                best_peak[then] = reached
                came[then] = (v, done)
                pushed += 1
                opened = graph.opened(ready, v, then) & goal
                taste = after * rng.uniform(0.5, 1.5) if rng else float(after)
                heapq.heappush(heap, (reached, -then.bit_count(), taste, pushed, then, after, opened))
    return ceiling, None


def _shuffled(nodes: Iterable[int], rng: random.Random | None) -> list[int]:
    listed = list(nodes)
    if rng:
        rng.shuffle(listed)
    return listed


def _ready(graph: Graph, part: _Segment) -> int:
    return sum(1 << v for v in part.nodes if not graph.direct[v] & ~part.done)


# Peak, live bytes, order so far, set that has run, set that is ready.
_State = tuple[int, int, tuple[int, ...], int, int]


def _beam(graph: Graph, part: _Segment, width: int) -> tuple[int, tuple[int, ...]]:
    """A good order of a segment and its peak: the ``width`` best sets of each size go on."""
    goal = part.done | sum(1 << v for v in part.nodes)
    states: list[_State] = [(0, part.live, (), part.done, _ready(graph, part))]
    for _ in part.nodes:
        reached: dict[int, _State] = {}
        for peak, live, order, done, ready in states:
            for v in bits(ready):
                during, after = graph.step(v, done, live)
                then = done | 1 << v
                state = (max(peak, during), after, (*order, v), then, graph.opened(ready, v, then) & goal)
                if then not in reached or state < reached[then]:
                    reached[then] = state
        states = heapq.nsmallest(width, reached.values())
    peak, _, order, _, _ = states[0]
    return peak, order


def schedule(graph: Graph) -> Schedule:
    """The best order found, with a proof where the graph's width allows one.

    The given order is kept when it is as good as any. Deterministic: limits are counts, never time.
    """
    loads = graph.loads(graph.given)
    forced = forced_loads(graph)
    bound = max([graph.initial_live(), *forced])
    peak = max([graph.initial_live(), *loads])
    if peak == bound:
        return Schedule(graph.given, peak, bound, "given order", bound)
    no_search = bound
    order: list[int] = []
    method = "exact"
    for part in _segments(graph, graph.given):
        first = len(order)
        own_peak = max(loads[first : first + len(part.nodes)])
        found = part.nodes
        if own_peak > bound:
            # Below what is forced elsewhere nothing is gained: the floor makes most nodes free moves.
            beam_peak, beam_order = _beam(graph, part, 4)
            if beam_peak < own_peak:
                own_peak, found = beam_peak, beam_order
            if own_peak > bound:
                reached, exact = _search(graph, part, bound, own_peak, _VISITS)
                if exact is not None:
                    found = exact
                elif reached < own_peak:
                    method = "beam"
                    beam_peak, beam_order = _beam(graph, part, _BEAM)
                    if beam_peak < own_peak:
                        found = beam_order
                bound = max(bound, reached)
        order += found
    return Schedule(tuple(order), max([graph.initial_live(), *graph.loads(order)]), bound, method, no_search)


def reorder(graph: Graph, found: Schedule, seed: int) -> tuple[int, ...]:
    """Another order with a peak no higher than the one found: its tensors may be easier to place."""
    rng = random.Random(seed)
    order: list[int] = []
    for part in _segments(graph, found.order):
        _, other = _search(graph, part, found.peak, found.peak + 1, _QUICK_VISITS, rng)
        order += other or part.nodes
    return tuple(order)
