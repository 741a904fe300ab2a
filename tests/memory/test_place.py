"""Placement: sound on random buffers, optimal where brute force can tell, the same every time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emberc.errors import VerifyError
from emberc.memory import Buffer, load_bound, place
from tests.memory.brute import smallest_height
from tests.memory.graphs import SIZES, buffers


def assert_sound(given_buffers: list[Buffer], offsets: tuple[int, ...], height: int) -> None:
    for i, (a, at) in enumerate(zip(given_buffers, offsets, strict=True)):
        assert at >= 0 and at % a.align == 0 and at + a.slot <= height
        for b, other in zip(given_buffers[:i], offsets, strict=False):
            apart = at + a.slot <= other or other + b.slot <= at or a.end <= b.start or b.end <= a.start
            assert apart or not a.size or not b.size


@settings(max_examples=120, deadline=None)
@given(buffers())
def test_no_overlap_and_never_below_the_bound(given_buffers: list[Buffer]) -> None:
    found = place(given_buffers)
    assert_sound(given_buffers, found.offsets, found.height)
    assert load_bound(given_buffers) <= found.bound <= found.height
    again = place(given_buffers)
    assert (again.offsets, again.height, again.method) == (found.offsets, found.height, found.method)


@settings(max_examples=60, deadline=None)
@given(buffers(max_count=6, steps=5))
def test_the_optimum_is_found_and_proved_on_tiny_instances(given_buffers: list[Buffer]) -> None:
    found = place(given_buffers)
    assert found.proved
    assert found.height == smallest_height(given_buffers)


@settings(max_examples=60, deadline=None)
@given(buffers(max_count=4, steps=5), st.lists(st.sampled_from(SIZES[1:]), min_size=2, max_size=3))
def test_the_optimum_is_found_with_tied_buffers(given_buffers: list[Buffer], sizes: list[int]) -> None:
    # A chain of in-place writes: each link begins in the step in which the one before it ends.
    chain = [Buffer(f"link{i}", size, i, i + 2, 4) for i, size in enumerate(sizes)]
    tied = [range(len(given_buffers), len(given_buffers) + len(chain))]
    found = place([*given_buffers, *chain], tied)
    assert found.proved
    assert found.height == smallest_height([*given_buffers, *chain], tied)
    assert len({found.offsets[i] for i in tied[0]}) == 1


def test_capacity_ends_the_search() -> None:
    tight = [Buffer("a", 10, 0, 2, 1), Buffer("b", 10, 1, 3, 1), Buffer("c", 10, 2, 4, 1)]
    assert place(tight, capacity=1000).method.startswith("first-fit")
    assert place(tight).height == place(tight).bound == 20


def test_ties_must_be_disjoint_and_without_a_gap() -> None:
    apart = [Buffer("a", 16, 0, 1), Buffer("b", 16, 2, 3)]
    with pytest.raises(VerifyError, match="not live in one stretch"):
        place(apart, [[0, 1]])
    with pytest.raises(VerifyError, match="tied to others, but in another group too"):
        place([*apart, Buffer("c", 16, 1, 2)], [[0, 2], [2, 1]])
    with pytest.raises(VerifyError, match="tied to others, but empty"):
        place([*apart, Buffer("c", 0, 1, 2)], [[0, 2]])


def test_an_impossible_bound_is_proved_impossible() -> None:
    # (size, start, end): never more than 8 live, yet brute force over all 9! orders finds nothing below 9.
    known = [(2, 5, 10), (2, 1, 8), (2, 4, 7), (1, 6, 8), (2, 5, 6), (3, 8, 10), (3, 7, 10), (1, 2, 4), (3, 3, 5)]
    given_buffers = [Buffer(f"b{i}", size, start, end, 1) for i, (size, start, end) in enumerate(known)]
    found = place(given_buffers)
    assert load_bound(given_buffers) == 8
    assert (found.height, found.bound, found.proved) == (9, 9, True)


def test_nothing_to_place() -> None:
    assert place([]).height == 0
    assert place([Buffer("empty", 0, 0, 1)]).height == 0
