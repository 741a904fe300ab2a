"""Which of several memories holds what: the hottest bytes where an access waits least.

How others do it: microTVM's USMP gives each pool bandwidth and latency but fills pools in their order, largest buffer
first; Ethos-U Vela splits by role (arena, weights, cache); STM32Cube.AI takes a list of pools with latencies; TFLM and
IREE leave it to the caller. Here an item has the accesses that kernels make to it, a pool the cycles that one waits,
and what is minimised is their sum, under the capacity of every pool in every step.

That is a knapsack over time, hard in general. Rules of thumb (saving for a byte, for a byte and step, in all) fill the
pools, fastest first; exchanges improve the best of them; and a relaxation says how far from the least it can be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Pool:
    """A memory with room for ``capacity`` bytes, where a read or write of 32 bits waits for so many cycles."""

    name: str
    capacity: int
    read_wait: int = 0
    write_wait: int = 0


@dataclass(frozen=True, slots=True)
class Access:
    """Reads and writes of 32 bits that one run of the model makes."""

    reads: int = 0
    writes: int = 0

    def __add__(self, other: Access) -> Access:
        return Access(self.reads + other.reads, self.writes + other.writes)

    def waits(self, pool: Pool) -> int:
        """Cycles that these accesses wait in ``pool``."""
        return self.reads * pool.read_wait + self.writes * pool.write_wait


NOT_COUNTED = Access()


@dataclass(frozen=True, slots=True)
class Item:
    """What lies in one pool as a whole: in each of its ``steps`` (start, end, bytes) it occupies that many bytes."""

    steps: tuple[tuple[int, int, int], ...]
    access: Access

    @property
    def area(self) -> int:
        """Bytes times steps."""
        return sum((end - start) * size for start, end, size in self.steps)

    @property
    def size(self) -> int:
        return max(size for _, _, size in self.steps)


@dataclass(frozen=True, slots=True)
class Assignment:
    """``pool_of[i]`` is the pool of item i; ``waits`` the cycles of a run; no assignment waits less than ``bound``."""

    pool_of: tuple[int, ...]
    waits: int
    bound: int


@dataclass(frozen=True, slots=True)
class Arena:
    """What a plan takes of a pool: ``bytes``, of which no placement of the same buffers can do with fewer than
    ``bound``."""

    pool: Pool
    bytes: int
    bound: int

    @property
    def excess(self) -> int:
        """Bytes beyond the pool's capacity."""
        return max(0, self.bytes - self.pool.capacity)


@dataclass(frozen=True, slots=True)
class Spread:
    """A plan over several pools: its ``arenas`` in the pools' order, the cycles that a run waits, and their bound."""

    arenas: tuple[Arena, ...]
    waits: int
    waits_bound: int

    @property
    def excess(self) -> int:
        """Bytes beyond the capacities, all pools together."""
        return sum(arena.excess for arena in self.arenas)


Loads = NDArray[np.int64]


def load_of(items: Sequence[Item], steps: int) -> Loads:
    """Bytes that items occupy in each step."""
    load = np.zeros(steps, np.int64)
    for item in items:
        for start, end, size in item.steps:
            load[start:end] += size
    return load


def assign(items: Sequence[Item], pools: Sequence[Pool], limits: Sequence[int] | None = None) -> Assignment:
    """Give every item a pool such that accesses wait least and no pool holds more than its capacity in any step.

    ``limits`` stand for the capacities where less is to be used (bytes). What fits nowhere goes to the last pool, in
    order of speed, beyond its limit: the caller reports it. Deterministic.
    """
    steps = max((end for item in items for _, end, _ in item.steps), default=1)
    room = list(limits) if limits is not None else [pool.capacity for pool in pools]
    order = sorted(range(len(pools)), key=lambda p: (pools[p].read_wait + pools[p].write_wait, p))
    rules = _rules(pools[order[-1]], pools[order[0]])
    found = [_filled(items, pools, order, room, rule, steps) for rule in rules]
    best = min(found, key=lambda pool_of: (_excess(items, pool_of, room, steps), _waits(items, pools, pool_of)))
    if len(items) <= _MANY:
        best = _exchanged(items, pools, order, room, best, steps)
    return Assignment(tuple(best), _waits(items, pools, best), least_waits(items, pools))


def by_size(items: Sequence[Item], pools: Sequence[Pool]) -> list[int]:
    """Largest first into the first pool with room, as planners do that know nothing of accesses."""
    steps = max((end for item in items for _, end, _ in item.steps), default=1)
    return _filled(items, pools, range(len(pools)), [p.capacity for p in pools], lambda item: item.size, steps)


Key = Callable[[Item], float]


def _rules(slow: Pool, fast: Pool) -> list[Key]:
    """What comes first. The last rule fits more where the others leave too much for the slow pool."""

    def saving(item: Item) -> int:
        return item.access.waits(slow) - item.access.waits(fast)

    return [
        lambda item: saving(item) / max(item.area, 1),
        lambda item: saving(item) / max(item.size, 1),
        saving,
        lambda item: item.area,
    ]


def _filled(
    items: Sequence[Item], pools: Sequence[Pool], order: Sequence[int], room: Sequence[int], key: Key, steps: int
) -> list[int]:
    """Items by descending key, each into the first pool of ``order`` that has room; else into the last."""
    loads = [np.zeros(steps, np.int64) for _ in pools]
    pool_of = [order[-1]] * len(items)
    for i in sorted(range(len(items)), key=lambda i: (-key(items[i]), i)):
        pool_of[i] = next((p for p in order if _fits(items[i], loads[p], room[p])), order[-1])
        _add(items[i], loads[pool_of[i]], 1)
    return pool_of


def _fits(item: Item, load: Loads, room: int) -> bool:
    return all(int(load[start:end].max(initial=0)) + size <= room for start, end, size in item.steps)


def _add(item: Item, load: Loads, sign: int) -> None:
    for start, end, size in item.steps:
        load[start:end] += sign * size


def _exchanged(
    items: Sequence[Item],
    pools: Sequence[Pool],
    order: Sequence[int],
    room: Sequence[int],
    pool_of: list[int],
    steps: int,
) -> list[int]:
    """Moves an item to a faster pool where that saves more than those cost that it drives to the last one."""
    loads = _loads(items, pool_of, len(pools), steps)
    slow = order[-1]
    improved = True
    while improved:
        improved = False
        for i in sorted(range(len(items)), key=lambda i: (-items[i].access.waits(pools[pool_of[i]]), i)):
            for p in order[: order.index(pool_of[i])]:
                out = _driven_out(items, pools, pool_of, i, p, slow, loads[p], room[p])
                leaving = [i] if pool_of[i] == slow else []
                if out is None or not _room_for(items, out, leaving, loads[slow], room[slow]):
                    continue
                for j in out:
                    _add(items[j], loads[p], -1)
                    _add(items[j], loads[slow], 1)
                    pool_of[j] = slow
                _add(items[i], loads[pool_of[i]], -1)
                _add(items[i], loads[p], 1)
                pool_of[i] = p
                improved = True
                break
    return pool_of


_MANY = 250
"""Items beyond which rules alone must do: exchanges take time in proportion to the square."""


def _driven_out(
    items: Sequence[Item],
    pools: Sequence[Pool],
    pool_of: Sequence[int],
    i: int,
    p: int,
    slow: int,
    load: Loads,
    room: int,
) -> list[int] | None:
    """The members of pool ``p`` that make room for item i at less than it saves there; None if there are none such."""
    access = items[i].access
    gain = access.waits(pools[pool_of[i]]) - access.waits(pools[p])
    if gain <= 0:
        return None
    after = load.copy()
    _add(items[i], after, 1)

    def loss(j: int) -> int:
        return items[j].access.waits(pools[slow]) - items[j].access.waits(pools[p])

    over = after > room
    members = [j for j, q in enumerate(pool_of) if q == p and any(over[a:b].any() for a, b, _ in items[j].steps)]
    out: list[int] = []
    for j in sorted(members, key=lambda j: (loss(j) / max(items[j].area, 1), j)):
        if not (after > room).any():
            break
        gain -= loss(j)
        if gain <= 0:
            return None
        _add(items[j], after, -1)
        out.append(j)
    return out if gain > 0 and not (after > room).any() else None


def _room_for(items: Sequence[Item], out: Sequence[int], leaving: Sequence[int], load: Loads, room: int) -> bool:
    """Whether the pool of ``load`` takes the items ``out`` when those ``leaving`` have gone."""
    after = load.copy()
    for j in leaving:
        _add(items[j], after, -1)
    for j in out:
        _add(items[j], after, 1)
    return bool((after <= np.maximum(room, load)).all())


def _loads(items: Sequence[Item], pool_of: Sequence[int], pools: int, steps: int) -> list[Loads]:
    members = [[item for item, q in zip(items, pool_of, strict=True) if q == p] for p in range(pools)]
    return [load_of(some, steps) for some in members]


def _waits(items: Sequence[Item], pools: Sequence[Pool], pool_of: Sequence[int]) -> int:
    return sum(item.access.waits(pools[p]) for item, p in zip(items, pool_of, strict=True))


def _excess(items: Sequence[Item], pool_of: Sequence[int], room: Sequence[int], steps: int) -> int:
    """Bytes beyond the limits, all pools together."""
    loads = _loads(items, pool_of, len(room), steps)
    return sum(max(0, int(load.max(initial=0)) - limit) for load, limit in zip(loads, room, strict=True))


def least_waits(items: Sequence[Item], pools: Sequence[Pool]) -> int:
    """A lower bound of the waits of any assignment.

    Relaxed: all pools but the slowest are one, as fast as the fastest that an item fits; items may be cut (Dantzig's
    bound of the knapsack); and each counts in one step alone. Steps are taken by what is lost there, largest first.
    """
    slow = max(pools, key=lambda p: p.read_wait + p.write_wait)
    room = sum(p.capacity for p in pools) - slow.capacity
    best = [min(item.access.waits(p) for p in pools if p is slow or item.size <= p.capacity) for item in items]
    saving = [item.access.waits(slow) - least for item, least in zip(items, best, strict=True)]
    live = {
        step: [(size, i) for i, item in enumerate(items) if saving[i] and (size := _size_at(item, step))]
        for step in sorted({start for item in items for start, _, _ in item.steps})
    }
    total = sum(best)
    for _ in range(1 + _BOUND_STEPS // (len(live) + 1)):
        lost = {step: _lost(some, saving, room) for step, some in live.items()}
        worst = max(lost, key=lambda step: (lost[step], -step), default=0)
        if not lost or not lost[worst]:
            break
        total += lost[worst]
        counted = {i for _, i in live[worst]}
        live = {step: [pair for pair in some if pair[1] not in counted] for step, some in live.items()}
    return total


_BOUND_STEPS = 20_000
"""Steps that the bound may look at."""


def _lost(live: Sequence[tuple[int, int]], saving: Sequence[int], room: int) -> int:
    """What (size, item) that are live together must lose of their savings when ``room`` bytes are all there is."""
    lost = 0.0
    for size, i in sorted(live, key=lambda pair: (-saving[pair[1]] / pair[0], pair[1])):
        lost += saving[i] * (1 - min(room, size) / size)
        room -= min(room, size)
    return int(lost)


def _size_at(item: Item, step: int) -> int:
    return next((size for start, end, size in item.steps if start <= step < end), 0)
