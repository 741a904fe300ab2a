"""merge-equal: ops that compute the same thing become one (common subexpression elimination)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emberc.ir.graph import Function, Module
from emberc.ir.op import Op
from emberc.ir.values import Constant, Value
from emberc.passes.manager import Pass


@dataclass(frozen=True)
class MergeEqual(Pass):
    """y = op(a, b), z = op(a, b)  -->  y, and z's readers read y

    Exporters repeat masks per layer; pruning rewrites both sides of a residual and leaves the common part twice.
    """

    name: ClassVar[str] = "merge-equal"

    def run(self, module: Module) -> bool:
        return any([merge_equal(f) for f in module.functions.values()])


def merge_equal(function: Function) -> bool:
    """One pass over ``function`` in order; returns whether anything was merged."""
    seen: dict[object, Op] = {}
    merged = False
    for op in function.ops:
        first = seen.setdefault(_key(op), op)
        if first is not op:
            for old, new in zip(op.results, first.results, strict=True):
                function.replace(old, new)
            merged = True
    if merged:
        function.prune()
    return merged


def _key(op: Op) -> object:
    attrs = tuple((k, repr(v)) for k, v in sorted(op.attrs.items()))
    return op.opcode, tuple(_identity(v) for v in op.operands), attrs, tuple(r.type for r in op.results)


def _identity(v: Value | None) -> object:
    """Constants are equal by content when they are small, other values by being the same."""
    if isinstance(v, Constant) and v.data.nbytes <= 1024:
        return v.type, v.data.tobytes()
    return id(v)
