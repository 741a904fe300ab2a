"""The placement problem: blocks that take one offset each, and which of them are in each other's way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emberc.errors import VerifyError
from emberc.memory.buffers import Buffer, load_bound


@dataclass(frozen=True, slots=True)
class Block:
    """Buffers that share one offset, as a flat-bottomed staircase in time.

    One buffer is one step. An in-place chain (an int16 row overwritten by an int8 row, say) is a block whose
    height changes: ``steps`` are disjoint ``(start, end, height)`` in time order, the height being that of
    the largest member live at the time.
    """

    steps: tuple[tuple[int, int, int], ...]
    align: int

    @property
    def start(self) -> int:
        return self.steps[0][0]

    @property
    def end(self) -> int:
        return self.steps[-1][1]

    @property
    def height(self) -> int:
        return self.steps[0][2] if len(self.steps) == 1 else max(height for _, _, height in self.steps)

    @property
    def area(self) -> int:
        return sum((end - start) * height for start, end, height in self.steps)


def _staircase(members: Sequence[Buffer]) -> Block:
    times = sorted({t for b in members for t in (b.start, b.end)})
    steps: list[tuple[int, int, int]] = []
    for start, end in pairwise(times):
        live = [b.slot for b in members if b.start <= start < b.end]
        if not live:
            raise VerifyError(f"not live in one stretch: none in step {start}", at=f"ties of '{members[0].name}'")
        height = max(live)
        if steps and steps[-1][1] == start and steps[-1][2] == height:
            start = steps.pop()[0]
        steps.append((start, end, height))
    return Block(tuple(steps), max(b.align for b in members))


def _clearance(one: Block, other: Block) -> tuple[int, int]:
    """How far ``one`` must stay below, and above, ``other``'s offset; (0, 0) when never live together.

    Both bottoms are flat, so the offsets that collide are one open interval around the other's offset.
    """
    if len(one.steps) == len(other.steps) == 1:
        (start, end, height), (other_start, other_end, other_height) = one.steps[0], other.steps[0]
        return (height, other_height) if start < other_end and other_start < end else (0, 0)
    below = above = 0
    for start, end, height in one.steps:
        for other_start, other_end, other_height in other.steps:
            if start < other_end and other_start < end:
                below = max(below, height)
                above = max(above, other_height)
    return below, above


class Packing:
    """A placement problem ready to solve.

    ``blocks`` in the order of their first member; ``block_of[i]`` is the block of buffer i, or None for an
    empty one, which fits anywhere; ``rivals[k]`` lists ``(j, below, above)``: block k may not lie in the open
    interval (at_j - below, at_j + above); ``pairs`` counts these, each pair twice.
    """

    def __init__(self, buffers: Sequence[Buffer], tied: Sequence[Sequence[int]] = ()) -> None:
        self.buffers = tuple(buffers)
        leader = list(range(len(buffers)))
        for group in tied:
            for i in group:
                if leader[i] != i or not buffers[i].size:
                    why = "empty" if not buffers[i].size else "in another group too"
                    raise VerifyError(f"is tied to others, but {why}", at=f"buffer '{buffers[i].name}'")
                leader[i] = min(group)
        members: dict[int, list[Buffer]] = {}
        for i, buffer in enumerate(buffers):
            if buffer.size:
                members.setdefault(leader[i], []).append(buffer)
        number = {first: k for k, first in enumerate(members)}
        self.block_of = [number.get(first) for first in leader]
        self.blocks = [_staircase(group) for group in members.values()]
        self.bound = load_bound(
            Buffer("", height, start, end, align=1) for block in self.blocks for start, end, height in block.steps
        )
        self.rivals = self._find_rivals()
        self.pairs = sum(map(len, self.rivals))

    @cached_property
    def rival_arrays(self) -> list[NDArray[np.int64]]:
        """``rivals`` as one array [3, rivals] a block."""
        return [np.array(rivals, dtype=np.int64).reshape(-1, 3).T.copy() for rivals in self.rivals]

    def _find_rivals(self) -> list[list[tuple[int, int, int]]]:
        rivals: list[list[tuple[int, int, int]]] = [[] for _ in self.blocks]
        by_start = sorted(range(len(self.blocks)), key=lambda k: self.blocks[k].start)
        live: list[int] = []
        for k in by_start:
            live = [j for j in live if self.blocks[j].end > self.blocks[k].start]
            for j in live:
                below, above = _clearance(self.blocks[k], self.blocks[j])
                if below and above:
                    rivals[k].append((j, below, above))
                    rivals[j].append((k, above, below))
            live.append(k)
        return rivals

    def offsets(self, at: Sequence[int]) -> tuple[int, ...]:
        """The offset of every buffer when block k lies at ``at[k]`` (bytes)."""
        return tuple(0 if k is None else at[k] for k in self.block_of)

    def height(self, at: Sequence[int]) -> int:
        """Memory needed when block k lies at offset ``at[k]`` (bytes)."""
        return max((at[k] + block.height for k, block in enumerate(self.blocks)), default=0)
