"""q.time_tiles: a whole model over a sequence, a few steps at a time, with the state between them."""

from __future__ import annotations

import numpy as np

from emberc.ir.graph import State
from emberc.ir.interpreter import run_function
from emberc.ir.op import attribute
from emberc.ir.ops.row_tiles import RowTiles
from emberc.ir.types import Array, TensorType
from emberc.ir.values import Value


class TimeTiles(RowTiles):
    """y[t : t + rows], states = body(xs[t : t + rows] .., states) for t = 0, rows, 2 * rows, ...

    Like q.row_tiles for ops that look back: ``states`` lists "input>output>fill", which input of the body is which of
    its outputs of the tile before, and what all its elements are at the beginning. ``axis`` is y's time axis; -1: y is
    what the last tile gives (a running mean). Source: as q.row_tiles; the states are those of streaming.
    """

    opcode = "q.time_tiles"
    states = attribute[list[str]]()
    axis = attribute[int](1)

    def kept(self) -> list[State]:
        """``states`` as objects."""
        parts = [text.split(">") for text in self.states]
        return [State(name, after, int(fill)) for name, after, fill in parts]

    def state_inputs(self) -> list[Value]:
        """The body's inputs that are states, in the order of ``states``."""
        by_name = {v.name: v for v in self.function.inputs}
        return [by_name[s.name] for s in self.kept()]

    @property
    def exit(self) -> Value:
        after = {s.after for s in self.kept()}
        (only,) = [v for name, v in self.function.outputs.items() if name not in after]
        return only

    def ports(self) -> list[tuple[Value, Value, bool]]:
        names = {s.name for s in self.kept()}
        inputs = [v for v in self.function.inputs if v.name not in names]
        return [(x, v, True) for x, v in zip(self.xs, inputs, strict=True)]

    def infer(self) -> list[TensorType]:
        self.require(len(self.function.outputs) == len(self.states) + 1, "the body must have one output and its states")
        for s, v in zip(self.kept(), self.state_inputs(), strict=True):
            self.require(self.function.outputs[s.after].type == v.type, f"state '{s.name}' changes its type")
        self.require(self.rows >= 1 and self.total() % self.rows == 0, f"{self.rows} does not divide {self.total()}")
        for x, v, _ in self.ports():
            good = x.type.dtype is v.type.dtype and x.type.elements * self.rows == v.type.elements * self.total()
            self.require(good, f"{x} does not come in tiles of {v}")
        shape = [self.total() if i == self.axis else s for i, s in enumerate(self.exit.shape)]
        return [self.exit.type.with_shape(shape)]

    def reference(self, *xs: Array) -> Array:
        kept = {s.name: s.first(v.type) for s, v in zip(self.kept(), self.state_inputs(), strict=True)}
        tiles: list[Array] = []
        for t in range(0, self.total(), self.rows):
            part = {
                v.name or "": x.reshape(self.total(), -1)[t : t + self.rows].reshape(v.shape)
                for x, (_, v, _) in zip(xs, self.ports(), strict=True)
            }
            answer = run_function(self.function, {**part, **kept})
            kept = {s.name: answer.pop(s.after) for s in self.kept()}
            tiles += answer.values()
        return tiles[-1] if self.axis < 0 else np.concatenate(tiles, self.axis)

    @property
    def backwards(self) -> bool:
        return False

    def overwrites(self) -> dict[str, tuple[str, ...]]:
        return {}
