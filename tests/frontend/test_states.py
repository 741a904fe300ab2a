"""Which inputs are states: found by structure where it leaves no choice, else named by the user."""

from __future__ import annotations

import pytest

from emberc.errors import UsageError
from emberc.frontend import import_model
from emberc.frontend.states import pair_states
from emberc.ir.graph import Function
from tests.e2e.test_recurrent import recurrent
from tests.quant.modules import module

#: two layers of h' = tanh(w h + x) with c' = f c + h in the first: the outputs in no helpful order
LAYERS = (
    "%x : f32[1, 4], %a : f32[1, 4], %c : f32[1, 4], %b : f32[1, 4], %k : f32[1, 2, 3, 4]",
    "%p = f.matmul %a, %w : f32[1, 4]",
    "%q = f.add %p, %x : f32[1, 4]",
    "%a1 = f.tanh %q : f32[1, 4]",
    "%s = f.sigmoid %q : f32[1, 4]",
    "%m = f.mul %s, %c : f32[1, 4]",
    "%c1 = f.add %m, %a1 : f32[1, 4]",
    "%r = f.matmul %b, %w : f32[1, 4]",
    "%t = f.add %r, %c1 : f32[1, 4]",
    "%b1 = f.tanh %t : f32[1, 4]",
    "%row = f.reshape %b1 {shape = [1, 1, 1, 4]} : f32[1, 1, 1, 4]",
    "%rows = f.expand %row {shape = [1, 2, 1, 4]} : f32[1, 2, 1, 4]",
    "%k1 = f.concat %k, %rows {axis = 2} : f32[1, 2, 4, 4]",
    "%y = f.matmul %b1, %v : f32[1, 2]",
)
CONSTANTS = ("%w : f32[4, 4] = [" + ", ".join(["0.5"] * 16) + "]", "%v : f32[4, 2] = [1, 2, 3, 4, 5, 6, 7, 8]")


def layers() -> Function:
    outs = '%b1 as "b1", %k1 as "k1", %c1 as "c1", %y as "y", %a1 as "a1"'
    return module(*LAYERS, outs=outs, constants=CONSTANTS).main


def pairs(function: Function, **given: str) -> dict[str, str]:
    return {s.name: s.after for s in pair_states(function, given)}


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_the_states_of_a_cell(kind: str) -> None:
    want = {"LSTM": {"h0": "h", "c0": "c"}, "GRU": {"h0": "h"}}[kind]
    assert pairs(import_model(recurrent(kind)).main) == want


def test_layers_are_told_apart_and_a_cache_keeps_its_size() -> None:
    function = layers()
    assert pairs(function) == {"a": "a1", "b": "b1", "c": "c1", "k": "k1"}
    kept = function.outputs["k1"]
    assert kept.shape == (1, 2, 3, 4)
    assert kept.producer is not None
    assert (kept.producer.attrs["starts"], kept.producer.attrs["ends"]) == ([1], [4])


def test_a_whole_sequence_has_no_states() -> None:
    """What has the steps of the first input is no state, whatever its type."""
    function = module("%x : f32[1, 9, 4], %z : f32[1, 9, 4]", "%y = f.add %x, %z : f32[1, 9, 4]", outs='%y as "y"').main
    assert pairs(function) == {}


SWAPPED = module(
    "%x : f32[1, 3], %a : f32[1, 4], %b : f32[1, 4]",
    "%c = f.add %a, %b : f32[1, 4]",
    "%d = f.sub %a, %b : f32[1, 4]",
    outs='%c as "c", %d as "d", %x as "y"',
).main


def test_a_choice_is_the_users() -> None:
    with pytest.raises(UsageError, match="more than one way") as raised:
        pairs(SWAPPED)
    assert "a may be what c or d was" in raised.value.details[0]
    assert raised.value.hints == ["name every pair: --state a=c"]
    assert pairs(SWAPPED, a="d", b="c") == {"a": "d", "b": "c"}


def test_a_star_names_many() -> None:
    function = module(
        "%x : f32[1, 3], %past.0.k : f32[1, 4], %past.1.k : f32[1, 4]",
        "%c = f.tanh %past.0.k : f32[1, 4]",
        "%d = f.tanh %past.1.k : f32[1, 4]",
        outs='%c as "now.0.k", %d as "now.1.k", %x as "y"',
    ).main
    states = pair_states(function, {"past.*.k": "now.*.k"})
    assert [(s.name, s.after) for s in states] == [("past.0.k", "now.0.k"), ("past.1.k", "now.1.k")]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"h": "c"}, "no input 'h'"),
        ({"a": "h"}, "no output 'h'"),
        ({"a": "y"}, "output 'y' is"),
        ({"a": "c", "b": "c"}, "the same output"),
        ({"h*": "c*"}, "no input matches"),
    ],
)
def test_names_that_do_not_fit(given: dict[str, str], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        pair_states(SWAPPED, given)
