"""A whole expression of one variable as one op, so that firmware has one table for it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.op import OPS, Op, attribute
from emberc.ir.ops.float_unary import FloatUnary
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Value


class Pointwise(FloatUnary):
    """y = f(x), f written as ``steps``: step 0 is x, and each further one is a number "0.5" (of x's element type;
    "1:i64" of another), or an elementwise op on earlier steps, "f.clip 2 {"lo": 0}". The last one is y.
    Source: the ops themselves."""

    opcode = "f.pointwise"
    steps = attribute[list[str]]()

    def verify(self) -> None:
        if not self.steps:
            raise VerifyError("an expression without steps", at=self.loc)
        self.program()

    def program(self) -> list[Op | Array]:
        """The steps as ops on scalars, and constants. Raises VerifyError for a step that is none."""
        kinds = [self.x.type.dtype]
        out: list[Op | Array] = []
        for step in self.steps:
            try:
                found = self._parsed(step, kinds)
            except (ValueError, TypeError, AttributeError) as e:
                raise VerifyError(f"step '{step}' is no number and no op: {e}", at=self.loc) from e
            out.append(found)
            kinds.append(found.results[0].type.dtype if isinstance(found, Op) else DType.of(found.dtype))
        if kinds[-1] is not self.x.type.dtype:
            raise VerifyError(f"the expression gives {kinds[-1].value}", at=self.loc)
        return out

    def _parsed(self, step: str, kinds: list[DType]) -> Op | Array:
        head, _, rest = step.partition(" ")
        if head not in OPS:
            number, _, kind = head.partition(":")
            return np.asarray(float(number), (DType(kind) if kind else kinds[0]).numpy)
        places, brace, attrs = rest.partition("{")
        ids = [int(i) for i in places.split()]
        if any(not 0 <= i < len(kinds) for i in ids):
            raise VerifyError(f"step '{step}' reads a later one", at=self.loc)
        operands = [Value(TensorType(kinds[i], ())) for i in ids]
        op = OPS[head](*operands, **json.loads(brace + attrs or "{}"))
        op.loc = " ".join(map(str, ids))
        return op

    def reference(self, x: Array) -> Any:
        values: list[Any] = [x]
        for step in self.program():
            values.append(step.reference(*[values[int(i)] for i in step.loc.split()]) if isinstance(step, Op) else step)
        return np.broadcast_to(values[-1], x.shape).astype(x.dtype)
