"""q.causal_conv: depthwise convolution over time that can stop after any row and go on later."""

from __future__ import annotations

import numpy as np

from emberc.ir.arithmetic import clamp, requantize, wide
from emberc.ir.op import Cost, attribute, operand, optional, result
from emberc.ir.ops.float_rows import depthwise
from emberc.ir.ops.float_scan import conv_tail
from emberc.ir.ops.integer_base import IntegerOp
from emberc.ir.ops.integer_matmul import accumulator_bounds
from emberc.ir.types import Array, DType, TensorType


class CausalConv(IntegerOp):
    """v = requantize(bias[d] + sum over k < K of x[t - K + 1 + k, d] * w[k, d], m[d], shift, zero_point)

    y = sat8(v), or table[clip(v, 0, levels - 1)] where a table is given: v is then an index, finer than 8 bits, so that
    the convolution and its SiLU round once. Of several curves channel d reads table[curve[d]]: channels whose results
    have other scales cost no more than those that share one. Rows before the first are ``initial``, or zx without it;
    x's zero point is folded into bias. ``tail`` is the last K - 1 rows of both, which the next call has as initial.
    Source: as q.matmul, one filter a channel; Gu and Dao, 2023, section 3.4.
    """

    opcode = "q.causal_conv"
    x = operand(DType.I8)  # [.., L, D]
    w = operand(DType.I8)  # [K, D]
    bias = operand(DType.I32)  # [D]
    m = operand(DType.I32)  # [D]
    table = optional(DType.I8)  # [levels], or [curves, levels]
    initial = optional(DType.I8)  # [.., K - 1, D]
    curve = optional(DType.U8)  # [D]
    zx = attribute[int](0)
    shift = attribute[int](0)
    zero_point = attribute[int](0)
    y = result()
    tail = result()
    inplace = {"tail": ("initial",)}
    droppable = ("tail",)

    @property
    def levels(self) -> int:
        """Entries of a curve; 0 without a table."""
        return 0 if self.table is None else self.table.shape[-1]

    @property
    def curves(self) -> int:
        return 1 if self.table is None or self.curve is None else self.table.shape[0]

    def infer(self) -> list[TensorType]:
        tail = conv_tail(self, self.x.shape, self.w.shape)
        channels = self.x.shape[-1:]
        self.require(self.bias.shape == channels == self.m.shape, f"bias and m must be {list(channels)}")
        axes = 1 if self.curve is None else 2
        self.require(self.table is None or self.table.type.rank == axes, f"table must have {axes} axes")
        self.require(self.curve is None or self.curve.shape == channels, f"curve must be {list(channels)}")
        self.require(self.initial is None or self.initial.shape == tail, f"initial must be {list(tail)}")
        return [TensorType(DType.I8, self.x.shape), TensorType(DType.I8, tail)]

    def verify(self) -> None:
        self.constant("m")
        if self.table is not None:
            self.require(0 < self.constant("table").size <= 32768, "the table must have 1 to 32768 entries")
        if self.curve is not None:
            self.require(self.table is not None, "curves are rows of a table")
            self.require(int(self.constant("curve").max(initial=0)) < self.curves, f"there are {self.curves} curves")
        self.require_range("zx", *DType.I8.limits)
        self.require_range("zero_point", *DType.I16.limits)
        self.require_range("shift", 0, 31)
        lo, hi = accumulator_bounds(self.constant("w").T, self.constant("bias"), DType.I8)
        self.require_int32("the shifted sum", lo << self.shift, hi << self.shift)

    def reference(
        self,
        x: Array,
        w: Array,
        bias: Array,
        m: Array,
        table: Array | None,
        initial: Array | None,
        curve: Array | None = None,
    ) -> tuple[Array, Array]:
        before = np.full(self.tail.shape, self.zx, np.int8) if initial is None else initial
        rows = np.concatenate([before, x], axis=-2)
        flat = wide(rows).reshape(-1, *rows.shape[-2:])
        acc = depthwise(flat, wide(w), 0, x.shape[-2], 1).reshape(x.shape) + wide(bias)
        v = requantize(acc, wide(m), self.shift, self.zero_point)
        tail = rows[..., x.shape[-2] :, :]
        if table is None:
            return clamp(v, DType.I8), tail
        first = 0 if curve is None else wide(curve) * self.levels
        return table.reshape(-1)[first + np.clip(v, 0, self.levels - 1)], tail

    def cost(self) -> Cost:
        return Cost(macs=self.y.type.elements * self.w.shape[0], elements=self.y.type.elements)
