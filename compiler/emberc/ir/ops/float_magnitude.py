"""The length of vectors of two components, as spectrograms take it of real and imaginary parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.op import Op, operand, result
from emberc.ir.types import DType, TensorType

_F = (DType.F32, DType.F64)


class Magnitude(Op):
    """z = sqrt(x * x + y * y), elementwise, x and y of one shape. Source: ONNX Sqrt, Add and Mul together."""

    opcode = "f.magnitude"
    x = operand(*_F)
    y = operand(*_F)
    z = result()

    def infer(self) -> list[TensorType]:
        if self.x.type != self.y.type:
            raise VerifyError(f"magnitude of {self.x} and {self.y}", at=self.loc)
        return [self.x.type]

    def reference(self, x: Any, y: Any) -> Any:
        return np.sqrt(x * x + y * y)
