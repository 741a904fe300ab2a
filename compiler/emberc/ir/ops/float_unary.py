"""Elementwise float ops of one operand. Formulas are those of the ONNX operators of the same name."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from emberc.errors import VerifyError
from emberc.ir.op import Op, attribute, operand, result
from emberc.ir.types import Array, DType, TensorType

FLOATS = (DType.F32, DType.F64)


class Unary(Op):
    """y = f(x), elementwise, any element type."""

    x = operand()
    y = result()
    inplace = {"y": ("x",)}

    def infer(self) -> list[TensorType]:
        return [self.x.type]


class FloatUnary(Unary):
    """y = f(x), elementwise, floats only."""

    x = operand(*FLOATS)


class Neg(Unary):
    """y = -x. Source: ONNX Neg."""

    opcode = "f.neg"

    def reference(self, x: Array) -> Array:
        return np.negative(x)


class Abs(Unary):
    """y = |x|. Source: ONNX Abs."""

    opcode = "f.abs"

    def reference(self, x: Array) -> Array:
        return np.abs(x)


class Sign(Unary):
    """y = -1, 0 or 1. Source: ONNX Sign."""

    opcode = "f.sign"

    def reference(self, x: Array) -> Array:
        return np.sign(x)


class Relu(Unary):
    """y = max(x, 0). Source: ONNX Relu."""

    opcode = "f.relu"

    def reference(self, x: Array) -> Array:
        return np.maximum(x, np.zeros((), x.dtype))


class Floor(FloatUnary):
    """y = the largest integer <= x. Source: ONNX Floor."""

    opcode = "f.floor"

    def reference(self, x: Array) -> Array:
        return np.floor(x)


class Round(FloatUnary):
    """y = the nearest integer, ties to even. Source: ONNX Round."""

    opcode = "f.round"

    def reference(self, x: Array) -> Array:
        return np.rint(x)


class Exp(FloatUnary):
    """y = e^x. Source: ONNX Exp."""

    opcode = "f.exp"

    def reference(self, x: Array) -> Array:
        return np.exp(x)


class Log(FloatUnary):
    """y = ln x. Source: ONNX Log."""

    opcode = "f.log"

    def reference(self, x: Array) -> Array:
        return np.log(x)


class Sqrt(FloatUnary):
    """y = x^(1/2). Source: ONNX Sqrt."""

    opcode = "f.sqrt"

    def reference(self, x: Array) -> Array:
        return np.sqrt(x)


class Reciprocal(FloatUnary):
    """y = 1 / x. Source: ONNX Reciprocal."""

    opcode = "f.reciprocal"

    def reference(self, x: Array) -> Array:
        return np.reciprocal(x)


class Sin(FloatUnary):
    """y = sin x, x in radians. Source: ONNX Sin."""

    opcode = "f.sin"

    def reference(self, x: Array) -> Array:
        return np.sin(x)


class Cos(FloatUnary):
    """y = cos x, x in radians. Source: ONNX Cos."""

    opcode = "f.cos"

    def reference(self, x: Array) -> Array:
        return np.cos(x)


class Erf(FloatUnary):
    """y = 2/sqrt(pi) * integral of e^(-t^2) from 0 to x. Source: ONNX Erf."""

    opcode = "f.erf"

    def reference(self, x: Array) -> Array:
        return erf(x)


class Tanh(FloatUnary):
    """y = tanh x. Source: ONNX Tanh."""

    opcode = "f.tanh"

    def reference(self, x: Array) -> Array:
        return np.tanh(x)


class Sigmoid(FloatUnary):
    """y = 1 / (1 + e^-x). Source: ONNX Sigmoid."""

    opcode = "f.sigmoid"

    def reference(self, x: Any) -> Any:
        return sigmoid(x)


class Silu(FloatUnary):
    """y = x / (1 + e^-x), also called swish. Source: Elfwing et al. 2018, section 2; ONNX Swish with alpha 1."""

    opcode = "f.silu"

    def reference(self, x: Any) -> Any:
        return x * sigmoid(x)


class Softplus(FloatUnary):
    """y = ln(1 + e^x). Source: ONNX Softplus."""

    opcode = "f.softplus"

    def reference(self, x: Array) -> Array:
        return np.logaddexp(x, np.zeros((), x.dtype))


class Gelu(FloatUnary):
    """y = x * Phi(x), Phi the normal distribution: 0.5 x (1 + erf(x / sqrt 2)) for ``approximate`` "none",
    0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) for "tanh". Source: Hendrycks and Gimpel 2016; ONNX Gelu."""

    opcode = "f.gelu"
    approximate = attribute[str]("none")

    def verify(self) -> None:
        if self.approximate not in ("none", "tanh"):
            raise VerifyError(f"gelu has no approximation '{self.approximate}'", at=self.loc)

    def reference(self, x: Array) -> Any:
        v = x.astype(np.float64)
        if self.approximate == "tanh":
            gate = np.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3))
        else:
            gate = erf(v * math.sqrt(0.5))
        return 0.5 * v * (1 + gate)


class IsNaN(FloatUnary):
    """y = x is not a number. Source: ONNX IsNaN."""

    opcode = "f.isnan"

    def infer(self) -> list[TensorType]:
        return [self.x.type.with_dtype(DType.BOOL)]

    def reference(self, x: Array) -> Array:
        return np.isnan(x)


class Not(Unary):
    """y = not x. Source: ONNX Not."""

    opcode = "f.not"
    x = operand(DType.BOOL)

    def reference(self, x: Array) -> Array:
        return np.logical_not(x)


class Clip(Unary):
    """y = min(max(x, lo), hi); either bound may be absent (none). Source: ONNX Clip."""

    opcode = "f.clip"
    lo = attribute[float | int | None](None)
    hi = attribute[float | int | None](None)

    def reference(self, x: Array) -> Array:
        y = x if self.lo is None else np.maximum(x, np.asarray(self.lo, x.dtype))
        return y if self.hi is None else np.minimum(y, np.asarray(self.hi, x.dtype))


class Cast(Unary):
    """y = x as element type ``to``: floats to integers truncate toward zero, anything but 0 is true.
    Source: ONNX Cast."""

    opcode = "f.cast"
    to = attribute[str]()
    inplace = {}

    def infer(self) -> list[TensorType]:
        return [TensorType(DType(self.to), self.x.shape)]

    def reference(self, x: Array) -> Array:
        return x.astype(DType(self.to).numpy)


def sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x), written so that e^-x never overflows."""
    tail = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + tail), tail / (1 + tail))


_STEPS = 128  # nodes per unit of x: the third-order remainder below is then under 1e-9
_LAST = 6  # erf(6) is 1 in double precision
_NODE = np.arange(_LAST * _STEPS + 1) / _STEPS
_ERF = np.array([math.erf(t) for t in _NODE])
_SLOPE = 2 / math.sqrt(math.pi) * np.exp(-(_NODE**2))


def erf(x: Array) -> NDArray[np.float64]:
    """The error function in double precision, absolute error below 1e-9.

    Taylor series of third order about the nearest node of a table; derivatives follow from
    erf' = 2/sqrt(pi) e^(-t^2), erf'' = -2t erf', erf''' = (4t^2 - 2) erf'.
    """
    a = np.minimum(np.abs(x.astype(np.float64)), _LAST)
    k = np.rint(np.nan_to_num(a) * _STEPS).astype(np.int64)
    t, d = _NODE[k], a - _NODE[k]
    y = _ERF[k] + _SLOPE[k] * d * (1 - t * d + (4 * t * t - 2) / 6 * d * d)
    return cast(NDArray[np.float64], np.copysign(y, x))
