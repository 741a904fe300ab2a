"""q.conv: convolution as products of rows of windows with the weights, tile by tile."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from emberc.ir.op import Cost, attribute, operand, optional, result
from emberc.ir.ops.float_windows import group_rows
from emberc.ir.ops.integer_base import QUANTIZED, IntegerOp
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Constant, Value
from emberc.ir.windows import WindowFields, Windows

TILE_ROWS = 12
"""Windows that are laid out for one product: a multiple of what the kernels take at a time (2, 3 and 4)."""

TILE_BYTES = 8192
"""A tile is smaller where this would be exceeded, down to SMALLEST_TILE rows."""

SMALLEST_TILE = 3


class Conv(WindowFields, IntegerOp):
    """y[b, p.., o] = f((bias[o] + sum over k.., c of x[b, p*stride + k*dilation - pad .., g*C' + c] * w[o, k.., c])
    * m[o])

    with the epilogue f of q.matmul, C' = C / groups and g the group of o. Outside x is ``zx``, so that its zero point
    folds into bias as there. Windows are laid out as rows, a tile of them in scratch, for the kernels of q.matmul.
    Source: im2col (Chellapilla et al., 2006) in tiles, as in CMSIS-NN (Lai et al., 2018, section 3.2).
    """

    opcode = "q.conv"
    x = operand(*QUANTIZED)  # [B, D1, .., C]
    w = operand(DType.I8)  # [M, K1, .., C']
    bias = operand(DType.I32)  # [M]
    m = operand(DType.I32)  # [M]
    table = optional(*QUANTIZED)  # [256]
    groups = attribute[int](1)
    zx = attribute[int](0)
    shift = attribute[int](0)
    zero_point = attribute[int](0)
    lo = attribute[int](-32768)
    hi = attribute[int](32767)
    dtype = attribute[str]("i8")
    y = result()

    def windows(self) -> Windows:
        """Its geometry."""
        return Windows.of(self, self.w.shape[1:-1])

    def infer(self) -> list[TensorType]:
        self.require(self.w.type.rank in (3, 4), f"w is {list(self.w.shape)}, must be [M, K1, .., C]")
        counts = self.windows().counts(self.x.shape, self.loc)
        m, good = self.w.shape[0], self.groups >= 1 and self.x.shape[-1] == self.w.shape[-1] * self.groups
        self.require(good and m % self.groups == 0, f"x {self.x.shape}, w {self.w.shape}, {self.groups} groups")
        self.require(self.bias.shape == (m,) == self.m.shape, f"bias and m must have {m} elements")
        dtype = self.out_dtype(*QUANTIZED)
        return [TensorType(dtype, (self.x.shape[0], *counts, m))]

    def verify(self) -> None:
        self.require_range("zx", *self.x.type.dtype.limits)
        for g in range(self.groups):
            self.product(g).verify()

    def total_rows(self) -> int:
        """Windows of all of x."""
        return prod(self.y.shape[:-1])

    def tile_rows(self) -> int:
        """Windows of one tile; where a single one is left over, the tile before it is one shorter."""
        fit = TILE_BYTES // (prod(self.w.shape[1:]) * self.x.type.dtype.size)
        return min(self.total_rows(), max(SMALLEST_TILE, min(TILE_ROWS, fit)))

    def product(self, group: int) -> Matmul:
        """The q.matmul of one tile and one group of channels, on operands of its own."""
        n = self.w.shape[0] // self.groups
        part = slice(group * n, (group + 1) * n)
        suffix = f"_{group}" if self.groups > 1 else ""
        w, bias, m = (
            Constant(self.constant(name)[part].reshape(shape), f"{v.name}{suffix}" if v.name else None)
            for name, v, shape in (("w", self.w, (n, -1)), ("bias", self.bias, n), ("m", self.m, n))
        )
        x = Value(TensorType(self.x.type.dtype, (self.tile_rows(), w.shape[1])))
        table = None if self.table is None else Constant(self.constant("table"), self.table.name)
        same: dict[str, Any] = {k: self.attrs[k] for k in ("shift", "zero_point", "lo", "hi", "dtype")}
        return Matmul(x, w, bias, m, table, loc=self.loc, **same)

    def patch_bytes(self) -> int:
        """Scratch beside the product's own: the windows of a tile, and its result where groups are interleaved."""
        product = self.product(0)
        return sum(-(-v.type.nbytes // 4) * 4 for v in ([product.x] + ([product.y] if self.groups > 1 else [])))

    def scratch_bytes(self) -> int:
        return self.patch_bytes()

    def reference(self, x: Array, w: Array, bias: Array, m: Array, table: Array | None) -> Array:
        rows = group_rows(self.windows().patches(x, self.zx), self.groups)
        parts = []
        for g in range(self.groups):
            p = self.product(g)
            parts.append(p.reference(rows[g], p.w.const, p.bias.const, p.m.const, table))  # type: ignore[arg-type]
        return np.concatenate(parts, axis=-1).reshape(self.y.shape)

    def cost(self) -> Cost:
        return Cost(macs=self.y.type.elements * prod(self.w.shape[1:]), elements=self.y.type.elements)
