"""The planner's problems solved by trying everything: slow, short, and sharing no code with the planner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product
from typing import Any

from emberc.memory import Buffer, Node


def smallest_height(buffers: Sequence[Buffer], tied: Sequence[Sequence[int]] = ()) -> int:
    """The least memory that the buffers fit in: every order of blocks, each at the lowest byte that is free."""
    together = [i for group in tied for i in group]
    blocks = [[buffers[i] for i in group] for group in tied]
    blocks += [[b] for i, b in enumerate(buffers) if i not in together]
    best = sum(b.slot + b.align for b in buffers)
    for order in permutations(blocks):
        placed: list[tuple[int, Buffer]] = []
        for block in order:
            at, align = 0, max(b.align for b in block)
            while any(
                at < other_at + o.slot and other_at < at + b.slot and o.start < b.end and b.start < o.end
                for other_at, o in placed
                for b in block
            ):
                at += align
            placed += [(at, b) for b in block]
        best = min(best, max(at + b.slot for at, b in placed))
    return best


def orders(nodes: Sequence[Node], ready: frozenset[str]) -> Iterator[tuple[Node, ...]]:
    """Every topological order; ``ready`` are the tensors that exist already."""
    if not nodes:
        yield ()
    for node in nodes:
        if ready.issuperset(node.reads):
            rest = [other for other in nodes if other is not node]
            for tail in orders(rest, ready | frozenset(node.writes)):
                yield (node, *tail)


def smallest_peak(problem: dict[str, Any]) -> int:
    """The least peak of live bytes over all orders and all legal in-place writes."""
    return min(peak(order, problem) for order in orders(problem["nodes"], frozenset(problem["inputs"])))


def peak(order: Sequence[Node], problem: dict[str, Any]) -> int:
    """The peak of live bytes in one order with the best in-place writes."""
    align, external = problem["align"], set(problem["external"])
    base = {name: name for name in problem["inputs"]}
    shifted = set()
    for node in order:
        for out in node.writes:
            source, inside = node.views.get(out, (out, 0))
            base[out] = base.get(source, source)
            if inside or source in shifted:
                shifted.add(out)

    def slot(size: int) -> int:
        return (size + align - 1) // align * align

    def readers(storage: str) -> list[int]:
        return [i for i, node in enumerate(order) if any(base[t] == storage for t in node.reads)]

    written = {out: i for i, node in enumerate(order) for out in node.writes}
    kept = {base[t] for t in problem["outputs"]}
    live: dict[str, range] = {}
    for storage in set(base.values()) - external:
        start = written.get(storage, 0)
        used = readers(storage)
        if storage in kept or (storage in problem["inputs"] and not used):
            live[storage] = range(start, max(len(order), 1))
        else:
            live[storage] = range(start, max([start, *used]) + 1)
    most = 0
    for step, node in enumerate(order):
        load = sum(slot(problem["tensors"][s]) for s, span in live.items() if step in span) + slot(node.scratch)
        choices = []
        for out, sources in node.inplace.items():
            fits: list[str | None] = [None]
            for t in sources:
                storage = base[t]
                dying = storage in live and live[storage][-1] == step and storage not in kept
                alone = [base[r] for r in node.reads].count(storage) == 1
                if out in live and dying and alone and t not in shifted and storage not in node.writes:
                    if storage in problem["inputs"] and not readers(storage):
                        continue
                    fits.append(storage)
            choices.append([(out, storage) for storage in fits])
        savings = [0]
        for choice in product(*choices):
            pairs = [(out, storage) for out, storage in choice if storage is not None]
            if len({storage for _, storage in pairs}) == len(pairs):
                savings.append(sum(min(slot(problem["tensors"][t]) for t in pair) for pair in pairs))
        most = max(most, load - max(savings))
    return most
