"""What streaming adds: a sum that goes on from step to step, a cache of rows, and a window over the last ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emberc.errors import UsageError
from emberc.ir.arithmetic import clamp, requantize, wide
from emberc.ir.op import Cost, attribute, operand, result
from emberc.ir.ops.integer_base import QUANTIZED, IntegerOp
from emberc.ir.types import Array, DType, TensorType


class RunningSum(IntegerOp):
    """total = initial + sum over axis of (x - zx);  y = clamp(requantize(total, m, shift, zero_point)).

    q.reduce_sum in pieces: after ``limit`` rows in all, total and y are those of the whole. The axis stays, with size
    1. Rows beyond ``limit`` would break the proof that the sum fits; it then wraps, in every kernel alike.
    Source: as q.reduce_sum.
    """

    opcode = "q.running_sum"
    x = operand(*QUANTIZED)
    initial = operand(DType.I32)
    axis = attribute[int]()
    limit = attribute[int]()
    zx = attribute[int](0)
    m = attribute[int]()
    shift = attribute[int](0)
    zero_point = attribute[int](0)
    dtype = attribute[str]("i8")
    y = result()
    total = result()
    inplace = {"total": ("initial",)}

    def infer(self) -> list[TensorType]:
        s = self.x.shape
        self.require(0 <= self.axis < len(s), f"no axis {self.axis} in {list(s)}")
        shape = (*s[: self.axis], 1, *s[self.axis + 1 :])
        self.require(self.initial.shape == shape, f"initial is {list(self.initial.shape)}, must be {list(shape)}")
        return [TensorType(self.out_dtype(*QUANTIZED), shape), TensorType(DType.I32, shape)]

    def verify(self) -> None:
        self.require_word("m")
        self.require_range("zx", *self.x.type.dtype.limits)
        self.require_range("shift", 0, 31)
        self.require_range("zero_point", *DType.I16.limits)
        lo, hi = ((end - self.zx) * self.limit << self.shift for end in self.x.type.dtype.limits)
        self.require_int32("the shifted sum", lo, hi)

    def reference(self, x: Array, initial: NDArray[np.int32]) -> tuple[Array, Array]:
        rows = (wide(x) - self.zx).sum(axis=self.axis, keepdims=True)
        total = (wide(initial) + rows).astype(np.int32)
        # (the shift wraps too once the promised number of rows is exceeded)
        shifted = (wide(total) << self.shift).astype(np.int32)
        return clamp(requantize(wide(shifted), self.m, 0, self.zero_point), self.out_dtype(*QUANTIZED)), total

    def cost(self) -> Cost:
        return Cost(elements=self.x.type.elements)


class Cache(IntegerOp):
    """y = x with rows position .. position + R - 1 replaced: y[b, position + r] = rows[b, r].

    Keys and values of attention, kept from step to step. A row outside the cache is an error: the kernel returns
    EMBER_ERR_RANGE, the reference raises UsageError. Source: the key-value cache of autoregressive decoding, Shazeer,
    2019, section 2.4.
    """

    opcode = "q.cache"
    x = operand()  # [B, capacity, columns]
    rows = operand()  # [B, R, columns]
    position = operand(DType.I32)  # [1]
    y = result()
    inplace = {"y": ("x",)}

    def infer(self) -> list[TensorType]:
        x, rows = self.x.type, self.rows.type
        fits = x.rank == 3 == rows.rank and x.shape[::2] == rows.shape[::2] and rows.shape[1] <= x.shape[1]
        self.require(fits and x.dtype is rows.dtype, f"rows {self.rows} do not fit into {self.x}")
        self.require(self.position.shape == (1,), "position must be one number")
        return [x]

    def reference(self, x: Array, rows: Array, position: NDArray[np.int32]) -> Array:
        first, count = int(position[0]), rows.shape[1]
        if first < 0 or first + count > x.shape[1]:
            raise UsageError(f"row {first} is outside a cache of {x.shape[1]} rows", at=self.loc)
        y = x.copy()
        y[:, first : first + count] = rows
        return y

    def cost(self) -> Cost:
        return Cost(elements=self.rows.type.elements)

    def kernel(self) -> str:
        return "ember_cache"


class Slide(IntegerOp):
    """y = (x ++ rows) without its first rows: as many as x has are left, the new ones last. All along ``axis``.

    What windows over time reach back to, kept from step to step together with the step's own rows, so that the op with
    the window reads the state itself. It is shifted and not a ring: kernels that read rows in their order stay as they
    are, and a shift moves each byte once. Source: the dilation queues of Paine et al., 2016 (Fast WaveNet), as a line.
    """

    opcode = "q.slide"
    x = operand()  # [.., N, ..]
    rows = operand()  # [.., R, ..], R <= N
    axis = attribute[int](1)
    y = result()
    inplace = {"y": ("x",)}

    def infer(self) -> list[TensorType]:
        x, rows, axis = self.x.type, self.rows.type, self.axis
        self.require(0 <= axis < x.rank, f"no axis {axis} in {list(x.shape)}")
        fits = rows.rank == x.rank and rows.shape[axis] <= x.shape[axis] and rows.dtype is x.dtype
        others = [[n for i, n in enumerate(t.shape) if i != axis] for t in (x, rows)]
        self.require(fits and others[0] == others[1], f"rows {self.rows} do not fit into {self.x}")
        return [x]

    def reference(self, x: Array, rows: Array) -> Array:
        both = np.concatenate([x, rows], self.axis)
        return np.take(both, range(rows.shape[self.axis], both.shape[self.axis]), self.axis)

    def cost(self) -> Cost:
        return Cost(elements=self.x.type.elements)

    def kernel(self) -> str:
        return "ember_slide"
