"""Caches and windows that come in and go out are kept once, and what reads them reads the same rows."""

from __future__ import annotations

import numpy as np
import pytest

from emberc.ir.graph import Module, State
from emberc.ir.interpreter import run_steps
from emberc.ir.types import Array
from emberc.ir.verifier import verify
from emberc.passes.slide_states import slide_states
from tests.quant.modules import module

LINES = {
    "appended": (
        "%b = q.concat %s, %x {axis = 1} : i8[2, 4, 3] q(0.5, zp=7)",
        "%a = q.slice %b {starts = [1], ends = [4], axes = [1], steps = [1]} : i8[2, 3, 3] q(0.5, zp=7)",
        "%y = q.reduce_max %b {axis = 1, keepdims = false} : i8[2, 3] q(0.5, zp=7)",
    ),
    "cut": (
        "%c = q.slice %s {starts = [1], ends = [3], axes = [1], steps = [1]} : i8[2, 2, 3] q(0.5, zp=7)",
        "%a = q.concat %c, %x {axis = 1} : i8[2, 3, 3] q(0.5, zp=7)",
        "%y = q.reduce_max %a {axis = 1, keepdims = false} : i8[2, 3] q(0.5, zp=7)",
    ),
}
#: what is read of the state besides, or kept of it, so that it can't slide
OTHERWISE = {
    "the old rows are read too": (
        LINES["appended"][:2],
        "%y = q.reduce_max %s {axis = 1, keepdims = false} : i8[2, 3] q(0.5, zp=7)",
    ),
    "the oldest row stays": (
        (
            LINES["appended"][0],
            LINES["appended"][1].replace("starts = [1], ends = [4]", "starts = [0], ends = [3]"),
        ),
        LINES["appended"][2],
    ),
    "every other row stays": (
        (
            "%c = q.slice %s {starts = [0], ends = [3], axes = [1], steps = [2]} : i8[2, 2, 3] q(0.5, zp=7)",
            LINES["cut"][1],
        ),
        LINES["cut"][2],
    ),
    "the rows that stay are read apart": (
        LINES["cut"][:2],
        "%y = q.reduce_max %c {axis = 1, keepdims = false} : i8[2, 3] q(0.5, zp=7)",
    ),
}


def made(*lines: str) -> Module:
    m = module("%x : i8[2, 1, 3] q(0.5, zp=7), %s : i8[2, 3, 3] q(0.5, zp=7)", *lines, outs='%a as "a", %y as "y"')
    m.main.states = [State("s", "a", fill=7)]
    return m


def answers(m: Module) -> list[Array]:
    x = np.random.default_rng(0).integers(-128, 128, (6, 2, 1, 3)).astype(np.int8)
    return [answer["y"] for answer in run_steps(m.main, [{"x": step} for step in x])]


@pytest.mark.parametrize("form", LINES)
def test_a_state_slides_in_place(form: str) -> None:
    m = made(*LINES[form])
    want = answers(m)
    assert not m.main.in_place(m.main.states[0])
    slide_states(m.main)
    verify(m)
    assert [op.opcode for op in m.main.ops] == ["q.slide", "q.reduce_max"]
    assert m.main.inputs[1].shape == ((2, 4, 3) if form == "appended" else (2, 3, 3))
    assert m.main.in_place(m.main.states[0])
    np.testing.assert_array_equal(answers(m), want)


@pytest.mark.parametrize("reason", OTHERWISE)
def test_others_stay(reason: str) -> None:
    lines, last = OTHERWISE[reason]
    m = made(*lines, last)
    want, before = answers(m), [op.opcode for op in m.main.ops]
    slide_states(m.main)
    verify(m)
    assert [op.opcode for op in m.main.ops] == before
    np.testing.assert_array_equal(answers(m), want)
