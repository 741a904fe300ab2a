"""Proof by trial: old and new values of a function, computed from the same random numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emberc.ir.graph import Function
from emberc.ir.interpreter import run_function
from emberc.ir.op import Op
from emberc.ir.types import Array
from emberc.ir.values import Value

#: of the largest magnitude: float32 sums in another order
_TOLERANCE = 1e-4
_TRIALS = 2


def equal_on_random(old: Sequence[Value], new: Sequence[Value], leaves: Sequence[Value]) -> bool:
    """Whether ``old`` and ``new`` agree where ``leaves`` (and whatever lies beyond them) hold random numbers.

    Walks up from both lists to ``leaves``; what else they need is random too. Numbers lie in -0.9 .. 0.9, so that
    recurrences stay bounded; anything that is not a number on the old side proves nothing and counts as unequal.
    """
    stop = {id(v) for v in leaves}
    ops, inputs = ops_above([*old, *new], stop)
    outputs = {f"old{i}": v for i, v in enumerate(old)} | {f"new{i}": v for i, v in enumerate(new)}
    names = {id(v): f"leaf{i}" for i, v in enumerate(inputs)}
    kept = [(v, v.name) for v in inputs]
    try:
        for v in inputs:
            v.name = names[id(v)]
        for trial in range(_TRIALS):
            rng = np.random.default_rng(trial)
            numbers = {names[id(v)]: _random(v, rng) for v in inputs}
            found = run_function(Function("trial", inputs, ops, outputs), numbers)
            if not all(_close(found[f"old{i}"], found[f"new{i}"]) for i in range(len(old))):
                return False
    finally:
        for v, name in kept:
            v.name = name
    return True


def ops_above(values: Sequence[Value], stop: set[int]) -> tuple[list[Op], list[Value]]:
    """The ops that compute ``values`` from ``stop``, in order, and what they read from outside."""
    ops: list[Op] = []
    inputs: dict[int, Value] = {}
    done: set[int] = set()
    todo: list[tuple[Value, bool]] = [(v, False) for v in reversed(values)]
    while todo:
        v, ready = todo.pop()
        op = v.producer
        if op is None or id(v) in stop:
            if v.const is None:
                inputs.setdefault(id(v), v)
        elif ready:
            if id(op) not in done:
                done.add(id(op))
                ops.append(op)
        elif id(op) not in done:
            todo.append((v, True))
            todo += [(o, False) for o in op.operands if o is not None]
    return ops, list(inputs.values())


def _random(v: Value, rng: np.random.Generator) -> Array:
    if v.type.dtype.is_float:
        return rng.uniform(-0.9, 0.9, v.shape).astype(v.type.dtype.numpy)
    return rng.integers(0, 2, v.shape).astype(v.type.dtype.numpy)


def _close(want: Array, got: Array) -> bool:
    if want.shape != got.shape or want.dtype != got.dtype or not np.isfinite(want).all():
        return False
    scale = float(np.abs(want).max(initial=0.0)) or 1.0
    return bool(np.abs(got.astype(np.float64) - want).max(initial=0.0) <= _TOLERANCE * scale)
