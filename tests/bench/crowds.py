"""A thousand buffers at random: as ``emberc plan`` may meet them, of several sizes and lives."""

from __future__ import annotations

import random

from emberc.memory import Buffer
from tests.bench.tight import cut_box

LIVES = {
    "short": lambda rng: rng.randint(1, 10),
    "long": lambda rng: rng.randint(100, 600),
    "mixed": lambda rng: rng.randint(1, 10) if rng.random() < 0.8 else rng.randint(50, 600),
}
SIZES = {
    "any": lambda rng: rng.randint(1, 1 << 16),
    "multiples of 16": lambda rng: 16 * rng.randint(1, 64),
    "powers of two": lambda rng: 1 << rng.randint(2, 16),
}


def crowd(life: str, size: str, *, count: int = 1000, seed: int = 1, steps: int = 1000) -> list[Buffer]:
    """``count`` buffers that begin anywhere in ``steps``, with lives of ``LIVES`` and sizes of ``SIZES``."""
    rng = random.Random(seed)
    buffers = []
    for i in range(count):
        start = rng.randrange(steps)
        end = start + LIVES[life](rng)
        buffers.append(Buffer(f"b{i}", SIZES[size](rng), start, end, align=1))
    return buffers


def crowds(count: int = 1000) -> dict[str, list[Buffer]]:
    """Every kind, and boxes cut to pieces along 1,000, 100 and 20 steps."""
    found = {f"{life} lives, sizes {size}": crowd(life, size, count=count) for life in LIVES for size in SIZES}
    found |= {f"box of {steps} steps": cut_box(count, 3, steps=steps) for steps in (1000, 100, 20)}
    return found | {"box with waste": cut_box(count, 3, waste=0.3)}
