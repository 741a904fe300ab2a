"""Matrix product, convolution and pooling."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from emberc.errors import VerifyError
from emberc.ir.op import Cost, Op, attribute, operand, optional, result
from emberc.ir.types import TensorType


class MatMul(Op):
    """y[.., i, j] = sum_k a[.., i, k] * b[.., k, j], leading axes broadcast; a vector stands for one row (a) or one
    column (b), whose axis the result lacks. Source: ONNX MatMul, numpy.matmul."""

    opcode = "f.matmul"
    a = operand()
    b = operand()
    y = result()

    def infer(self) -> list[TensorType]:
        a, b = self.a.shape, self.b.shape
        fits = bool(a and b) and a[-1] == b[-2 if len(b) > 1 else 0]
        if not fits or self.a.type.dtype is not self.b.type.dtype:
            raise VerifyError(f"matmul of {self.a} and {self.b} does not fit", at=self.loc)
        try:
            lead = np.broadcast_shapes(a[:-2], b[:-2])
        except ValueError:
            raise VerifyError(f"matmul of {self.a} and {self.b} does not fit", at=self.loc) from None
        tail = (a[-2:-1] if len(a) > 1 else ()) + (b[-1:] if len(b) > 1 else ())
        return [TensorType(self.a.type.dtype, lead + tail)]

    def reference(self, a: Any, b: Any) -> Any:
        return np.matmul(a, b)

    def cost(self) -> Cost:
        return Cost(macs=self.y.type.elements * self.a.shape[-1])


class Window(Op):
    """A window of ``kernel`` that slides over the last axes of x, which is [N, C, D1, ..]: ``strides`` between
    windows, ``dilations`` between its elements, ``pads`` [before D1, .., after D1, ..] around x."""

    x = operand()
    strides = attribute[list[int]]()
    dilations = attribute[list[int]]()
    pads = attribute[list[int]]()
    y = result()

    def kernel_shape(self) -> list[int]:
        """Sizes of the window along D1, .."""
        raise VerifyError(f"{self.opcode} has no window", at=self.loc)

    def window_counts(self) -> list[int]:
        """Windows along D1, .. Raises VerifyError where the window does not fit at all."""
        kernel = self.kernel_shape()
        n = len(kernel)
        if self.x.type.rank != n + 2 or [len(self.strides), len(self.dilations), len(self.pads)] != [n, n, 2 * n]:
            raise VerifyError(f"a window over {n} axes does not fit {list(self.x.shape)}", at=self.loc)
        counts = []
        for i, (k, s, d) in enumerate(zip(kernel, self.strides, self.dilations, strict=True)):
            room = self.x.shape[2 + i] + self.pads[i] + self.pads[n + i] - (d * (k - 1) + 1)
            if room < 0:
                raise VerifyError(f"the window of {kernel} is larger than {list(self.x.shape)} with pads", at=self.loc)
            counts.append(room // s + 1)
        return counts

    def windows(self, x: Any, fill: float = 0) -> Any:
        """x as [N, C, windows.., kernel..]."""
        kernel = self.kernel_shape()
        n = len(kernel)
        around = [(0, 0), (0, 0), *[(self.pads[i], self.pads[n + i]) for i in range(n)]]
        padded = np.pad(x, around, constant_values=np.asarray(fill).astype(x.dtype))
        extent = [d * (k - 1) + 1 for k, d in zip(kernel, self.dilations, strict=True)]
        view = sliding_window_view(padded, extent, axis=tuple(range(2, 2 + n)))
        steps = [slice(None), slice(None), *[slice(None, None, s) for s in [*self.strides, *self.dilations]]]
        return view[tuple(steps)]


class Conv(Window):
    """y[n, m, p..] = bias[m] + sum over c, k.. of x[n, g*C' + c, p*stride + k*dilation - pad ..] * w[m, c, k..] with
    C' = C / groups channels a group and g the group of m. x is [N, C, D1, ..], w [M, C', K1, ..].
    Source: ONNX Conv."""

    opcode = "f.conv"
    w = operand()
    bias = optional()
    groups = attribute[int](1)

    def kernel_shape(self) -> list[int]:
        return list(self.w.shape[2:])

    def infer(self) -> list[TensorType]:
        m, per_group = self.w.shape[0], self.w.shape[1]
        if self.x.type.rank < 3 or self.x.shape[1] != per_group * self.groups or m % self.groups:
            raise VerifyError(f"conv of {self.x} by {self.w} in {self.groups} groups does not fit", at=self.loc)
        if self.bias is not None and self.bias.shape != (m,):
            raise VerifyError(f"conv bias is {list(self.bias.shape)}, not [{m}]", at=self.loc)
        return [self.x.type.with_shape([self.x.shape[0], m, *self.window_counts()])]

    def reference(self, x: Any, w: Any, bias: Any) -> Any:
        n = len(self.kernel_shape())
        view = self.windows(x)
        counts = view.shape[2 : 2 + n]
        # [N, g, C', windows.., kernel..] -> [N, g, windows, C' * kernel]
        view = view.reshape(x.shape[0], self.groups, -1, *view.shape[2:])
        order = [0, 1, *range(3, 3 + n), 2, *range(3 + n, 3 + 2 * n)]
        rows = view.transpose(order).reshape(x.shape[0], self.groups, prod(counts), -1)
        weights = w.reshape(self.groups, -1, rows.shape[-1]).transpose(0, 2, 1)
        y = np.matmul(rows, weights).transpose(0, 1, 3, 2).reshape(x.shape[0], -1, *counts)
        return y if bias is None else y + bias.reshape(-1, *[1] * n)

    def cost(self) -> Cost:
        return Cost(macs=self.y.type.elements * prod(self.w.shape[1:]))


class Pool(Window):
    """y = the max or mean (``kind``) of every window; ``count_pads`` lets padding count in a mean.
    Source: ONNX MaxPool, AveragePool."""

    opcode = "f.pool"
    kind = attribute[str]()
    kernel = attribute[list[int]]()
    count_pads = attribute[bool](False)

    def kernel_shape(self) -> list[int]:
        return self.kernel

    def infer(self) -> list[TensorType]:
        if self.kind not in ("max", "mean"):
            raise VerifyError(f"pool has no kind '{self.kind}'", at=self.loc)
        return [self.x.type.with_shape([*self.x.shape[:2], *self.window_counts()])]

    def reference(self, x: Any) -> Any:
        axes = tuple(range(-len(self.kernel), 0))
        if self.kind == "max":
            lowest = -np.inf if self.x.type.dtype.is_float else self.x.type.dtype.limits[0]
            return np.max(self.windows(x, lowest), axis=axes)
        count = prod(self.kernel) if self.count_pads else self.windows(np.ones_like(x)).sum(axis=axes)
        return self.windows(x).sum(axis=axes) / count

    def cost(self) -> Cost:
        return Cost(elements=self.y.type.elements * prod(self.kernel))
