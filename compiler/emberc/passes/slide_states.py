"""A state that new rows are appended to is kept once: it slides along in place, and its readers read it there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from emberc.ir.builder import Builder
from emberc.ir.graph import Function, State
from emberc.ir.op import Op
from emberc.ir.ops.integer_movement import Concat, Slice
from emberc.ir.ops.integer_stream import Slide
from emberc.ir.values import Value

O = TypeVar("O", bound=Op)  # noqa: E741


def slide_states(function: Function) -> None:
    """both = concat(state, new);  state' = slice(both, its last rows)     -->  state' = both = slide(state, new)
    state' = concat(slice(state, without its first rows), new)             -->  state' = slide(state, new)

    What models with their caches and windows as inputs and outputs write: without this the context would hold the rows
    that were and those that will be, and the arena all of them once more. In the first form the state then has the
    new rows besides those that the model keeps; nobody outside sees that. A state that is also read apart stays.
    """
    for state in function.states:
        _slide(function, state, _joined) or _slide(function, state, _cut)
    function.prune()


def _slide(function: Function, state: State, find: Callable[[Value, Value], Concat | None]) -> bool:
    before, after = next(v for v in function.inputs if v.name == state.name), function.outputs[state.after]
    join = find(before, after)
    if join is None or state.start is not None:
        return False
    new = join.operands[1]
    kept = Value(join.y.type, before.name)
    b = Builder(join.loc)
    b.emit(Slide, kept, new, types=[kept.type], axis=join.axis)
    function.inputs[function.inputs.index(before)] = kept
    function.ops.insert(function.ops.index(join), *b.ops)
    function.replace(join.y, b.ops[0].result)
    function.outputs[state.after] = b.ops[0].result
    return True


def _joined(before: Value, after: Value) -> Concat | None:
    """The concat of a state and its new rows that ``after`` is the last rows of."""
    cut = _by(after, Slice)
    join = _by(cut.x, Concat) if cut is not None else None
    if cut is None or join is None or len(join.operands) != 2 or join.operands[0] is not before:
        return None
    rows, total = join.xs[1].shape[join.axis], join.y.shape[join.axis]
    alone = before.users == [join] and before.type == after.type
    return join if alone and cut.ranges() == {join.axis: range(rows, total)} else None


def _cut(before: Value, after: Value) -> Concat | None:
    """The concat that makes ``after``, of a state without its first rows and as many new ones."""
    join = _by(after, Concat)
    cut = _by(join.xs[0], Slice) if join is not None else None
    if cut is None or join is None or len(join.operands) != 2 or cut.x is not before:
        return None
    rows, total = join.xs[1].shape[join.axis], before.shape[join.axis]
    alone = before.users == [cut] and cut.y.users == [join] and before.type == after.type
    return join if alone and cut.ranges() == {join.axis: range(rows, total)} else None


def _by(v: Value, cls: type[O]) -> O | None:
    """The op that makes ``v``, where it is one of that class."""
    return v.producer if isinstance(v.producer, cls) else None
