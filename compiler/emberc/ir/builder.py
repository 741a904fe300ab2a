"""Builder: appends ops to a list and folds what is already constant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from emberc.ir.op import Op
from emberc.ir.types import Array, Quant
from emberc.ir.values import Constant, Value

O = TypeVar("O", bound=Op)  # noqa: E741

#: Folding must not turn a few bytes into a large table (an Expand of one number to a mask, say).
FOLD_LIMIT_BYTES = 1 << 26
#: What one builder folds in all, for the same reason; what is left computes at run time.
FOLD_TOTAL_BYTES = 1 << 31


class Builder:
    """Collects new ops in ``ops``; ``loc`` is the place that they are said to come from.

    With ``fold`` an op whose operands are all constants is evaluated at once, so shape and mask subgraphs of
    exporters never enter the graph. ``check`` is shown every op before anything computes it, and may refuse it.
    """

    def __init__(self, loc: str = "", *, fold: bool = True, check: Callable[[Op], None] | None = None) -> None:
        self.ops: list[Op] = []
        self.loc = loc
        self.fold = fold
        self.check = check
        self.folded = 0  # bytes

    def const(self, data: Array | float | int, name: str | None = None, quant: Quant | None = None) -> Constant:
        """A constant; Python floats become f32, Python ints i64."""
        if isinstance(data, float):
            data = np.asarray(data, np.float32)
        elif isinstance(data, int):
            data = np.asarray(data, np.int64)
        return Constant(data, name, quant)

    def add(self, cls: type[O], *operands: Any, **fields: Any) -> list[Value]:
        """Appends an op; returns its results."""
        op = cls(*operands, **{"loc": self.loc, **fields})
        if self.check:
            self.check(op)
        if self.fold and self._folds(op):
            with np.errstate(all="ignore"):
                arrays = op.run(*[None if v is None else v.const for v in op.operands])
            op.drop_operands()
            return [Constant(a, quant=r.type.quant) for a, r in zip(arrays, op.results, strict=True)]
        self.ops.append(op)
        return op.results

    def _folds(self, op: Op) -> bool:
        """Whether the op is computed here and now; counts its bytes if so."""
        present = [v for v in op.operands if v is not None]
        size = sum(r.type.nbytes for r in op.results)
        room = min(FOLD_LIMIT_BYTES, FOLD_TOTAL_BYTES - self.folded)
        if not present or size > room or not all(isinstance(v, Constant) for v in present):
            return False
        self.folded += size
        return True

    def emit(self, cls: type[O], *operands: Any, **fields: Any) -> Value:
        """Appends an op with one result; returns it."""
        (only,) = self.add(cls, *operands, **fields)
        return only
