"""Placement instances with a known tight optimum: rectangles cut from a full box of time and memory."""

from __future__ import annotations

import random

from emberc.memory import Buffer


def cut_box(count: int, seed: int, *, steps: int = 1000, height: int = 1 << 20, waste: float = 0.0) -> list[Buffer]:
    """``count`` buffers that fill a box of ``steps`` by ``height`` bytes: any optimum has exactly that height.

    Rectangles are drawn by area and cut in two at random, along time or memory. Afterwards a share ``waste``
    of them loses up to a third of its size or lifetime, which leaves room to go astray; the box is then only
    known to be enough. Shuffled, so that the order tells nothing.
    """
    rng = random.Random(seed)
    boxes = [(0, steps, 0, height)]
    while len(boxes) < count:
        areas = [(end - start) * (high - low) for start, end, low, high in boxes]
        i = rng.choices(range(len(boxes)), areas)[0]
        start, end, low, high = boxes[i]
        if rng.random() < 0.5:
            if end - start > 1:
                at = rng.randint(start + 1, end - 1)
                boxes[i : i + 1] = [(start, at, low, high), (at, end, low, high)]
        elif high - low > 1:
            at = rng.randint(low + 1, high - 1)
            boxes[i : i + 1] = [(start, end, low, at), (start, end, at, high)]
    rng.shuffle(boxes)
    buffers = []
    for i, (start, end, low, high) in enumerate(boxes):
        size = high - low
        if rng.random() < waste:
            if rng.random() < 0.5:
                size -= rng.randint(0, size // 3)
            else:
                end -= rng.randint(0, (end - start) // 3)
        buffers.append(Buffer(f"b{i}", size, start, end, align=1))
    return buffers
