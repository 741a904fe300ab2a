"""Ops that combine the elements along axes: reductions, running sums, positions of extremes."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.op import Cost, Op, attribute, operand, result
from emberc.ir.types import Array, DType, TensorType


class Reduce(Op):
    """y = the sum, mean, max, min or prod (``kind``) of x over ``axes``; ``keepdims`` leaves them with size 1.
    Source: ONNX ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd."""

    opcode = "f.reduce"
    x = operand()
    kind = attribute[str]()
    axes = attribute[list[int]]()
    keepdims = attribute[bool](True)
    y = result()

    functions: ClassVar[dict[str, Any]] = {
        "sum": np.sum,
        "mean": np.mean,
        "max": np.max,
        "min": np.min,
        "prod": np.prod,
    }

    def infer(self) -> list[TensorType]:
        rank = self.x.type.rank
        if self.kind not in self.functions:
            raise VerifyError(f"reduce has no kind '{self.kind}': {', '.join(self.functions)}", at=self.loc)
        if len(set(self.axes)) != len(self.axes) or any(not 0 <= a < rank for a in self.axes):
            raise VerifyError(f"axes {self.axes} do not fit {list(self.x.shape)}", at=self.loc)
        shape = [1 if i in self.axes else s for i, s in enumerate(self.x.shape)]
        if not self.keepdims:
            shape = [s for i, s in enumerate(shape) if i not in self.axes]
        return [self.x.type.with_shape(shape)]

    def reference(self, x: Array) -> Array:
        if self.kind in ("max", "min") and any(x.shape[a] == 0 for a in self.axes):
            return np.full(self.y.shape, _identity(x.dtype, self.kind == "max"))
        return self.functions[self.kind](x, axis=tuple(self.axes), keepdims=self.keepdims)  # type: ignore[no-any-return]

    def cost(self) -> Cost:
        return Cost(elements=self.x.type.elements)


def _identity(dtype: np.dtype[Any], lowest: bool) -> Any:
    if dtype.kind == "f":
        return -np.inf if lowest else np.inf
    if dtype.kind == "b":
        return not lowest
    return np.iinfo(dtype).min if lowest else np.iinfo(dtype).max


class CumSum(Op):
    """y[i] = sum of x[0..i] along ``axis``; ``exclusive`` leaves x[i] out, ``reverse`` sums from the end.
    Source: ONNX CumSum."""

    opcode = "f.cumsum"
    x = operand()
    axis = attribute[int]()
    exclusive = attribute[bool](False)
    reverse = attribute[bool](False)
    y = result()

    def infer(self) -> list[TensorType]:
        if not 0 <= self.axis < self.x.type.rank:
            raise VerifyError(f"cumsum has no axis {self.axis} in {list(self.x.shape)}", at=self.loc)
        return [self.x.type]

    def reference(self, x: Array) -> Array:
        v = np.flip(x, self.axis) if self.reverse else x
        y = np.cumsum(v, axis=self.axis, dtype=x.dtype)
        if self.exclusive:
            y = np.roll(y, 1, self.axis)
            y[(slice(None),) * self.axis + (slice(0, 1),)] = 0
        return np.flip(y, self.axis) if self.reverse else y


class ArgMax(Op):
    """y = the position of the largest element along ``axis`` (``smallest``: of the smallest), the first of equals
    or, with ``last``, the last. Source: ONNX ArgMax, ArgMin."""

    opcode = "f.argmax"
    x = operand()
    axis = attribute[int]()
    keepdims = attribute[bool](True)
    smallest = attribute[bool](False)
    last = attribute[bool](False)
    y = result()

    def infer(self) -> list[TensorType]:
        shape = list(self.x.shape)
        if not 0 <= self.axis < len(shape):
            raise VerifyError(f"argmax has no axis {self.axis} in {shape}", at=self.loc)
        shape[self.axis : self.axis + 1] = [1] if self.keepdims else []
        return [TensorType(DType.I64, tuple(shape))]

    def reference(self, x: Array) -> Array:
        v = np.flip(x, self.axis) if self.last else x
        found = (np.argmin if self.smallest else np.argmax)(v, axis=self.axis, keepdims=self.keepdims)
        return np.asarray(x.shape[self.axis] - 1 - found if self.last else found)

    def cost(self) -> Cost:
        return Cost(elements=self.x.type.elements)


class TopK(Op):
    """The ``k`` largest elements along ``axis`` in falling order (``smallest``: the smallest, rising) and their
    positions; of equals the first stands first. Source: ONNX TopK 11."""

    opcode = "f.topk"
    x = operand()
    k = attribute[int]()
    axis = attribute[int]()
    smallest = attribute[bool](False)
    values = result()
    positions = result()

    def infer(self) -> list[TensorType]:
        shape = list(self.x.shape)
        if not 0 <= self.axis < len(shape) or not 0 <= self.k <= shape[self.axis]:
            raise VerifyError(f"topk of {self.k} along axis {self.axis} does not fit {shape}", at=self.loc)
        shape[self.axis] = self.k
        return [self.x.type.with_shape(shape), TensorType(DType.I64, tuple(shape))]

    def reference(self, x: Array) -> list[Array]:
        if self.smallest:
            order = np.argsort(x, axis=self.axis, kind="stable")
        else:  # a stable falling order: sort the reversed array rising, then reverse
            order = np.flip(np.argsort(np.flip(x, self.axis), axis=self.axis, kind="stable"), self.axis)
            order = x.shape[self.axis] - 1 - order
        order = np.take(order, np.arange(self.k), axis=self.axis)
        return [np.take_along_axis(x, order, axis=self.axis), order]

    def cost(self) -> Cost:
        return Cost(elements=self.x.type.elements)
