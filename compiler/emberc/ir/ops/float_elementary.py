"""Functions of one variable that are rare in networks: one op for all of them, told apart by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.op import attribute
from emberc.ir.ops.float_unary import FloatUnary
from emberc.ir.types import Array


class Elementary(FloatUnary):
    """y = the trigonometric or hyperbolic function ``kind`` of x. Source: ONNX Tan, Asin, Acos, Atan, Sinh, Cosh,
    Asinh, Acosh, Atanh."""

    opcode = "f.elementary"
    kind = attribute[str]()

    functions: ClassVar[dict[str, Callable[..., Any]]] = {
        "tan": np.tan,
        "asin": np.arcsin,
        "acos": np.arccos,
        "atan": np.arctan,
        "sinh": np.sinh,
        "cosh": np.cosh,
        "asinh": np.arcsinh,
        "acosh": np.arccosh,
        "atanh": np.arctanh,
    }

    def verify(self) -> None:
        if self.kind not in self.functions:
            raise VerifyError(f"no elementary function '{self.kind}': {', '.join(self.functions)}", at=self.loc)

    def reference(self, x: Array) -> Any:
        return self.functions[self.kind](x)
