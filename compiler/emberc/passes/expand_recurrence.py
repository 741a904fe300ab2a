"""expand-recurrence: a recurrence that no scan took in, as general ops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emberc.errors import UnsupportedError
from emberc.ir.builder import Builder
from emberc.ir.graph import Module
from emberc.ir.op import Op, op_class
from emberc.ir.ops.float_scan import Recurrence
from emberc.ir.values import Value
from emberc.passes.manager import Pass
from emberc.passes.reroll import reshape


@dataclass(frozen=True)
class ExpandRecurrence(Pass):
    """f.recurrence(a, b)  -->  concat of h[t] = a[t] * h[t - 1] + b[t]

    Only a selective scan has an integer kernel of its own. Any other recurrence still runs, step by step, with its
    states at the precision of activations: a note names it and what it costs. More than ``steps`` are refused.
    """

    name: ClassVar[str] = "expand-recurrence"
    steps: int = 512

    def run(self, module: Module) -> bool:
        changed = False
        for function in module.functions.values():
            for op in [op for op in function.ops if isinstance(op, Recurrence)]:
                builder = Builder(op.loc)
                count = op.states.shape[op.axis]
                if count > self.steps:
                    raise UnsupportedError(
                        f"a recurrence of {count} steps has no integer form, and is too long for general ops",
                        at=op.loc,
                        hints=[f"shorten the sequence to {self.steps} steps", "export one step with explicit state"],
                    )
                states = _expanded(op, count, builder)
                module.notes.append(
                    f"'{op.loc}' is a recurrence other than a selective scan: {count} steps in {len(builder.ops)} "
                    f"general ops, {op.cost().macs:,} multiply-accumulates"
                )
                function.ops[function.ops.index(op) : function.ops.index(op)] = builder.ops
                function.replace(op.states, states)
                changed = True
            function.prune()
        return changed


def _expanded(op: Recurrence, count: int, b: Builder) -> Value:
    shape = [1 if i == op.axis else n for i, n in enumerate(op.states.shape)]
    h = None if op.initial is None else reshape(op.initial, shape, b)
    rows: list[Value] = []
    for t in range(count):
        update = _step(op.update, op, t, b)
        if h is not None:
            update = b.emit(op_class("f.add"), b.emit(op_class("f.mul"), _step(op.decay, op, t, b), h), update)
        h = update
        rows.append(h)
    return rows[0] if count == 1 else b.emit(op_class("f.concat"), rows, axis=op.axis)


def _step(v: Value, op: Op, t: int, b: Builder) -> Value:
    """Row t along the recurrence's axis; the decay may lack that axis, or be the same all along."""
    axis = int(op.attrs["axis"]) - (op.results[0].type.rank - v.type.rank)  # type: ignore[arg-type]
    if axis < 0 or v.shape[axis] == 1:
        return v
    return b.emit(op_class("f.slice"), v, starts=[t], ends=[t + 1], axes=[axis], steps=[1])
