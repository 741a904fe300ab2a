"""Convolution and pooling with channels last, as the integer kernels want them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.op import Cost, attribute, operand, optional, result
from emberc.ir.types import DType, TensorType
from emberc.ir.windows import WindowFields, Windows

_F = (DType.F32, DType.F64)


class ConvRows(WindowFields):
    """y[b, p.., m] = bias[m] + sum over k.., c of x[b, p*stride + k*dilation - pad .., g*C' + c] * w[m, k.., c].

    C' = C / groups, g the group of m; x is 0 outside. One or two axes. Source: ONNX Conv, channels last.
    """

    opcode = "f.conv_rows"
    x = operand(*_F)  # [B, D1, .., C]
    w = operand(*_F)  # [M, K1, .., C']
    bias = optional(*_F)  # [M]
    groups = attribute[int](1)
    y = result()

    def windows(self) -> Windows:
        """Its geometry."""
        return Windows.of(self, self.w.shape[1:-1])

    def infer(self) -> list[TensorType]:
        m = self.w.shape[0]
        counts = self.windows().counts(self.x.shape, self.loc)
        if self.x.shape[-1] != self.w.shape[-1] * self.groups or m % self.groups:
            raise VerifyError(f"conv of {self.x} by {self.w} in {self.groups} groups does not fit", at=self.loc)
        if self.bias is not None and self.bias.shape != (m,):
            raise VerifyError(f"conv bias is {list(self.bias.shape)}, not [{m}]", at=self.loc)
        return [self.x.type.with_shape((self.x.shape[0], *counts, m))]

    def reference(self, x: Any, w: Any, bias: Any) -> Any:
        rows = group_rows(self.windows().patches(x, 0), self.groups)
        parts = w.reshape(self.groups, -1, prod(w.shape[1:]))
        y = np.concatenate([rows[g] @ parts[g].T for g in range(self.groups)], axis=-1)
        return (y if bias is None else y + bias).reshape(self.y.shape)

    def cost(self) -> Cost:
        return Cost(macs=self.y.type.elements * prod(self.w.shape[1:]))


class PoolRows(WindowFields):
    """y = the max or mean (``kind``) of every window; ``count_pads`` lets padding count in a mean.
    Source: ONNX MaxPool, AveragePool, channels last."""

    opcode = "f.pool_rows"
    x = operand(*_F)  # [B, D1, .., C]
    kernel = attribute[list[int]]()
    kind = attribute[str]()
    count_pads = attribute[bool](False)
    y = result()

    def windows(self) -> Windows:
        """Its geometry."""
        return Windows.of(self, tuple(self.kernel))

    def infer(self) -> list[TensorType]:
        if self.kind not in ("max", "mean"):
            raise VerifyError(f"pool has no kind '{self.kind}'", at=self.loc)
        counts = self.windows().counts(self.x.shape, self.loc)
        return [self.x.type.with_shape((self.x.shape[0], *counts, self.x.shape[-1]))]

    def reference(self, x: Any) -> Any:
        windows = self.windows()
        n = len(self.kernel)
        axes = tuple(range(1 + n, 1 + 2 * n))
        if self.kind == "max":
            return windows.patches(x, -np.inf).max(axis=axes)
        count = windows.size if self.count_pads else windows.valid(x.shape)[..., None]
        return windows.patches(x, 0).sum(axis=axes) / count

    def cost(self) -> Cost:
        return Cost(elements=self.y.type.elements * prod(self.kernel))


def group_rows(patches: Any, groups: int) -> Any:
    """[B, windows.., kernel.., C] -> [groups, rows, kernel * C / groups]: what a product with the weights reads."""
    channels = patches.shape[-1]
    window = (patches.ndim - 2) // 2
    size = prod(patches.shape[1 + window : -1])
    parts = patches.reshape(-1, size, groups, channels // groups)
    return np.moveaxis(parts, 2, 0).reshape(groups, -1, size * (channels // groups))
