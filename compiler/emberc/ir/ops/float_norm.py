"""Ops that normalise along an axis: softmax, layer normalization, RMS normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.op import Cost, Op, attribute, operand, optional, result
from emberc.ir.ops.float_unary import FLOATS
from emberc.ir.types import TensorType


class Softmax(Op):
    """y = e^(x - max x) / sum e^(x - max x) along ``axis``; a row of -inf gives NaN. Source: ONNX Softmax 13."""

    opcode = "f.softmax"
    x = operand(*FLOATS)
    axis = attribute[int]()
    y = result()
    inplace = {"y": ("x",)}

    def infer(self) -> list[TensorType]:
        if not 0 <= self.axis < self.x.type.rank:
            raise VerifyError(f"softmax has no axis {self.axis} in {list(self.x.shape)}", at=self.loc)
        return [self.x.type]

    def reference(self, x: Any) -> Any:
        e = np.exp(x - x.max(axis=self.axis, keepdims=True))
        return e / e.sum(axis=self.axis, keepdims=True)

    def cost(self) -> Cost:
        return Cost(elements=4 * self.x.type.elements)


class Norm(Op):
    """Normalises over the axes from ``axis`` to the last; scale and bias broadcast to those axes."""

    x = operand(*FLOATS)
    scale = operand(*FLOATS)
    axis = attribute[int]()
    eps = attribute[float](1e-5)
    y = result()
    inplace = {"y": ("x",)}

    def infer(self) -> list[TensorType]:
        inner = self.x.shape[self.axis :]
        if not 0 <= self.axis < self.x.type.rank:
            raise VerifyError(f"norm has no axis {self.axis} in {list(self.x.shape)}", at=self.loc)
        for name, v in self.named_operands()[1:]:
            s = (1,) * (len(inner) - v.type.rank) + v.shape
            whole = self.x.shape[self.x.type.rank - len(s) :]
            if len(s) > self.x.type.rank or any(a not in (1, b) for a, b in zip(s, whole, strict=True)):
                raise VerifyError(f"{name} {list(v.shape)} does not fit the normalised axes {list(inner)}", at=self.loc)
        return [self.x.type]

    def cost(self) -> Cost:
        return Cost(elements=6 * self.x.type.elements)


class LayerNorm(Norm):
    """y = (x - mean x) / sqrt(var x + eps) * scale + bias, mean and (biased) variance over the axes from ``axis``
    on. Source: Ba et al. 2016; ONNX LayerNormalization 17."""

    opcode = "f.layer_norm"
    bias = optional(*FLOATS)

    def reference(self, x: Any, scale: Any, bias: Any) -> Any:
        axes = tuple(range(self.axis, x.ndim))
        v = x.astype(np.float64)
        d = v - v.mean(axis=axes, keepdims=True)
        y = d / np.sqrt((d * d).mean(axis=axes, keepdims=True) + self.eps) * scale
        return y if bias is None else y + bias


class RMSNorm(Norm):
    """y = x / sqrt(mean x^2 + eps) * scale over the axes from ``axis`` on.
    Source: Zhang and Sennrich 2019; ONNX RMSNormalization 23."""

    opcode = "f.rms_norm"

    def reference(self, x: Any, scale: Any) -> Any:
        v = x.astype(np.float64)
        square = (v * v).mean(axis=tuple(range(self.axis, x.ndim)), keepdims=True)
        return v / np.sqrt(square + self.eps) * scale
