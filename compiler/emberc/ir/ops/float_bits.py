"""Ops on the bits of integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.op import Op, attribute, operand, result
from emberc.ir.ops.float_binary import Binary
from emberc.ir.types import Array, DType, TensorType


class Bitwise(Binary):
    """y = a ``kind`` b on the bits of integers: and, or, xor, left (a << b), right (a >> b, which copies the sign).
    Source: ONNX BitwiseAnd, BitwiseOr, BitwiseXor, BitShift."""

    opcode = "f.bitwise"
    kind = attribute[str]()

    functions: ClassVar[dict[str, Callable[..., Any]]] = {
        "and": np.bitwise_and,
        "or": np.bitwise_or,
        "xor": np.bitwise_xor,
        "left": np.left_shift,
        "right": np.right_shift,
    }

    def verify(self) -> None:
        if self.kind not in self.functions:
            raise VerifyError(f"no bitwise op '{self.kind}': {', '.join(self.functions)}", at=self.loc)
        if not self.a.type.dtype.is_integer:
            raise VerifyError(f"bits of {self.a.type.dtype.value} values", at=self.loc)

    def reference(self, a: Array, b: Array) -> Any:
        return self.functions[self.kind](a, b)


class Bitcast(Op):
    """y = the bytes of x as element type ``to`` of the same size. Source: ONNX BitCast."""

    opcode = "f.bitcast"
    x = operand()
    to = attribute[str]()
    y = result()

    def infer(self) -> list[TensorType]:
        to = DType(self.to)
        if to.size != self.x.type.dtype.size:
            raise VerifyError(f"{self.x.type.dtype.value} and {self.to} differ in size", at=self.loc)
        return [TensorType(to, self.x.shape)]

    def reference(self, x: Array) -> Array:
        return np.ascontiguousarray(x).view(DType(self.to).numpy).reshape(self.y.shape)
