"""Builder: appends ops to a list and folds what is already constant."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from emberc.ir.op import Op
from emberc.ir.types import Array, Quant
from emberc.ir.values import Constant, Value

O = TypeVar("O", bound=Op)  # noqa: E741

#: Folding must not turn a few bytes into a large table (an Expand of one number to a mask, say).
FOLD_LIMIT_BYTES = 1 << 26


class Builder:
    """Collects new ops in ``ops``; ``loc`` is the place that they are said to come from.

    With ``fold`` an op whose operands are all constants is evaluated at once, so shape and mask subgraphs of
    exporters never enter the graph.
    """

    def __init__(self, loc: str = "", *, fold: bool = True) -> None:
        self.ops: list[Op] = []
        self.loc = loc
        self.fold = fold

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
        present = [v for v in op.operands if v is not None]
        size = sum(r.type.nbytes for r in op.results)
        if self.fold and present and size <= FOLD_LIMIT_BYTES and all(isinstance(v, Constant) for v in present):
            with np.errstate(all="ignore"):
                arrays = op.run(*[None if v is None else v.const for v in op.operands])
            op.drop_operands()
            return [Constant(a, quant=r.type.quant) for a, r in zip(arrays, op.results, strict=True)]
        self.ops.append(op)
        return op.results

    def emit(self, cls: type[O], *operands: Any, **fields: Any) -> Value:
        """Appends an op with one result; returns it."""
        (only,) = self.add(cls, *operands, **fields)
        return only
