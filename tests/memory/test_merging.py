"""Merging is a guess about where blocks lie, never about what they need: every answer is a placement."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from emberc.memory import Buffer, load_bound
from emberc.memory.blocks import Packing
from emberc.memory.merging import DOUBTS, merge, solve_merged
from tests.memory.graphs import buffers
from tests.memory.test_place import assert_sound


@settings(max_examples=80, deadline=None)
@given(buffers())
def test_what_it_finds_is_a_placement(given_buffers: list[Buffer]) -> None:
    packing = Packing(given_buffers)
    height = packing.bound * 5 // 4
    found = solve_merged(packing.blocks, height, 200)
    if found is not None:
        assert_sound(given_buffers, packing.offsets(found), height)


@settings(max_examples=40, deadline=None)
@given(buffers())
def test_merging_keeps_every_block_once_and_the_load(given_buffers: list[Buffer]) -> None:
    packing = Packing(given_buffers)
    for doubt in DOUBTS:
        pieces = merge(packing.blocks, doubt)
        assert sorted(k for piece in pieces for k, _ in piece.members) == list(range(len(packing.blocks)))
        as_buffers = [Buffer("", h, a, z, 1) for piece in pieces for a, z, h in piece.block.steps]
        assert load_bound(as_buffers) == packing.bound


def test_two_alone_on_a_seam_are_one_and_equal_lives_are_a_stack() -> None:
    lower = [Buffer("a", 64, 0, 3), Buffer("b", 64, 3, 7)]
    upper = [Buffer("c", 32, 0, 7), Buffer("d", 16, 0, 7)]
    (whole,) = merge(Packing([*lower, *upper]).blocks, 1.0)
    assert whole.block.steps == ((0, 7, 112),)
    inside = dict(whole.members)
    assert inside[0] == inside[1] and sorted(inside.values()) == sorted([inside[0], inside[0], inside[2], inside[3]])


@pytest.mark.parametrize(
    "second", [Buffer("b", 64, 3, 7, align=32), Buffer("b", 80, 3, 7), Buffer("b", 64, 4, 7)], ids=lambda b: str(b)
)
def test_unlike_or_apart_they_stay_two(second: Buffer) -> None:
    assert len(merge(Packing([Buffer("a", 64, 0, 3), second]).blocks, 1.0)) == 2


def test_a_staircase_is_left_as_it_is() -> None:
    chain = [Buffer("a", 64, 0, 2), Buffer("b", 32, 2, 4)]
    packing = Packing([*chain, Buffer("c", 16, 0, 4)], [(0, 1)])
    assert [piece.block for piece in merge(packing.blocks, 1.0)] == packing.blocks


def test_heights_that_are_no_multiple_of_the_alignment_are_not_stacked() -> None:
    packing = Packing([Buffer("a", 16, 0, 2), Buffer("b", 16, 0, 2)])
    crooked = [type(b)(((0, 2, 17),), 16) for b in packing.blocks]
    assert len(merge(packing.blocks, 1.0)) == 1
    assert len(merge(crooked, 1.0)) == 2
