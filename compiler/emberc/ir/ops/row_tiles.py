"""q.row_tiles: a chain of row-wise ops, run on a few rows at a time."""

from __future__ import annotations

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.graph import Function
from emberc.ir.interpreter import run_function
from emberc.ir.op import Cost, attribute, result, variadic
from emberc.ir.ops.integer_base import IntegerOp, rows_of
from emberc.ir.types import Array, TensorType
from emberc.ir.values import Value


class RowTiles(IntegerOp):
    """y[t : t + rows] = body(xs[t : t + rows] ..) for t = 0, rows, 2*rows, ...; rows are all axes but the last.

    The body is another function of the module, typed for one tile ([rows, columns] in, [rows, columns] out). Its ops
    do not mix rows, so the result is that of the whole op; what it makes in between exists for one tile only.
    Source: depth-first execution, as in MCUNetV2 (Lin et al., 2021, section 3.1) for patches of an image.
    """

    opcode = "q.row_tiles"
    calls = "body"
    xs = variadic()
    body = attribute[str]()
    rows = attribute[int]()
    y = result()

    @property
    def function(self) -> Function:
        """The body. Raises VerifyError when the module does not have it."""
        if self.callee is None:
            raise VerifyError(f"the module has no function @{self.body}", at=self.loc)
        return self.callee

    @property
    def exit(self) -> Value:
        """What the body returns."""
        (only,) = self.function.outputs.values()
        return only

    def total(self) -> int:
        """Rows of the operands."""
        return rows_of(self.xs[0])

    def infer(self) -> list[TensorType]:
        inputs = self.function.inputs
        self.require(len(self.function.outputs) == 1, "the body must have one output")
        self.require(len(inputs) == len(self.xs), f"the body takes {len(inputs)} values, {len(self.xs)} are given")
        self.require(self.rows >= 1 and self.total() % self.rows == 0, f"{self.rows} does not divide {self.total()}")
        for x, v in zip(self.xs, inputs, strict=True):
            good = x.type.dtype is v.type.dtype and v.shape == (self.rows, x.shape[-1]) and rows_of(x) == self.total()
            self.require(good, f"{x} does not come in tiles of {v}")
        self.require(self.exit.shape[:1] == (self.rows,) and self.exit.type.rank == 2, f"the body returns {self.exit}")
        return [self.exit.type.with_shape((*self.xs[0].shape[:-1], self.exit.shape[1]))]

    def reference(self, *xs: Array) -> Array:
        flat = [x.reshape(-1, x.shape[-1]) for x in xs]
        names = [v.name or "" for v in self.function.inputs]
        tiles: list[Array] = []
        for t in range(0, self.total(), self.rows):
            part = {n: x[t : t + self.rows] for n, x in zip(names, flat, strict=True)}
            tiles += run_function(self.function, part).values()
        return np.concatenate(tiles).reshape(self.y.shape)

    def cost(self) -> Cost:
        costs = [op.cost() for op in self.function.ops]
        times = self.total() // self.rows
        return Cost(times * sum(c.macs for c in costs), times * sum(c.elements for c in costs))

    def overwrites(self) -> dict[str, tuple[str, ...]]:
        """y may lie over an operand with rows of the same width: a tile's output is written by the body's last op,
        after all others have read that tile; the last op itself must not read it, or must be able to work in place."""
        last = self.exit.producer
        if last is None:
            return {}
        in_place = {
            id(v) for name, v in last.named_operands() if name in last.overwrites().get(last.result_fields[0], ())
        }
        reads = {id(v) for v in last.operands if v is not None}
        width = self.y.shape[-1] * self.y.type.dtype.size
        free = [
            f"xs{i}"
            for i, (x, v) in enumerate(zip(self.xs, self.function.inputs, strict=True))
            if x.shape[-1] * x.type.dtype.size == width and (id(v) not in reads or id(v) in in_place)
        ]
        return {"y": tuple(free)} if free else {}
