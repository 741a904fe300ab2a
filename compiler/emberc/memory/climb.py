"""Local search over placement orders: move what sticks out ahead of what holds it up.

The move is the one that embedded allocators use (Arm's Vela: hill climbing over the sequence of
allocation): whoever touches the top was placed too late, or one of those beneath it was.
"""

from __future__ import annotations

import random

from emberc.memory.blocks import Packing
from emberc.memory.greedy import first_fit


def _sticking_out(packing: Packing, at: list[int], rng: random.Random) -> tuple[int, list[int]]:
    """A block at the top, and the chain of blocks that holds it up, from top to bottom."""
    height = packing.height(at)
    top = rng.choice([k for k, b in enumerate(packing.blocks) if at[k] + b.height == height])
    chain = []
    k = top
    while at[k] > 0:
        holders = [j for j, _, above in packing.rivals[k] if at[j] < at[k] <= at[j] + above]
        if not holders:
            break
        k = rng.choice(holders)
        chain.append(k)
    return top, chain


def climb(packing: Packing, order: list[int], at: list[int], target: int, rounds: int, seed: int = 0) -> list[int]:
    """The best offsets found in ``rounds`` first-fit trials, or the first that reach ``target`` (bytes).

    Starts from ``order`` and its first-fit offsets ``at``. Deterministic for a given seed.
    """
    rng = random.Random(seed)
    best, best_height = at, packing.height(at)
    current, current_height = order, best_height
    for _ in range(rounds):
        if best_height <= target:
            break
        top, chain = _sticking_out(packing, at, rng)
        trial = list(current)
        if chain:
            # Either the block itself goes before one that holds it up, or one of the chain before another.
            mover = top if rng.random() < 0.6 else rng.choice([top, *chain])
            before = rng.choice([k for k in chain if k != mover] or [k for k in current if k != mover])
        else:
            mover, before = rng.sample(current, 2)
        trial.remove(mover)
        trial.insert(trial.index(before), mover)
        trial_at = first_fit(packing, trial)
        height = packing.height(trial_at)
        # A worse order is taken now and then, so that a plateau is not a prison.
        if height <= current_height or rng.random() < 0.02:
            current, current_height, at = trial, height, trial_at
        if height < best_height:
            best, best_height = trial_at, height
    return best
