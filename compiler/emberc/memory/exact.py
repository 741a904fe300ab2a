"""Complete search: a placement within a given height, or the proof that there is none.

Built bottom-up along the skyline, in the spirit of MiniMalloc (Moffitt, ASPLOS 2023): every placement can
be pushed down until each block rests on the ground or on another block, so only such placements are tried.
Time is cut into sections where the set of live blocks is constant. The skyline is a list of runs, stretches
of equal floor; a *valley* is an open run between higher neighbours. Whatever covers the leftmost section of
a valley at floor level starts exactly there: either one of the few blocks that do, or nothing ever will, and
that stretch is closed until a neighbour has grown past it. The same holds for the rightmost section. Each
section can afford to lose just ``height - load`` bytes to closed stretches.

What makes it fast: the valley edge with the fewest ways on is taken first; when no unplaced block crosses
some moment, the time before and after are separate searches; a state that failed is remembered; blocks that
end flush with a neighbour are tried first; and a search that goes astray is restarted with another taste.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from emberc.memory.blocks import Block
from emberc.memory.buffers import round_up

_WALL = 1 << 62
_TELLING = 8  # edges looked at for one that tells most
_MOST_SUMMED = 9  # blocks whose subset sums are formed: 2^9 at most


class OutOfNodesError(Exception):
    """The limit of nodes was reached before an answer."""


class Run(NamedTuple):
    """Sections from ``first`` up to the next run have this ``floor``; nothing rests at it unless ``open``."""

    first: int
    floor: int
    open: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch [lo, hi) of sections that no unplaced block leaves; ``todo`` is the mask of those inside."""

    lo: int
    hi: int
    runs: tuple[Run, ...]
    todo: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A valley [lo, hi) at ``runs[index]``, the edge to fill there and the blocks that can fill it."""

    index: int
    lo: int
    hi: int
    left: bool
    blocks: list[int]


class Search:
    """All placements of some blocks, one height at a time.

    ``solve`` gives offsets within a height or None when none exist, and raises OutOfNodesError at its limit.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        times = sorted({t for block in blocks for step in block.steps for t in step[:2]})
        section = {t: i for i, t in enumerate(times)}
        self.count, self.sections = len(blocks), max(len(times) - 1, 0)
        self.start = [section[b.start] for b in blocks]
        self.end = [section[b.end] for b in blocks]
        self.steps = [tuple((section[a], section[z], h) for a, z, h in b.steps) for b in blocks]
        self.tall = [b.height for b in blocks]
        self.align = [b.align for b in blocks]
        self.load = np.zeros(self.sections, dtype=np.int64)
        self.crossing = np.zeros(self.sections + 1, dtype=np.int64)
        self.starting = [0] * (self.sections + 1)
        for k in range(self.count):
            for first, last, height in self.steps[k]:
                self.load[first:last] += height
            self.crossing[self.start[k] + 1 : self.end[k]] += 1
            self.starting[self.start[k]] |= 1 << k
        self.begun = [0]
        for mask in self.starting:
            self.begun.append(self.begun[-1] | mask)
        self.height = -1
        self.spent = 0  # nodes in all the calls so far

    def solve(self, height: int, limit: int, seed: int = 0) -> list[int] | None:
        """Offsets by block within ``height`` bytes, or None: there are none. ``seed`` sets which are tried first."""
        if height != self.height:
            self.height = height
            self.failed: set[tuple[int, tuple[Run, ...]]] = set()
        self.at = [0] * self.count
        self.slack = height - self.load
        self.cross = self.crossing.copy()
        self.limit = self.spent + limit
        self.minimal = seed % 2 == 1
        self._rank(seed)
        if self.slack.size and self.slack.min() < 0:
            return None
        whole = Part(0, self.sections, (Run(0, 0, True),), (1 << self.count) - 1)
        return self.at if all(self._drive(part) for part in self._split(whole)) else None

    def _rank(self, seed: int) -> None:
        """The blocks by start and by end, in the order they are tried: by area, size or length, with noise."""
        rng = random.Random(seed)

        def key(k: int) -> float:
            length = self.end[k] - self.start[k]
            weight = (length * self.tall[k], self.tall[k], length)[seed % 3]
            return -weight * (1.0 if seed == 0 else 1.0 + 0.6 * rng.random())

        self.by_start: list[list[int]] = [[] for _ in range(self.sections + 1)]
        self.by_end: list[list[int]] = [[] for _ in range(self.sections + 1)]
        for k in sorted(range(self.count), key=key):
            self.by_start[self.start[k]].append(k)
            self.by_end[self.end[k]].append(k)

    def _drive(self, part: Part) -> bool:
        """Runs the mutually recursive searches on a stack of their own: they nest deeper than Python allows."""
        stack = [self._solve(part)]
        answer: bool | None = None
        while stack:
            try:
                sub = stack[-1].send(answer)
            except StopIteration as finished:
                stack.pop()
                answer = finished.value
            else:
                stack.append(self._solve(sub))
                answer = None
        return bool(answer)

    def _solve(self, part: Part) -> Generator[Part, bool | None, bool]:
        key = (part.todo, part.runs)
        if key in self.failed:
            return False
        self.spent += 1
        if self.spent > self.limit:
            raise OutOfNodesError
        choice = self._choose(part)
        slack, cross = self.slack[part.lo : part.hi].copy(), self.cross[part.lo : part.hi].copy()
        merits = self._merits(part, choice)
        for k in [*sorted(merits, key=lambda k: -merits[k]), None]:
            then = self._close(part, choice) if k is None else self._put(part, choice, k)
            if then is not None:
                for sub in self._split(then):
                    if not (yield sub):
                        break
                else:
                    return True
            self.slack[part.lo : part.hi] = slack
            self.cross[part.lo : part.hi] = cross
        self.failed.add(key)
        return False

    def _choose(self, part: Part) -> Choice:
        """The valley edge with the fewest ways on; every other restart, of a few such the most telling one."""
        edges = self._edges(part)
        count, _, _, choice = min(edges, key=lambda edge: edge[:3])
        if self.minimal or count <= 1:
            return choice
        few = sorted(edges, key=lambda edge: edge[:3])[:_TELLING]
        return min(few, key=lambda edge: (-max(self._merits(part, edge[3]).values(), default=0), *edge[:3]))[3]

    def _edges(self, part: Part) -> list[tuple[int, int, int, Choice]]:
        """(ways on, floor, side, choice) of every valley edge, or those up to the first that has no way on."""
        edges: list[tuple[int, int, int, Choice]] = []
        left = _WALL
        for i, run in enumerate(part.runs):
            before, left = left, run.floor
            if not run.open or before < run.floor:
                continue
            _, right, end = self._around(part, i)
            if right < run.floor:
                continue
            from_left = [k for k in self.by_start[run.first] if part.todo >> k & 1 and self.end[k] <= end]
            from_right = [k for k in self.by_end[end] if part.todo >> k & 1 and self.start[k] >= run.first]
            for side, blocks, section in ((0, from_left, run.first), (1, from_right, end - 1)):
                ways = len(blocks) + bool(self.slack[section] > 0)
                edges.append((ways, run.floor, side, Choice(i, run.first, end, side == 0, blocks)))
                if not ways:
                    return edges
        return edges

    def _around(self, part: Part, i: int) -> tuple[int, int, int]:
        """The floors left and right of run i, and where it ends. Nothing crosses the ends of a part: walls."""
        last = i + 1 == len(part.runs)
        left = part.runs[i - 1].floor if i else _WALL
        return (left, _WALL, part.hi) if last else (left, part.runs[i + 1].floor, part.runs[i + 1].first)

    def _merits(self, part: Part, choice: Choice) -> dict[int, int]:
        """How well each kind of block fits: it fills the valley, levels the skyline with a neighbour, or could."""
        floor = part.runs[choice.index].floor
        left, right, _ = self._around(part, choice.index)
        merits: dict[int, int] = {}
        kinds = set()
        for k in choice.blocks:
            kind = (self.start[k], self.end[k], self.steps[k], self.align[k])
            if kind not in kinds:
                kinds.add(kind)
                merits[k] = int(self.start[k] == choice.lo and self.end[k] == choice.hi)
        for wall, edge, same_edge in ((left, choice.lo, self.by_start), (right, choice.hi, self.by_end)):
            beside = [k for k in same_edge[edge] if part.todo >> k & 1]
            if wall == _WALL or len(beside) > _MOST_SUMMED:
                continue
            for k in merits:
                if k in beside:
                    missing = wall - floor - self.tall[k]
                    reachable = _sums((self.tall[j] for j in beside if j != k), missing)
                    merits[k] += 2 if missing == 0 else int(missing in reachable)
        return merits

    def _put(self, part: Part, choice: Choice, k: int) -> Part | None:
        """Block k at the floor of the valley, at the edge of the choice."""
        run = part.runs[choice.index]
        start, end = self.start[k], self.end[k]
        base = round_up(run.floor, self.align[k])
        if base > run.floor:
            self.slack[start:end] -= base - run.floor
            if self.slack[start:end].min() < 0:
                return None
        self.at[k] = base
        self.cross[start + 1 : end] -= 1
        new = [Run(choice.lo, run.floor, True)] if choice.lo < start else []
        new += [Run(first, base + height, True) for first, _, height in self.steps[k]]
        if end < choice.hi:
            new.append(Run(end, run.floor, True))
        return self._settle(part, choice, new, part.todo & ~(1 << k))

    def _close(self, part: Part, choice: Choice) -> Part | None:
        """Nothing rests at the edge of the choice: the valley is closed from there to where a block could."""
        run = part.runs[choice.index]
        lo, hi = choice.lo, choice.hi
        inside = [
            k for k in self._within(part.todo, lo, hi) if (self.start[k] > lo if choice.left else self.end[k] < hi)
        ]
        if choice.left:
            hi = min((self.start[k] for k in inside), default=hi)
        else:
            lo = max((self.end[k] for k in inside), default=lo)
        if self.slack[lo:hi].min() <= 0:
            return None
        new = [Run(choice.lo, run.floor, True)] if choice.lo < lo else []
        new.append(Run(lo, run.floor, False))
        if hi < choice.hi:
            new.append(Run(hi, run.floor, True))
        return self._settle(part, choice, new, part.todo)

    def _within(self, todo: int, lo: int, hi: int) -> list[int]:
        """The unplaced blocks that live inside [lo, hi)."""
        return [k for x in range(lo, hi) for k in self.by_start[x] if todo >> k & 1 and self.end[k] <= hi]

    def _settle(self, part: Part, choice: Choice, new: list[Run], todo: int) -> Part | None:
        """The part with the choice's run replaced; closed runs that both neighbours have passed rise to them."""
        runs = [*part.runs[: choice.index], *new, *part.runs[choice.index + 1 :]]
        while True:
            merged: list[Run] = []
            for run in runs:
                if not merged or merged[-1][1:] != run[1:]:
                    merged.append(run)
            then = Part(part.lo, part.hi, tuple(merged), todo)
            for i, run in enumerate(merged):
                if run.open:
                    continue
                left, right, end = self._around(then, i)
                rise = min(left, right) - run.floor
                if rise > 0:
                    self.slack[run.first : end] -= rise
                    if self.slack[run.first : end].min() < 0 or self._could_fill(todo, run, end, rise):
                        return None
                    merged[i] = Run(run.first, run.floor + rise, True)
                    break
            else:
                return then
            runs = merged

    def _could_fill(self, todo: int, run: Run, end: int, rise: int) -> bool:
        """Whether a block still to place would fit the hole left: then another placement is as good."""
        top = run.floor + rise
        return any(round_up(run.floor, self.align[k]) + self.tall[k] <= top for k in self._within(todo, run.first, end))

    def _split(self, part: Part) -> list[Part]:
        """The part cut where no unplaced block crosses, small ones first; stretches with none are done."""
        cuts = np.flatnonzero(self.cross[part.lo + 1 : part.hi] == 0)
        if not cuts.size:
            return [part] if part.todo else []
        edges = [part.lo, *(cuts + part.lo + 1).tolist(), part.hi]
        parts = []
        for lo, hi in pairwise(edges):
            todo = part.todo & self.begun[hi] & ~self.begun[lo]
            if todo:
                ends = [run.first for run in part.runs[1:]] + [part.hi]
                runs = tuple(
                    Run(max(run.first, lo), run.floor, run.open)
                    for run, end in zip(part.runs, ends, strict=True)
                    if run.first < hi and end > lo
                )
                parts.append(Part(lo, hi, runs, todo))
        return sorted(parts, key=lambda p: p.todo.bit_count())


def _sums(sizes: Iterable[int], most: int) -> set[int]:
    """All sums of some of the sizes, up to ``most``."""
    sums = {0}
    for size in sizes:
        sums |= {s + size for s in sums if s + size <= most}
    return sums


def node_cost(blocks: int) -> int:
    """About how long a node of a search of so many blocks takes; a block is the unit."""
    return blocks + 50


def solve_with_restarts(search: Search, height: int, nodes: int) -> list[int] | None:
    """``Search.solve`` with one seed after the other, ``nodes`` in all; raises OutOfNodesError after that.

    Restarts share what failed: a state that can't be completed can't be under any seed. They are short, a few
    nodes a block, since a search that succeeds hardly ever turns back; every eighth is long enough for a proof.
    """
    seed = 0
    while nodes > 0:
        limit = min(nodes, (2 * search.count + 10 + seed) * (16 if seed % 8 == 7 else 1))
        try:
            return search.solve(height, limit, seed)
        except OutOfNodesError:
            nodes -= limit
            seed += 1
    raise OutOfNodesError
