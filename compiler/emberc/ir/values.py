"""Values: the edges of the graph. A value is the result of an op, a function's input, or a constant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from emberc.ir.types import Array, Quant, TensorType

if TYPE_CHECKING:
    from emberc.ir.op import Op


class Value:
    """One typed SSA value.

    ``name`` is a hint for the text form (None: a number is printed). ``producer`` is None for inputs
    and constants. ``users`` lists the ops that read the value, one entry per operand.
    """

    __slots__ = ("name", "producer", "type", "users")

    def __init__(self, type: TensorType, name: str | None = None, producer: Op | None = None) -> None:
        self.type = type
        self.name = name
        self.producer = producer
        self.users: list[Op] = []

    @property
    def shape(self) -> tuple[int, ...]:
        return self.type.shape

    @property
    def const(self) -> Array | None:
        """The array of a constant, None for anything else."""
        return None

    def replace_by(self, other: Value) -> None:
        """Makes every user read ``other`` instead. Function outputs are the caller's business."""
        for user in list(self.users):
            for i, v in enumerate(user.operands):
                if v is self:
                    user.set_operand(i, other)

    def __repr__(self) -> str:
        return f"%{self.name or '?'}: {self.type.dtype.value}{list(self.shape)}"


class Constant(Value):
    """A value known at compile time."""

    __slots__ = ("data",)

    def __init__(self, data: Array, name: str | None = None, quant: Quant | None = None) -> None:
        data = np.asarray(data)
        if not data.flags.c_contiguous:  # (ascontiguousarray would turn a scalar into shape [1])
            data = data.copy()
        data.setflags(write=False)
        super().__init__(TensorType.of(data).with_quant(quant), name)
        self.data = data

    @property
    def const(self) -> Array:
        return self.data
