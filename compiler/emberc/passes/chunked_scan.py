"""Chunked scans (Mamba-2): products within chunks and between them, told from what they compute.

Dao and Gu, 2024, section 6: with decays exp(d[t]) and updates u[t] * b[t], a chunk's outputs are (c b^T * L) u with
L = exp(segment sums of d), and a chunk's last state goes on to the next. Exporters write that as running sums, masks,
products and movement over chunks. Whatever the layout, a region that computes

    h[t] = exp(d[t]) * h[t - 1] + u[t] * b[t]      y[t] = sum over n of c[t] * h[t]

from the four tensors that enter it is that recurrence. The region is cut out by structure, the four are told apart by
the shapes that they must have, and equality is shown on random numbers with slow, middling and fast decays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import gcd, prod

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.graph import Function
from emberc.ir.interpreter import run_function
from emberc.ir.op import op_class
from emberc.ir.types import Array
from emberc.ir.values import Value
from emberc.passes.equivalence import ops_above
from emberc.passes.reroll import discard, reshape

_MOVES = ("f.reshape", "f.transpose", "f.expand", "f.pad")
#: what the region itself is made of; anything else is an input of it
_INSIDE = {"f.matmul", "f.cumsum", "f.exp", "f.where", "f.add", "f.sub", "f.concat", "f.reduce"}
_TOLERANCE = 1e-4
#: log decays of the proof's trials lie between these and 0
_REACHES = (0.02, 0.5, 4.0)


@dataclass(frozen=True)
class _Roles:
    """The inputs of a region over L steps: d [.., L, H], u [.., L, H, P], b and c [.., L, G * N] in some layout."""

    d: Value
    u: Value
    b: Value
    c: Value
    groups: int

    @property
    def values(self) -> list[Value]:
        return [self.d, self.u, self.b, self.c]


def recover_chunks(function: Function) -> bool:
    """Puts f.recurrence and its reading in place of every chunked scan; returns whether there was one."""
    changed = False
    sums = [op for op in function.ops if op.opcode == "f.cumsum"]
    while sums:
        source = _source(sums[0].operands[0])
        changed |= source is not None and _recover(function, source)
        alive = {id(op) for op in function.ops}
        sums = [op for op in sums[1:] if id(op) in alive]
    return changed


def _source(v: Value | None) -> Value | None:
    """What a value moves, through masks that only blank parts of it."""
    while v is not None and v.producer is not None:
        op = v.producer
        if op.opcode in _MOVES:
            v = op.operands[0]
        elif op.opcode == "f.where" and sum(o is not None and o.const is None for o in op.operands) == 1:
            v = next(o for o in op.operands if o is not None and o.const is None)
        else:
            break
    return v


def _recover(function: Function, d: Value) -> bool:
    for y in _cuts(function, d):
        leaves = _leaves(y, d)
        if leaves is None:
            return False
        for end in _moved(y):
            for roles in _roles(d, leaves, end):
                if _proved(roles, end):
                    return _replace(function, roles, end)
    return False


def _cuts(function: Function, d: Value) -> Iterator[Value]:
    """Sums through which everything goes that is computed from ``d``'s running sums: the nearest ones first."""
    last = {id(op.operands[i]): k for k, op in enumerate(function.ops) for i in range(len(op.operands))}
    inside, reach = {id(d)}, last.get(id(d), -1)
    for k, op in enumerate(function.ops):
        if not any(id(v) in inside for v in op.operands):
            continue
        inside |= {id(r) for r in op.results}
        if op.opcode == "f.add" and reach <= k:
            yield op.result
        reach = max(reach, *(last.get(id(r), k) for r in op.results))
        if op.opcode not in _INSIDE | {*_MOVES, "f.mul", "f.slice", "f.neg"}:
            return


def _leaves(y: Value, d: Value) -> list[Value] | None:
    """The three tensors other than ``d`` from which the region up to ``y`` computes, before any movement."""
    depends: dict[int, bool] = {id(d): True}
    ops, _ = ops_above([y], {id(d)})
    for above in ops:
        depends |= {id(r): any(depends.get(id(v), False) for v in above.operands) for r in above.results}
    found: dict[int, Value] = {}
    todo, seen = [y], {id(y)}
    while todo:
        v = _unmoved(todo.pop())
        op = v.producer
        grows = op is not None and (op.opcode in _INSIDE or depends.get(id(v), False))
        if v is d or v.const is not None:
            continue
        if op is None or not grows:
            found[id(v)] = v
            continue
        for o in op.operands:
            if o is not None and id(o) not in seen:
                seen.add(id(o))
                todo.append(o)
    return list(found.values()) if len(found) == 3 else None


def _unmoved(v: Value) -> Value:
    while v.producer is not None and v.producer.opcode in _MOVES and v.producer.operands[0] is not None:
        v = v.producer.operands[0]
    return v


def _moved(y: Value) -> Iterator[Value]:
    """``y`` and what movement and cuts alone make of it, the furthest first: there chunks are joined and trimmed."""
    chain = [y]
    while len(chain[-1].users) == 1 and chain[-1].users[0].opcode in (*_MOVES, "f.slice"):
        chain.append(chain[-1].users[0].result)
    yield from reversed(chain)


def _roles(d: Value, leaves: Sequence[Value], y: Value) -> Iterator[_Roles]:
    """Every way to read the leaves that shapes allow. d and u end in [L, H] and [L, H, P]; y may have more steps, by
    which the last chunk was filled up."""
    if d.type.rank < 2 or y.type.rank < 3:
        return
    length, heads = d.shape[-2:]
    for u, b, c in permutations(leaves):
        if len(u.shape) != len(y.shape) or u.shape[-3:-1] != (length, heads) or u.shape[:-3] != d.shape[:-2]:
            continue
        if [*u.shape[:-3], *u.shape[-2:]] != [*y.shape[:-3], *y.shape[-2:]] or y.shape[-3] < length:
            continue
        fits = all(_by_steps(v, length) is not None for v in (b, c)) and b.type.elements == c.type.elements
        if not fits:
            continue
        width = b.type.elements // (length * prod(d.shape[:-2]))
        for groups in range(1, gcd(heads, width) + 1):
            if heads % groups == width % groups == 0:
                yield _Roles(d, u, b, c, groups)


def _by_steps(v: Value, length: int) -> int | None:
    """The axis of ``v`` along which its steps lie: the first of that length after the batch."""
    axes = [i for i, n in enumerate(v.shape) if n == length and (i > 0 or v.type.rank == 2)]
    return axes[0] if axes else None


def _emit(roles: _Roles, y: Value, b: Builder) -> Value:
    """The recurrence and its reading, in the layout of ``y``: states [.., L, H, P, N]."""
    lead, (length, heads) = roles.d.shape[:-2], roles.d.shape[-2:]
    decay = b.emit(op_class("f.exp"), reshape(roles.d, [*lead, length, heads, 1, 1], b))
    update = b.emit(op_class("f.mul"), reshape(roles.u, [*roles.u.shape, 1], b), _by_head(roles, roles.b, b))
    states = b.emit(op_class("f.recurrence"), decay, update, None, axis=len(lead))
    read = b.emit(op_class("f.mul"), states, _by_head(roles, roles.c, b))
    total = b.emit(op_class("f.reduce"), read, kind="sum", axes=[read.type.rank - 1], keepdims=False)
    filled = y.shape[len(lead)] - length
    if not filled:
        return total
    pads = [0] * (2 * y.type.rank)
    pads[y.type.rank + len(lead)] = filled
    return b.emit(op_class("f.pad"), total, pads=pads)


def _by_head(roles: _Roles, v: Value, b: Builder) -> Value:
    """b or c as [.., L, H, 1, N], every head its group's row; [.., L, 1, 1, N] where all heads share one."""
    lead, (length, heads) = roles.d.shape[:-2], roles.d.shape[-2:]
    at, groups = _by_steps(v, length), roles.groups
    assert at is not None
    perm = [*(i for i in range(len(lead)) if i < at), at]
    perm += [i for i in range(v.type.rank) if i not in perm]
    v = v if perm == sorted(perm) else b.emit(op_class("f.transpose"), v, perm=perm)
    n = v.type.elements // (prod(lead) * length * groups)
    rows = reshape(v, [*lead, length, groups, 1, n], b)
    if groups in (1, heads):
        return rows
    wide = b.emit(op_class("f.expand"), rows, shape=[*lead, length, groups, heads // groups, n])
    return reshape(wide, [*lead, length, heads, 1, n], b)


def _proved(roles: _Roles, y: Value) -> bool:
    """Whether the recurrence equals the region on random numbers, at every reach of the decay."""
    builder = Builder(fold=False)
    new = _emit(roles, y, builder)
    try:
        ops, inputs = ops_above([y, new], {id(v) for v in roles.values})
        if {id(v) for v in inputs} - {id(v) for v in roles.values}:
            return False
        names = {id(v): v.name for v in inputs}
        for i, v in enumerate(inputs):
            v.name = f"leaf{i}"
        trial = Function("trial", inputs, ops, {"old": y, "new": new})
        try:
            return all(_equal(trial, roles, reach, seed) for seed, reach in enumerate(_REACHES))
        finally:
            for v in inputs:
                v.name = names[id(v)]
    finally:
        discard(builder)


def _equal(trial: Function, roles: _Roles, reach: float, seed: int) -> bool:
    rng = np.random.default_rng(seed)
    numbers: dict[str, Array] = {}
    for v in trial.inputs:
        low, high = (-reach, 0.0) if v is roles.d else (-1.0, 1.0)
        numbers[v.name or ""] = rng.uniform(low, high, v.shape).astype(v.type.dtype.numpy)
    found = run_function(trial, numbers)
    old, new = found["old"].astype(np.float64), found["new"].astype(np.float64)
    scale = float(np.abs(old).max(initial=0.0))
    return bool(np.isfinite(old).all() and scale > 0 and np.abs(old - new).max() <= _TOLERANCE * scale)


def _replace(function: Function, roles: _Roles, y: Value) -> bool:
    builder = Builder("" if y.producer is None else y.producer.loc)
    new = _emit(roles, y, builder)
    function.ops += builder.ops
    function.replace(y, new)
    function.sort()
    function.prune()
    return True
