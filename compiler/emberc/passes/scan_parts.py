"""The parts of a selective scan, found by the axes along which the factors around a recurrence change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emberc.ir.builder import Builder
from emberc.ir.graph import Function
from emberc.ir.op import Op
from emberc.ir.values import Value
from emberc.passes.axes import Contraction, Dims, Factor, broadcast, contraction, factors, product, unmoved, whole

_MOVES = ("f.transpose", "f.reshape", "f.expand", "f.mul")
_NEVER_NEGATIVE = ("f.softplus", "f.relu", "f.exp", "f.sigmoid", "f.abs")


@dataclass(frozen=True)
class Reads:
    """Who reads the states of a recurrence: one contraction over N, and values that are the state of the last step.

    Of these, ``last`` tells for each of their axes which axis of the states runs along it.
    """

    y: Contraction
    last: list[tuple[Value, Dims]]


@dataclass(frozen=True)
class Axes:
    """What the axes of the states are, by their numbers; ``within`` are the channels of a head."""

    sizes: list[int]
    time: int
    state: int
    batch: list[int]
    heads: list[int]
    within: list[int]

    @property
    def channels(self) -> list[int]:
        return [*self.heads, *self.within]


@dataclass(frozen=True)
class Parts:
    """decay = exp(delta * a), update = delta * b * x, y = sum of c * state, in the space of the states.

    ``x`` may still be several factors; ``softplus`` says that delta is that of the factor given.
    """

    x: list[Factor]
    delta: Factor
    a: Factor
    b: Factor
    c: Factor
    softplus: bool

    def values(self) -> list[Value]:
        return [f.value for f in (*self.x, self.delta, self.b, self.c)]


def reads_of(function: Function, recurrence: Op) -> Reads | None:
    """The readers of the states, None where there are others than ``Reads`` can hold."""
    states, time = recurrence.results[0], recurrence.attrs["axis"]
    assert isinstance(time, int)
    found: list[Contraction] = []
    last: list[tuple[Value, Dims]] = []
    todo, seen = [states], {id(states)}
    while todo:
        v = todo.pop()
        if function.is_output(v):
            at = unmoved(whole(v))
            if states.shape[time] != 1 or at.value is not states:  # of one step, every state is the last one
                return None
            last.append((v, at.dims))
        for user in v.users:
            if user.opcode in _MOVES:
                if id(user.result) not in seen:
                    seen.add(id(user.result))
                    todo.append(user.result)
            elif v is states and _is_last(user, time):
                last.append((user.result, whole(user.result).dims))
            elif not any(c.op is user for c in found):
                read = contraction(user)
                if read is None or sum(f.value is states for f in read.factors) != 1:
                    return None
                found.append(read)
    return Reads(found[0], last) if len(found) == 1 else None


def _is_last(op: Op, time: int) -> bool:
    """A slice of the last step and nothing else."""
    if op.opcode != "f.slice" or op.attrs["axes"] != [time] or op.operands[0] is None:
        return False
    return op.attrs["starts"] == [op.operands[0].shape[time] - 1] and op.result.shape[time] == 1


def parts_of(recurrence: Op, read: Contraction, b: Builder) -> tuple[Parts, Axes] | None:
    """The parts of the scan that ``recurrence`` and ``read`` make up; None where they make up none."""
    states = recurrence.results[0]
    sizes = list(states.shape)
    h = next(f for f in read.factors if f.value is states)
    n = h.dims[-1]
    rest = [f for f in read.factors if f is not h]
    back = [h.dims.index(i) if i in h.dims else None for i in range(len(sizes))]
    lost = [k for k in range(len(read.sizes)) if k not in back and any(f.along(k) for f in rest)]
    if n is None or not rest or lost:
        return None
    c = product([f.through(back) for f in rest], sizes, b)
    decay = _decay(recurrence, n, b)
    if decay is None:
        return None
    deltas, a = decay
    update = _update(recurrence, deltas, n)
    if update is None:
        return None
    delta, softplus = _before_softplus(product(deltas, sizes, b))
    parts = Parts(update[0], delta, a, product(update[1], sizes, b), c, softplus)
    return parts, _axes(sizes, int(recurrence.attrs["axis"]), n, parts)  # type: ignore[arg-type]


def _decay(recurrence: Op, n: int, b: Builder) -> tuple[list[Factor], Factor] | None:
    """delta and a of decay = exp(delta * a): what changes over time, and a constant that is nowhere positive."""
    states, decay = recurrence.results[0], recurrence.operands[0]
    assert decay is not None
    f = unmoved(Factor(decay, broadcast(whole(states).dims, states, decay)))
    exp = f.value.producer
    if exp is None or exp.opcode != "f.exp" or exp.operands[0] is None:
        return None
    time = recurrence.attrs["axis"]
    assert isinstance(time, int)
    found = factors(Factor(exp.operands[0], f.dims))
    deltas = [f for f in found if f.value.const is None]
    fixed = [f for f in found if f.value.const is not None]
    if not deltas or not fixed or any(f.along(n) for f in deltas) or any(f.along(time) for f in fixed):
        return None
    a = product(fixed, list(states.shape), b)
    if a.value.const is None or bool((a.value.const > 0).any()) or not all(_never_negative(f.value) for f in deltas):
        return None
    return deltas, a


def _never_negative(v: Value) -> bool:
    op = v.producer
    if op is None:
        return False
    lo = op.attrs.get("lo")
    return op.opcode in _NEVER_NEGATIVE or (op.opcode == "f.clip" and isinstance(lo, int | float) and lo >= 0)


def _update(recurrence: Op, deltas: Sequence[Factor], n: int) -> tuple[list[Factor], list[Factor]] | None:
    """The factors x and b of update = delta * b * x: b changes along N, x does not."""
    states, update = recurrence.results[0], recurrence.operands[1]
    assert update is not None
    found = factors(Factor(update, whole(states).dims))
    for delta in deltas:
        same = [f for f in found if f.value is delta.value and f.dims == delta.dims]
        if not same:
            return None
        found.remove(same[0])
    x, b = [f for f in found if not f.along(n)], [f for f in found if f.along(n)]
    return (x, b) if x and b else None


def _before_softplus(delta: Factor) -> tuple[Factor, bool]:
    op = delta.value.producer
    if op is None or op.opcode != "f.softplus" or op.operands[0] is None:
        return delta, False
    return Factor(op.operands[0], delta.dims), True


def _axes(sizes: list[int], time: int, n: int, parts: Parts) -> Axes:
    """An axis along which everything but a changes is the batch's; one that only x has lies within a head."""
    batch: list[int] = []
    heads: list[int] = []
    within: list[int] = []
    x, bc = parts.x, (parts.b, parts.c)
    for k in range(len(sizes)):
        if k in (time, n):
            continue
        shared = any(f.along(k) for f in bc)
        alone = shared and parts.delta.along(k) and any(f.along(k) for f in x) and not parts.a.along(k)
        if sizes[k] == 1 or alone:
            batch.append(k)
        elif shared or parts.delta.along(k) or parts.a.along(k):
            heads.append(k)
        else:
            within.append(k)
    return Axes(sizes, time, n, batch, heads, within)
