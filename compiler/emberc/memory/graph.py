"""The ordering problem: nodes that read and write tensors, and what is live when they run in some order."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from emberc.errors import VerifyError
from emberc.memory.buffers import round_up


@dataclass(frozen=True, slots=True)
class Node:
    """One op as the planner sees it.

    ``reads`` and ``writes`` name tensors; constants in flash are not named at all. ``scratch`` bytes are
    needed while the node runs. ``inplace[out]`` lists the inputs that the kernel can write ``out`` over, from
    the same first byte; the op vouches for it whatever the two sizes are, and the planner sees to it that
    the input dies here. ``views[out] = (input, byte offset)`` says that ``out`` is no new memory but lies
    inside ``input`` (a reshape, a row slice).
    """

    name: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    scratch: int = 0
    inplace: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    views: Mapping[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Share:
    """At ``step`` the storage ``out`` is written over ``source``, which dies there. Storage numbers."""

    step: int
    out: int
    source: int


def _fault(message: str, at: str) -> VerifyError:
    return VerifyError(message, at=at)


class Graph:
    """The problem with names resolved to numbers and sets of nodes to bit masks.

    A *storage* is a tensor that is no view and lies in the arena. Per storage s: ``storage[s]`` its name,
    ``slot[s]`` bytes with rounding, ``maker[s]`` the node that writes it (-1: an input), ``readers[s]`` the
    mask of nodes that read it or a view of it, ``kept[s]`` whether it must outlive the run. Per node v:
    ``uses[v]``, ``makes[v]`` storages read and written, ``scratch[v]`` and ``made[v]`` bytes, ``over[v]`` pairs
    (out, source) that may share memory, ``before[v]`` and ``after[v]`` masks of all ancestors and descendants.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        tensors: Mapping[str, int],
        inputs: Sequence[str],
        outputs: Sequence[str],
        *,
        external: Collection[str] = (),
        align: int = 16,
    ) -> None:
        self.nodes, self.tensors = tuple(nodes), dict(tensors)
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        self.external, self.align = frozenset(external), align
        self._check_names()
        self.home = self._resolve_views()
        self._number_storages()
        self._link_nodes()

    def _check_names(self) -> None:
        made: dict[str, str] = dict.fromkeys(self.inputs, "the graph's inputs")
        seen: set[str] = set()
        for node in self.nodes:
            if node.name in seen:
                raise _fault("two nodes have this name", node.name)
            seen.add(node.name)
            for tensor in (*node.reads, *node.writes):
                if tensor not in self.tensors:
                    raise _fault(f"tensor '{tensor}' has no size", node.name)
            for tensor in node.writes:
                if tensor in made:
                    raise _fault(f"tensor '{tensor}' is written twice, first by {made[tensor]}", node.name)
                made[tensor] = node.name
            for out, sources in [*node.inplace.items(), *((o, (s,)) for o, (s, _) in node.views.items())]:
                for source in sources:
                    if out not in node.writes or source not in node.reads:
                        raise _fault(f"'{out}' can't lie over '{source}': the node does not "
                                     "write the one and read the other", node.name)  # fmt: skip
        for node in self.nodes:
            for tensor in node.reads:
                if tensor not in made:
                    raise _fault(f"tensor '{tensor}' is read but nothing writes it", node.name)
        for tensor in self.outputs:
            if tensor not in made:
                raise _fault("nothing writes this output", f"tensor '{tensor}'")
        for tensor, size in self.tensors.items():
            if size < 0:
                raise _fault(f"size {size} is negative", f"tensor '{tensor}'")

    def _resolve_views(self) -> dict[str, tuple[str, int]]:
        """For every tensor the storage it lies in and the byte offset there."""
        parent = {out: link for node in self.nodes for out, link in node.views.items()}
        home: dict[str, tuple[str, int]] = {}
        for tensor in self.tensors:
            base, offset, hops = tensor, 0, 0
            while base in parent:
                base, step = parent[base]
                offset += step
                hops += 1
                if hops > len(parent):
                    raise _fault("is a view of itself", f"tensor '{tensor}'")
            if offset + self.tensors[tensor] > self.tensors[base] or offset < 0:
                raise _fault(f"a view of {self.tensors[tensor]} bytes at {offset} leaves "
                             f"'{base}' of {self.tensors[base]} bytes", f"tensor '{tensor}'")  # fmt: skip
            home[tensor] = (base, offset)
        return home

    def _number_storages(self) -> None:
        made = [*self.inputs, *(t for node in self.nodes for t in node.writes)]
        self.storage = [t for t in made if self.home[t][0] == t and t not in self.external]
        self.number = {name: s for s, name in enumerate(self.storage)}
        self.slot = [round_up(self.tensors[name], self.align) for name in self.storage]
        self.kept = [False] * len(self.storage)
        self.readers = [0] * len(self.storage)
        self.maker = [-1] * len(self.storage)

    def _storages(self, tensors: Iterable[str]) -> tuple[int, ...]:
        """The storages behind the tensors, each once, in order; what lies outside the arena is left out."""
        homes = (self.number.get(self.home[t][0]) for t in tensors)
        return tuple(dict.fromkeys(s for s in homes if s is not None))

    def _link_nodes(self) -> None:
        writer = {t: v for v, node in enumerate(self.nodes) for t in node.writes}
        self.uses = [self._storages(node.reads) for node in self.nodes]
        self.makes = [tuple(self.number[t] for t in node.writes if t in self.number) for node in self.nodes]
        self.scratch = [round_up(node.scratch, self.align) for node in self.nodes]
        self.made = [sum(self.slot[s] for s in made) for made in self.makes]
        self.touched = [(*uses, *made) for uses, made in zip(self.uses, self.makes, strict=True)]
        self.over = [tuple(self._overlays(node)) for node in self.nodes]
        for v in range(len(self.nodes)):
            for s in self.uses[v]:
                self.readers[s] |= 1 << v
            for s in self.makes[v]:
                self.maker[s] = v
        for s in self._storages(self.outputs):
            self.kept[s] = True
        for s, name in enumerate(self.storage):
            # The caller fills an input even if nobody reads it: its memory is never free.
            self.kept[s] |= self.maker[s] < 0 and not self.readers[s] and name in self.inputs
        self.direct = [0] * len(self.nodes)
        for v, node in enumerate(self.nodes):
            for t in node.reads:
                if t in writer:
                    self.direct[v] |= 1 << writer[t]
        self._close_transitively()

    def _overlays(self, node: Node) -> Iterable[tuple[int, int]]:
        for out, sources in node.inplace.items():
            for source in sources:
                base, offset = self.home[source]
                # Another operand in the same storage would be overwritten while it is still read.
                alone = all(self.home[t][0] != base for t in node.reads if t != source)
                if out in self.number and base in self.number and offset == 0 and alone:
                    yield self.number[out], self.number[base]

    def _close_transitively(self) -> None:
        self.next: list[list[int]] = [[] for _ in self.nodes]
        for v, mask in enumerate(self.direct):
            for u in bits(mask):
                self.next[u].append(v)
        self.before = [0] * len(self.nodes)
        self.after = [0] * len(self.nodes)
        waiting = [mask.bit_count() for mask in self.direct]
        ready = [v for v, count in enumerate(waiting) if not count]
        topological: list[int] = []
        while ready:
            v = heapq.heappop(ready)
            topological.append(v)
            for w in self.next[v]:
                self.before[w] |= self.before[v] | 1 << v
                waiting[w] -= 1
                if not waiting[w]:
                    heapq.heappush(ready, w)
        if len(topological) < len(self.nodes):
            stuck = sorted(self.nodes[v].name for v, count in enumerate(waiting) if count)
            raise _fault(f"the graph has a cycle through {', '.join(stuck[:5])}", stuck[0])
        for v in reversed(topological):
            for u in bits(self.direct[v]):
                self.after[u] |= self.after[v] | 1 << v
        # Lowest number first: the order given, wherever that is topological already.
        self.given = tuple(topological)

    def opened(self, ready: int, v: int, then: int) -> int:
        """The mask of nodes ready to run after v, one of the ``ready`` ones, made ``then`` the set that ran."""
        ready &= ~(1 << v)
        for w in self.next[v]:
            if not self.direct[w] & ~then:
                ready |= 1 << w
        return ready

    def initial_live(self) -> int:
        """Bytes live before the first node: the inputs in the arena."""
        return sum(slot for slot, maker in zip(self.slot, self.maker, strict=True) if maker < 0)

    def dies(self, s: int, done: int) -> bool:
        """Whether nothing outside the node set ``done`` still needs storage s."""
        return not self.kept[s] and not self.readers[s] & ~done

    def shares(self, v: int, done: int) -> tuple[int, tuple[tuple[int, int], ...]]:
        """Bytes saved, and the pairs (out, source), when v writes over what dies after the set ``done``.

        The best matching; nodes have so few outputs that trying all is the short way.
        """
        pairs = [
            (out, source)
            for out, source in self.over[v]
            if self.slot[out] and self.slot[source] and self.dies(source, done)
        ]
        if len(pairs) == 1:
            return min(self.slot[pairs[0][0]], self.slot[pairs[0][1]]), tuple(pairs)

        def best(i: int, used: frozenset[int]) -> tuple[int, tuple[tuple[int, int], ...]]:
            if i == len(pairs):
                return 0, ()
            out, source = pairs[i]
            skip = best(i + 1, used)
            if out in used or ~source in used:
                return skip
            saved, rest = best(i + 1, used | {out, ~source})
            saved += min(self.slot[out], self.slot[source])
            return (saved, ((out, source), *rest)) if saved > skip[0] else skip

        return best(0, frozenset())

    def step(self, v: int, done: int, live: int) -> tuple[int, int]:
        """(bytes while v runs, bytes live after it) when the set ``done`` has run and ``live`` bytes are live."""
        then = done | 1 << v
        during = live + self.made[v] + self.scratch[v]
        if self.over[v]:
            during -= self.shares(v, then)[0]
        after = live + self.made[v]
        for s in self.touched[v]:
            if not self.readers[s] & ~then and not self.kept[s]:
                after -= self.slot[s]
        return during, after

    def loads(self, order: Sequence[int]) -> list[int]:
        """Bytes needed in each step of an order, in-place writes and scratch included."""
        done, live, loads = 0, self.initial_live(), []
        for v in order:
            during, live = self.step(v, done, live)
            done |= 1 << v
            loads.append(during)
        return loads

    def lifetimes(self, order: Sequence[int]) -> list[tuple[int, int]]:
        """Per storage the steps [start, end) it is live in."""
        steps = max(len(order), 1)
        at = {v: step for step, v in enumerate(order)}
        spans = []
        for s in range(len(self.storage)):
            start = at[self.maker[s]] if self.maker[s] >= 0 else 0
            last = max((at[v] for v in bits(self.readers[s])), default=start)
            spans.append((start, steps if self.kept[s] else last + 1))
        return spans

    def all_shares(self, order: Sequence[int]) -> list[Share]:
        """Every in-place write that the order allows, the best matching at each node."""
        done, found = 0, []
        for step, v in enumerate(order):
            done |= 1 << v
            found += [Share(step, out, source) for out, source in self.shares(v, done)[1]]
        return found


def bits(mask: int) -> Iterable[int]:
    """The numbers of the set bits, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
