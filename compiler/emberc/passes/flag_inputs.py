"""flag-inputs: a float input that masks scores and has two values becomes a truth value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.graph import Function, Module
from emberc.ir.op import op_class
from emberc.ir.types import Array
from emberc.ir.values import Value
from emberc.passes.manager import Pass
from emberc.passes.masks import HUGE, huge_inside
from emberc.passes.two_valued import ELEMENTWISE, MOVES
from emberc.quant.calibration import CalibrationData
from emberc.quant.precision import LARGEST_RANGE


@dataclass(frozen=True)
class FlagInputs(Pass):
    """m  -->  cast(m > 0.5)              where m is 0 or 1 in every sample, and hides scores of a softmax
    m  -->  where(m > n / 2, 0, n)     where it is 0 or one huge negative number n

    What a float input holds only its samples tell. As reals, the mask's huge numbers would leave one integer to all
    scores that are seen; as truth values they are what the other mask passes read.
    """

    name: ClassVar[str] = "flag-inputs"

    def run(self, module: Module) -> bool:
        data = module.calibration
        if not isinstance(data, CalibrationData) or data.synthetic:
            return False
        changed = False
        for v in module.main.caller_inputs():
            if not v.type.dtype.is_float or not _hides(v, huge=True):
                continue
            values = np.unique([np.asarray(s[v.name or ""]) for s in (*data.samples, *data.held)])
            if set(values) <= {0, 1} and _hides(v, huge=False):
                _insert(module.main, v, 0.5, None)
                module.notes.append(f"input '{v.name}' is 0 or 1 in every sample: a mask, true above 0.5")
                changed = True
            elif len(values) == 2 and values[0] <= HUGE and values[1] == 0:
                _insert(module.main, v, max(float(values[0]) / 2, -LARGEST_RANGE / 8), values[0])
                module.notes.append(f"input '{v.name}' is 0 or {values[0]:.3g} in every sample: a mask, true at 0")
                changed = True
        return changed


def _hides(v: Value, *, huge: bool) -> bool:
    """Whether softmax reads ``v`` through elementwise ops; unless ``huge`` already, its logarithm is taken on the way,
    or a huge number multiplied or chosen."""
    waiting, seen = [(v, huge)], set()
    while waiting:
        value, large = waiting.pop()
        for op in value.users:
            if op.opcode == "f.softmax" and large:
                return True
            if (op.opcode in MOVES or op.opcode in ELEMENTWISE) and (id(op), large) not in seen:
                seen.add((id(op), large))
                waiting.append((op.result, large or op.opcode == "f.log" or any(map(huge_inside, op.operands))))
    return False


def _insert(function: Function, v: Value, border: float, below: Array | None) -> None:
    """What reads ``v`` reads 1 where it is above ``border`` and 0 elsewhere; with ``below``, 0 and ``below``."""
    b, kind, readers = Builder(), v.type.dtype, list(v.users)
    flag = b.emit(op_class("f.greater"), v, b.const(np.array(border, kind.numpy)))
    if below is None:
        flag = b.emit(op_class("f.cast"), flag, to=kind.value)
    else:
        flag = b.emit(op_class("f.where"), flag, *(b.const(np.array(n, kind.numpy)) for n in (0, below)))
    for op in readers:
        for i, operand in enumerate(op.operands):
            if operand is v:
                op.set_operand(i, flag)
    function.ops = [*b.ops, *function.ops]
