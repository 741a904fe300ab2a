"""recover-recurrence: linear recurrences that exporters unrolled become one f.recurrence and whole-sequence ops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.graph import Function, Module
from emberc.ir.op import Op, op_class
from emberc.ir.values import Value
from emberc.passes.chunked_scan import recover_chunks
from emberc.passes.equivalence import equal_on_random
from emberc.passes.loop_notes import step_of, unrolled_notes, without_step
from emberc.passes.manager import Pass
from emberc.passes.reroll import Rolled, Steps, aligned, discard, reshape
from emberc.passes.scan_tree import recover_trees
from emberc.passes.serial_notes import serial_notes
from emberc.passes.written_rows import join_written_rows


@dataclass(frozen=True)
class RecoverRecurrence(Pass):
    """h0 = a[0] * init + b[0];  h1 = a[1] * h0 + b[1];  ..      -->  h = f.recurrence(a, b, init)
    concat(f(h[0], c[0]), f(h[1], c[1]), ..)                     -->  f(h, c) over all steps
    a tree of products and sums over halves (associative scan)   -->  h = f.recurrence(a, b)
    products within chunks of steps and between them (Mamba-2)   -->  y = sum over n of c * f.recurrence(a, b)

    Found by structure alone: a chain of additions of which each adds to a multiple of the one before, while factors
    and addends are the same expression at every step, up to the index of a slice, and do not depend on the chain.
    Every replacement is proved on random numbers; one that fails is dropped, with a note that names the node.
    Time is linear in the number of ops. What stays unrolled is correct, only large.
    """

    name: ClassVar[str] = "recover-recurrence"

    def run(self, module: Module) -> bool:
        return any([_recover(f, module) for f in module.functions.values()])


@dataclass(frozen=True)
class _Link:
    """state = decay * before + update; no decay means 1."""

    op: Op
    before: Value
    decay: Value | None
    update: Value
    slots: tuple[int, int]  # which operand of the addition is the product, which of the product is the state


def _recover(function: Function, module: Module) -> bool:
    changed = join_written_rows(function)
    changed |= recover_trees(function)
    changed |= recover_chunks(function)
    for chain in _chains(function):
        changed |= _recover_chain(function, module, chain)
    for op in list(function.ops):
        if op.opcode == "f.concat":
            changed |= _roll_concat(function, module, op)
    function.prune()
    module.notes += unrolled_notes(function) + serial_notes(function)
    return changed


# --- finding chains


def _chains(function: Function) -> list[list[_Link]]:
    """The longest chains of links in order of the function: of two states or more, or one step with explicit state."""
    links = {id(op.result): _links(op) for op in function.ops if op.opcode == "f.add"}
    best: dict[int, _Link] = {}
    length: dict[int, int] = {}
    for state, ways in links.items():
        if ways:
            best[state] = max(ways, key=lambda k: length.get(id(k.before), 0))
            length[state] = 1 + length.get(id(best[state].before), 0)
    inside = {id(link.before) for link in best.values()}
    chains: list[list[_Link]] = []
    for state, last in best.items():
        if state in inside:
            continue
        chain: list[_Link] = []
        link: _Link | None = last
        while link is not None:
            chain.append(link)
            ways = links.get(id(link.before), [])
            link = next((k for k in ways if k.slots == last.slots), None)
        if len(chain) > 1:
            chains.append(chain[::-1])
        else:
            chains += [[k] for k in links[state] if _is_explicit_step(function, k)][:1]
    return chains


def _is_explicit_step(function: Function, link: _Link) -> bool:
    """One step of a model that takes its state as an input and gives it back: state = decay * input + update."""
    state = link.op.result
    fades = link.decay is not None and link.decay.const is None
    given = any(link.before is v for v in function.inputs) and link.before.type == state.type
    return fades and given and function.is_output(state)


def _links(op: Op) -> list[_Link]:
    """Every way to read an addition as a step from one of the values that it depends on."""
    found: list[_Link] = []
    for i in (0, 1):
        term, update = op.operands[i], op.operands[1 - i]
        assert term is not None and update is not None
        if term.type != op.result.type:
            continue
        product = term.producer
        if product is not None and product.opcode == "f.mul":
            for j in (0, 1):
                before, decay = product.operands[j], product.operands[1 - j]
                assert before is not None and decay is not None
                if before.const is not None or before.type == op.result.type:
                    found.append(_Link(op, before, decay, update, (i, j)))
        found.append(_Link(op, term, None, update, (i, -1)))
    return found


# --- one chain


def _recover_chain(function: Function, module: Module, chain: list[_Link]) -> bool:
    """Puts one f.recurrence in place of a chain and makes its states slices of it; False where it is none.

    What all steps slice is sliced by the first one too, so it can't depend on the chain: the graph has no cycle.
    """
    states, loc = [link.op.result for link in chain], without_step(chain[-1].op.loc)
    builder = Builder(loc)
    steps = Steps(builder, len(chain))
    h = _recurrence(chain, steps, builder)
    if h is None:
        discard(builder)
        return False
    builder.loc = loc
    new = [reshape(_step(h, t, builder), s.shape, builder) for t, s in enumerate(states)]
    if not equal_on_random(states, new, steps.sources):
        discard(builder)
        module.notes.append(f"'{loc}': {len(chain)} steps look like a recurrence but are none: they stay unrolled")
        return False
    function.ops += builder.ops
    for old, value in zip(states, new, strict=True):
        function.replace(old, value)
    function.sort()
    return True


def _recurrence(chain: list[_Link], steps: Steps, b: Builder) -> Value | None:
    """The states of all steps, [steps, *S]; None where the steps differ or no tensor runs along them."""
    state = chain[0].op.result
    update = steps.roll([link.update for link in chain])
    decay = _decay(chain, steps, b) if update is not None else None
    if update is None or decay is None or not _may_start(chain[0].before, state):
        return None
    if len(chain) > 1 and not steps.sources:  # no tensor runs along the steps
        return None
    rank = state.type.rank
    whole = aligned(update, rank, b)
    shape = [len(chain), *state.shape]
    whole = whole if list(whole.shape) == shape else b.emit(op_class("f.expand"), whole, shape=shape)
    return b.emit(op_class("f.recurrence"), aligned(decay, rank, b), whole, _initial(chain[0].before, state, b))


def _decay(chain: list[_Link], steps: Steps, b: Builder) -> Rolled | None:
    """The factors over all steps; a plain sum has the factor 1."""
    factors = [link.decay for link in chain if link.decay is not None]
    if not factors:
        return Rolled(b.const(np.ones((), chain[0].op.result.type.dtype.numpy)), False)
    return steps.roll(factors) if len(factors) == len(chain) else None


def _may_start(before: Value, state: Value) -> bool:
    """Whether a value can be the state before the first step: of its type, or a constant that broadcasts to it."""
    try:
        fits = np.broadcast_shapes(before.shape, state.shape) == state.shape
    except ValueError:
        return False
    return fits if before.const is not None else before.type == state.type


def _initial(before: Value, state: Value, b: Builder) -> Value | None:
    """The state before the first step, None for zeros."""
    if before.const is None:
        return before
    return b.const(np.broadcast_to(before.const, state.shape).copy()) if before.const.any() else None


def _step(h: Value, t: int, b: Builder) -> Value:
    if h.shape[0] == 1:
        return h
    return b.emit(op_class("f.slice"), h, starts=[t], ends=[t + 1], axes=[0], steps=[1])


# --- what reads the states


def _in_loop(v: Value) -> bool:
    """Whether a step of a Loop or Scan made it; reshapes that join steps are not looked at."""
    while (op := v.producer) is not None and op.opcode == "f.reshape" and op.operands[0] is not None:
        v = op.operands[0]
    return op is not None and step_of(op) is not None


def _roll_concat(function: Function, module: Module, op: Op) -> bool:
    """Joins the results of all steps: the same, computed over all steps at once.

    Only what reads a recurrence or stood in a Loop or Scan: heads and windows that other passes know stay as they are.
    """
    parts, axis = [v for v in op.operands if v is not None], op.attrs["axis"]
    assert isinstance(axis, int)
    if len(parts) < 2 or any(v.producer is None for v in parts):
        return False
    builder = Builder(op.loc)
    steps = Steps(builder, len(parts))
    rolled = steps.stack(parts)
    known = any(v.producer and v.producer.opcode == "f.recurrence" for v in steps.sources)
    if rolled is None or not (known or all(map(_in_loop, parts))):
        discard(builder)
        return False
    builder.loc = op.loc
    order = [*range(1, axis + 1), 0, *range(axis + 1, rolled.type.rank)]
    moved = rolled if axis == 0 else builder.emit(op_class("f.transpose"), rolled, perm=order)
    new = reshape(moved, op.result.shape, builder)
    if not equal_on_random([op.result], [new], steps.sources):
        discard(builder)
        module.notes.append(f"'{op.loc}': {len(parts)} steps look alike but are not: they stay unrolled")
        return False
    function.ops += builder.ops
    function.replace(op.result, new)
    function.sort()
    return True
