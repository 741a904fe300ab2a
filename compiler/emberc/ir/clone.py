"""A copy of a module that passes may change: to try a rewrite and keep it only when it helps."""

from __future__ import annotations

from dataclasses import replace

from emberc.ir.graph import Function, Module
from emberc.ir.values import Constant, Value


def clone_module(module: Module) -> Module:
    """The same functions, ops and values once more; constants are shared, they never change."""
    copy = replace(
        module,
        functions={n: _clone(f) for n, f in module.functions.items()},
        notes=list(module.notes),
        layers=list(module.layers),
        choices=list(module.choices),
    )
    copy.link()
    return copy


def _clone(function: Function) -> Function:
    values: dict[int, Value] = {id(v): Value(v.type, v.name) for v in function.inputs}

    def of(v: Value | None) -> Value | None:
        return v if v is None or isinstance(v, Constant) else values[id(v)]

    copy = Function(function.name, list(values.values()), states=list(function.states))
    for op in function.ops:
        new = type(op).from_parts([of(v) for v in op.operands], dict(op.attrs), [r.type for r in op.results], op.loc)
        for old, result in zip(op.results, new.results, strict=True):
            result.name = old.name
            values[id(old)] = result
        copy.ops.append(new)
    copy.outputs = {name: v if isinstance(v, Constant) else values[id(v)] for name, v in function.outputs.items()}
    return copy
