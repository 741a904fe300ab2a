"""How many instructions a plan takes, modelled: enough to tell one configuration from another before anything is built.

The rates are what ``emberc bench kernels --baseline`` counts on Cortex-M7, Cortex-M55 and RV32IMC, rounded. What they
leave out (kernel parameters, calls) is the same for every configuration of a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from emberc.backend.c.kernels import PORTABLE
from emberc.backend.c.program import Kernels
from emberc.backend.planning import FunctionPlan
from emberc.ir.op import Op
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.integer_matmul import BatchMatmul, Matmul
from emberc.ir.ops.row_tiles import RowTiles


class Rate(NamedTuple):
    """Instructions per MAC of a product with weights, of attention, of attention of int16 (whose sums take 64 bits), of
    two activations; per element of other work; per weight and call (rows left over, entering blocks); the same to
    unpack a weight; per element of K and V that attention packs, which it does for every ``chunk`` query rows (0: once
    a call)."""

    product: float
    attention: float
    attention16: float
    activations: float
    element: float
    weight: float
    unpack: float
    key: float
    chunk: int


RATES = {
    PORTABLE: Rate(2.7, 3.5, 8.5, 8.4, 25.0, 0.4, 18.0, 0.0, 0),
    "armv7em": Rate(0.93, 0.84, 1.03, 0.76, 7.0, 0.45, 8.5, 1.2, 16),
    "mve": Rate(0.12, 0.24, 0.47, 0.22, 3.5, 0.1, 0.0, 0.7, 0),
    "rv32": Rate(2.3, 3.0, 13.8, 2.8, 12.0, 0.4, 0.0, 0.0, 0),
}


@dataclass(frozen=True)
class Work:
    """The instructions of one run of a model, on the kernels that a plan takes."""

    kernels: Kernels

    def of_plan(self, plan: FunctionPlan) -> float:
        """All ops of the plan, those in loops for every tile."""
        return sum(self._of(op, plan.body(op)) for op in plan.ops if not op.is_view)

    def _of(self, op: Op, body: FunctionPlan | None) -> float:
        if body is not None:
            times = op.total() // op.rows if isinstance(op, RowTiles) else 1
            return times * self.of_plan(body)
        return self._call(op)

    def _call(self, op: Op) -> float:
        rate, cost = self._rate(op), op.cost()
        if isinstance(op, Matmul):
            once = rate.weight + (rate.unpack if op.w.packed else 0.0)
            return rate.product * cost.macs + once * op.w.type.elements
        if isinstance(op, Attention):
            packed = 2 * op.k.shape[-2] * op.heads * op.head_dim
            times = max(1, op.q.shape[-2] // rate.chunk) if rate.chunk else 1
            each = rate.attention if op.bits == 8 else rate.attention16
            return each * cost.macs + rate.key * packed * times
        if isinstance(op, BatchMatmul):
            return rate.activations * cost.macs
        return rate.product * cost.macs + rate.element * cost.elements

    def _rate(self, op: Op) -> Rate:
        parts = self.kernels.of(op).function.split("_")
        return next((RATES[p] for p in reversed(parts) if p in RATES), RATES[PORTABLE])


def modelled_instructions(plan: FunctionPlan, isa: Sequence[str]) -> int:
    """Instructions of one run of ``plan`` on a target with the features ``isa``; about a tenth off at most on what was
    measured, for one plan against another of the same model much less."""
    return round(Work(Kernels(isa, plan.plain)).of_plan(plan))
