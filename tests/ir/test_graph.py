"""Order of a function's ops."""

from __future__ import annotations

import pytest

from emberc.errors import VerifyError
from emberc.ir.clone import clone_module
from emberc.ir.graph import Module
from tests.ir.test_rewrite import function

LINES = ("%a = f.add %x, %y", "%b = f.mul %a, %y", "%c = f.sub %x, %y", "%r = f.add %b, %c")


def test_sort_keeps_an_order_that_is_one() -> None:
    f = function(*LINES)
    before = list(f.ops)
    f.sort()
    assert f.ops == before


def test_sort_moves_only_what_is_read_too_early() -> None:
    f = function(*LINES)
    a, b, c, r = f.ops
    f.ops = [r, c, b, a]
    f.sort()
    assert f.ops == [a, b, c, r]


def test_sort_refuses_a_cycle() -> None:
    f = function(*LINES)
    f.ops[0].set_operand(0, f.ops[1].result)
    with pytest.raises(VerifyError, match="reads what it makes itself"):
        f.sort()


def test_a_clone_collects_for_itself() -> None:
    module = Module("m", {"main": function(*LINES)})
    copy = clone_module(module)
    copy.notes.append("a note")
    copy.layers.append("a layer")
    copy.choices.append("a choice")
    copy.main.ops[0].set_operand(0, copy.main.inputs[1])
    assert not (module.notes or module.layers or module.choices)
    assert module.main.ops[0].operands[0] is module.main.inputs[0]
