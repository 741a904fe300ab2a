"""Rectangles that tell by their sizes that they lie together: merged, they leave a small problem for the search.

Where memory is full before and after a moment, what ends there and what begins there fill the same addresses. When
some of the blocks that end have the same sum of sizes as some that begin, and so many sizes could hardly agree by
accident, these lie on the two sides of one *seam*. Two blocks alone on a seam are one block that lives longer; blocks
that live equally long between the same seams are one stack, in any order. Merging makes new seams visible, so it goes
on until nothing changes: what was cut from a full box, however fine, folds back into a handful of blocks.

Every merge is a guess, the bolder the more *doubt* is allowed (accidental sums expected at a moment). A placement of
the merged blocks is one of the blocks themselves; that there is none says nothing about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, gcd

from emberc.memory.blocks import Block
from emberc.memory.exact import OutOfNodesError, Search, node_cost, solve_with_restarts

DOUBTS = (1e-3, 1e-2, 1e-1, 1.0)
_MOST_SUMS = 20_000  # of subsets of one size: more are not worth their time, nor would they tell anything
_MOST_ON_A_SEAM = 7


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A merged block, and what it is made of: ``(block, offset inside in bytes)``."""

    block: Block
    members: tuple[tuple[int, int], ...]


def solve_merged(blocks: Sequence[Block], height: int, nodes: int) -> list[int] | None:
    """Offsets by block within ``height`` bytes, or None when nothing was found.

    The search for each doubt may take as long as ``nodes`` nodes of one on ``blocks``: more nodes, as they are smaller.
    """
    fewest = len(blocks)
    for doubt in DOUBTS:
        pieces = merge(blocks, doubt)
        if len(pieces) >= fewest:
            continue
        fewest = len(pieces)
        search = Search([piece.block for piece in pieces])
        try:
            found = solve_with_restarts(search, height, nodes * node_cost(len(blocks)) // node_cost(len(pieces)))
        except OutOfNodesError:
            continue
        if found is not None:
            at = {k: base + inside for base, piece in zip(found, pieces, strict=True) for k, inside in piece.members}
            return [at[k] for k in range(len(blocks))]
    return None


def merge(blocks: Sequence[Block], doubt: float) -> list[Piece]:
    """The blocks merged as far as sums that ``doubt`` calls telling go."""
    pieces = [Piece(block, ((k, 0),)) for k, block in enumerate(blocks)]
    unit = gcd(*(block.height for block in blocks))
    while True:
        before = len(pieces)
        seams = _Seams(pieces, unit, doubt)
        pieces = _stack(*_chain(pieces, seams))
        if len(pieces) == before:
            return pieces


class _Seams:
    """At which seam each piece begins and ends, and which two pieces are alone on one."""

    def __init__(self, pieces: Sequence[Piece], unit: int, doubt: float) -> None:
        self.unit, self.doubt = unit, doubt
        self.left: dict[Piece, tuple[int, int]] = {}
        self.right: dict[Piece, tuple[int, int]] = {}
        self.next: dict[Piece, Piece] = {}
        ending: dict[int, list[Piece]] = {}
        starting: dict[int, list[Piece]] = {}
        for piece in pieces:
            ending.setdefault(piece.block.end, []).append(piece)
            starting.setdefault(piece.block.start, []).append(piece)
        for t in sorted(ending.keys() | starting.keys()):
            for i, (ends, starts) in enumerate(self._at(ending.get(t, []), starting.get(t, []))):
                self.right |= dict.fromkeys(ends, (t, i))
                self.left |= dict.fromkeys(starts, (t, i))
                if len(ends) == len(starts) == 1 and _alike(ends[0], starts[0]):
                    self.next[ends[0]] = starts[0]

    def _at(self, ends: list[Piece], starts: list[Piece]) -> Iterator[tuple[list[Piece], list[Piece]]]:
        """The seams of one moment, small ones first; what is left over counts as one more."""
        while len(ends) + len(starts) > 2:
            found = self._smallest(ends, starts)
            if found is None:
                break
            yield found
            ends = [piece for piece in ends if piece not in found[0]]
            starts = [piece for piece in starts if piece not in found[1]]
        if ends or starts:
            yield ends, starts

    def _smallest(self, ends: list[Piece], starts: list[Piece]) -> tuple[list[Piece], list[Piece]] | None:
        """The fewest pieces with equal sums on both sides, unless that many might agree by accident."""
        accidents = 0.0
        for count in range(2, min(len(ends) + len(starts), _MOST_ON_A_SEAM + 1)):
            found = None
            for before in range(max(1, count - len(starts)), min(count - 1, len(ends)) + 1):
                after = count - before
                ways = comb(len(ends), before), comb(len(starts), after)
                if sum(ways) > _MOST_SUMS:
                    continue
                largest = min(_largest_sum(ends, before), _largest_sum(starts, after))
                accidents += ways[0] * ways[1] * self.unit / largest
                found = found or _equal_sums(ends, before, starts, after)
            if accidents > self.doubt:
                return None
            if found:
                return found
        return None


def _alike(one: Piece, other: Piece) -> bool:
    """Whether two pieces can be one of a longer life: plain rectangles of one height and alignment."""
    a, b = one.block, other.block
    return len(a.steps) == len(b.steps) == 1 and (a.height, a.align) == (b.height, b.align)


def _largest_sum(pieces: Sequence[Piece], count: int) -> int:
    return sum(sorted(_heights(pieces))[-count:])


def _heights(pieces: Sequence[Piece]) -> list[int]:
    return [piece.block.height for piece in pieces]


def _equal_sums(
    ends: Sequence[Piece], before: int, starts: Sequence[Piece], after: int
) -> tuple[list[Piece], list[Piece]] | None:
    """The first ``before`` of the ends and ``after`` of the starts whose heights have the same sum."""
    # Built by iterators of the library alone: there may be 20,000 subsets, at each of thousands of seams.
    sums = dict(zip(map(sum, combinations(_heights(ends), before)), combinations(ends, before), strict=True))
    matches = map(sums.get, map(sum, combinations(_heights(starts), after)))
    for match, some in zip(matches, combinations(starts, after), strict=True):
        if match is not None:
            return list(match), list(some)
    return None


def _chain(pieces: Sequence[Piece], seams: _Seams) -> tuple[list[Piece], _Seams]:
    """Pieces that follow each other alone on their seams become one."""
    followers = set(seams.next.values())
    chained = []
    for first in pieces:
        if first in followers:
            continue
        links = [first]
        while links[-1] in seams.next:
            links.append(seams.next[links[-1]])
        if len(links) > 1:
            step = (first.block.start, links[-1].block.end, first.block.height)
            whole = Piece(Block((step,), first.block.align), tuple(m for link in links for m in link.members))
            seams.left[whole], seams.right[whole] = seams.left[first], seams.right[links[-1]]
            first = whole
        chained.append(first)
    return chained, seams


def _stack(pieces: Sequence[Piece], seams: _Seams) -> list[Piece]:
    """Pieces of the same life between the same seams become one."""
    stacks: dict[object, list[Piece]] = {}
    for piece in pieces:
        block = piece.block
        # A height that is no multiple of the alignment would leave the next one crooked.
        rigid = len(block.steps) > 1 or block.height % block.align
        same = (block.start, block.end, block.align, seams.left[piece], seams.right[piece])
        stacks.setdefault(piece if rigid else same, []).append(piece)
    return [_stacked(stack) if len(stack) > 1 else stack[0] for stack in stacks.values()]


def _stacked(stack: Sequence[Piece]) -> Piece:
    base = 0
    members: list[tuple[int, int]] = []
    for piece in stack:
        members += [(k, base + inside) for k, inside in piece.members]
        base += piece.block.height
    first = stack[0].block
    return Piece(Block(((first.start, first.end, base),), first.align), tuple(members))
