"""Convolution along rows: channels last, as the integer kernels want it."""

from __future__ import annotations

from typing import Any

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.op import Cost, Op, attribute, operand, optional, result
from emberc.ir.types import DType, TensorType

_F = (DType.F32, DType.F64)


class DepthwiseRows(Op):
    """y[b, t, c] = bias[c] + sum_k x[b, t + k * dilation - before, c] * w[k, c], x being 0 outside its rows.

    ``before`` and ``after`` rows of zeros lie around x; either may be negative, then rows of x are left out.
    Source: ONNX Conv in one dimension with as many groups as channels, channels last.
    """

    opcode = "f.depthwise_rows"
    x = operand(*_F)  # [B, L, C]
    w = operand(*_F)  # [K, C]
    bias = optional(*_F)  # [C]
    before = attribute[int](0)
    after = attribute[int](0)
    dilation = attribute[int](1)
    y = result()

    def infer(self) -> list[TensorType]:
        if self.x.type.rank != 3 or self.w.type.rank != 2 or self.x.shape[2] != self.w.shape[1]:
            raise VerifyError(f"x is {list(self.x.shape)}, w is {list(self.w.shape)}", at=self.loc)
        rows = self.x.shape[1] + self.before + self.after - (self.w.shape[0] - 1) * self.dilation
        if rows < 1:
            raise VerifyError(f"a window of {self.w.shape[0]} rows does not fit {list(self.x.shape)}", at=self.loc)
        return [self.x.type.with_shape((self.x.shape[0], rows, self.x.shape[2]))]

    def reference(self, x: Any, w: Any, bias: Any) -> Any:
        y = depthwise(x, w, self.before, self.y.shape[1], self.dilation)
        return y if bias is None else y + bias

    def cost(self) -> Cost:
        return Cost(macs=self.y.type.elements * self.w.shape[0])


def depthwise(x: Any, w: Any, before: int, rows: int, dilation: int) -> Any:
    """The sum over k of x[:, t + k * dilation - before] * w[k] for t < rows; [B, rows, C], of w's element type."""
    y = np.zeros((x.shape[0], rows, x.shape[2]), w.dtype)
    for k in range(len(w)):
        first = k * dilation - before
        start, end = max(0, -first), min(rows, x.shape[1] - first)
        if start < end:
            y[:, start:end] += x[:, start + first : end + first].astype(w.dtype) * w[k]
    return y
