"""q.row_tiles: a chain of row-wise ops, run on a few rows at a time."""

from __future__ import annotations

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.graph import Function
from emberc.ir.interpreter import run_function
from emberc.ir.op import Cost, attribute, result, variadic
from emberc.ir.ops.integer_base import IntegerOp, rows_of
from emberc.ir.types import Array, TensorType
from emberc.ir.values import Constant, Value


class RowTiles(IntegerOp):
    """y[t : t + rows] = body(xs[t : t + rows] .., wholes ..) for t = 0, rows, 2*rows, ...; rows are all axes but the
    last.

    The body is another function of the module, typed for one tile: [rows, columns] in ([rows] for ids), [rows, columns]
    out. The last ``whole`` operands are given to every tile as they are (keys and values of an attention that runs by
    query rows). Its ops do not mix rows, so the result is that of the whole op; what it makes in between exists for
    one tile only. Source: depth-first execution, as in MCUNetV2 (Lin et al., 2021, section 3.1) for patches of an
    image.
    """

    opcode = "q.row_tiles"
    calls = "body"
    xs = variadic()
    body = attribute[str]()
    rows = attribute[int]()
    whole = attribute[int](0)
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

    def ports(self) -> list[tuple[Value, Value, bool]]:
        """(operand, the body's input, whether it comes in tiles), in order."""
        tiled = len(self.xs) - self.whole
        pairs = zip(self.xs, self.function.inputs, strict=True)
        return [(x, v, i < tiled) for i, (x, v) in enumerate(pairs)]

    def total(self) -> int:
        """Rows of the operands that come in tiles."""
        x, v, _ = self.ports()[0]
        return x.type.elements * self.rows // max(1, v.type.elements)

    def infer(self) -> list[TensorType]:
        inputs = self.function.inputs
        self.require(len(self.function.outputs) == 1, "the body must have one output")
        self.require(len(inputs) == len(self.xs), f"the body takes {len(inputs)} values, {len(self.xs)} are given")
        self.require(0 <= self.whole < len(self.xs), f"{self.whole} of {len(self.xs)} operands are whole")
        self.require(self.rows >= 1 and self.total() % self.rows == 0, f"{self.rows} does not divide {self.total()}")
        for x, v, tiled in self.ports():
            good = self._fits_tiles(x, v) if tiled else x.type.elements == v.type.elements
            self.require(
                good and x.type.dtype is v.type.dtype, f"{x} does not come {'in tiles of' if tiled else 'as'} {v}"
            )
        self.require(self.exit.shape[:1] == (self.rows,) and self.exit.type.rank == 2, f"the body returns {self.exit}")
        first = inputs[0].type.rank - 1  # ids have rows alone
        rows = self.xs[0].shape[: self.xs[0].type.rank - first]
        return [self.exit.type.with_shape((*rows, self.exit.shape[1]))]

    def _fits_tiles(self, x: Value, v: Value) -> bool:
        if v.type.rank == 1:
            return v.shape == (self.rows,) and x.type.elements == self.total()
        return v.shape == (self.rows, x.shape[-1]) and rows_of(x) == self.total()

    def reference(self, *xs: Array) -> Array:
        ports = self.ports()
        tiles: list[Array] = []
        for t in range(0, self.total(), self.rows):
            part: dict[str, Array] = {}
            for array, (_, v, tiled) in zip(xs, ports, strict=True):
                rows = array.reshape(-1, *v.shape[1:])[t : t + self.rows] if tiled else array.reshape(v.shape)
                part[v.name or ""] = rows
            tiles += run_function(self.function, part).values()
        return np.concatenate(tiles).reshape(self.y.shape)

    def cost(self) -> Cost:
        costs = [op.cost() for op in self.function.ops]
        times = self.total() // self.rows
        return Cost(times * sum(c.macs for c in costs), times * sum(c.elements for c in costs))

    @property
    def backwards(self) -> bool:
        """Whether the last tile runs first: then y may lie over an operand with narrower rows, whose first rows wait
        below those that are written."""
        width = _row_bytes(self.y)
        return any(_row_bytes(x) < width for _, x, _ in self._given_up())

    def overwrites(self) -> dict[str, tuple[str, ...]]:
        """y may lie over an operand that comes in tiles, from the same first byte: a tile's output is written by the
        body's last op, after all others have read that tile; the last op itself must not read it, or must be able to
        work in place. Rows that are narrower than y's need the loop to run backwards, wider ones forwards. Never over
        what every tile reads whole."""
        width = _row_bytes(self.y)
        free = [
            name
            for name, x, in_place in self._given_up()
            if _row_bytes(x) == width or (not in_place and (_row_bytes(x) < width) == self.backwards)
        ]
        return {"y": tuple(free)} if free else {}

    def may_cover(self, result: Value, over: Value) -> bool:
        """``overwrites`` vouches for rows of every width."""
        return True

    def _given_up(self) -> list[tuple[str, Value, bool]]:
        """The operands in tiles that the body's last op does not read, or (True) that it can write its result over."""
        last = self.exit.producer
        if last is None:
            return []
        own = last.overwrites().get(last.result_fields[0], ())
        in_place = {id(v) for name, v in last.named_operands() if name in own and _row_bytes(v) == _row_bytes(self.y)}
        reads = {id(v) for v in last.operands if v is not None}
        return [
            (f"xs{i}", x, id(v) in reads)
            for i, (x, v, tiled) in enumerate(self.ports())
            if tiled and v.type.rank == 2 and not isinstance(x, Constant) and (id(v) not in reads or id(v) in in_place)
        ]


def _row_bytes(v: Value) -> int:
    return v.shape[-1] * v.type.dtype.size
