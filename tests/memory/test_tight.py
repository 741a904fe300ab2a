"""Boxes cut into pieces: the search puts them together again, to the byte."""

from __future__ import annotations

import pytest

from emberc.memory import load_bound, place
from tests.bench.tight import cut_box


@pytest.mark.parametrize(
    ("count", "seed", "steps", "method"),
    # Many cuts at the same few moments: too much for the search as they are, a handful of pieces once merged.
    [(150, 0, 1000, "search"), (283, 4, 1000, "search"), (450, 9, 1000, "search"), (183, 1, 50, "merged")],
)
def test_a_cut_box_is_put_together_again(count: int, seed: int, steps: int, method: str) -> None:
    buffers = cut_box(count, seed, steps=steps)
    assert load_bound(buffers) == 1 << 20
    found = place(buffers, effort=24)
    assert (found.height, found.proved, found.method) == (1 << 20, True, method)
    for i, (a, at) in enumerate(zip(buffers, found.offsets, strict=True)):
        for b, other in zip(buffers[:i], found.offsets, strict=False):
            assert at + a.size <= other or other + b.size <= at or a.end <= b.start or b.end <= a.start
