"""The reference interpreter: runs a function op by op on numpy arrays.

On float IR it is the model; on integer IR it is the specification that every kernel must equal bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from emberc.errors import UsageError
from emberc.ir.graph import Function
from emberc.ir.op import Op
from emberc.ir.types import Array
from emberc.ir.values import Value

Observer = Callable[[Value, Array], None]


def run_function(
    function: Function, inputs: Mapping[str, Array], *, observe: Observer | None = None
) -> dict[str, Array]:
    """Runs ``function`` on arrays named as its inputs; returns its outputs by name.

    ``observe`` is called with every value and its array as soon as it is computed. An array is forgotten after
    its last use, so peak memory is that of the live values. Raises UsageError for a missing or misshapen input.
    """
    env: dict[int, Array] = {}
    for v in function.inputs:
        name = v.name or ""
        if name not in inputs:
            raise UsageError(f"input '{name}' is missing", hints=[f"inputs are: {[i.name for i in function.inputs]}"])
        array = np.asarray(inputs[name])
        if tuple(array.shape) != v.shape:
            raise UsageError(f"input '{name}' has shape {list(array.shape)}, the model wants {list(v.shape)}")
        env[id(v)] = array.astype(v.type.dtype.numpy)
        if observe:
            observe(v, env[id(v)])
    last: dict[int, int] = {}
    for i, op in enumerate(function.ops):
        for operand in op.operands:
            if operand is not None:
                last[id(operand)] = i
    for v in function.outputs.values():
        last[id(v)] = len(function.ops)

    def value_of(v: Value | None) -> Array | None:
        if v is None:
            return None
        return v.const if v.const is not None else env[id(v)]

    with np.errstate(all="ignore"):
        for i, op in enumerate(function.ops):
            for r, a in zip(op.results, op.run(*[value_of(v) for v in op.operands]), strict=True):
                env[id(r)] = a
                if observe:
                    observe(r, a)
            _forget(op, i, last, env)
    out: dict[str, Array] = {}
    for k, v in function.outputs.items():
        out[k] = v.const if v.const is not None else env[id(v)]
    return out


def run_steps(step: Function, steps: Iterable[dict[str, Array]]) -> Iterator[dict[str, Array]]:
    """The outputs of every step of one sequence: the states that its function has go from step to step.

    Raises UsageError for a step after the last one that caches and tables have room for.
    """
    types = {v.name: v.type for v in step.inputs}
    kept = {s.name: s.first(types[s.name]) for s in step.states}
    for inputs in steps:
        for s in step.states:
            if s.limit is not None and kept[s.name].item() >= s.limit:
                raise UsageError(f"the sequence is full: the model has room for {s.limit} steps")
        answer = run_function(step, {**inputs, **kept})
        kept = {s.name: answer.pop(s.after) for s in step.states}
        yield answer


def _forget(op: Op, index: int, last: dict[int, int], env: dict[int, Array]) -> None:
    for v in [*op.operands, *op.results]:
        if v is not None and last.get(id(v), -1) <= index:
            env.pop(id(v), None)
