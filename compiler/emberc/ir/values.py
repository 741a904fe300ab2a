"""Values: the edges of the graph. A value is the result of an op, a function's input, or a constant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.packed import Packed
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

    @property
    def packed(self) -> Packed | None:
        """How a constant is stored where that is not element by element."""
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
    """A value known at compile time; ``packed`` says how it is stored where that is not element by element.

    Raises VerifyError when ``packed`` does not stand for ``data``.
    """

    __slots__ = ("_packed", "data")

    def __init__(
        self, data: Array, name: str | None = None, quant: Quant | None = None, packed: Packed | None = None
    ) -> None:
        data = np.asarray(data)
        if not data.flags.c_contiguous:  # (ascontiguousarray would turn a scalar into shape [1])
            data = data.copy()
        data.setflags(write=False)
        super().__init__(TensorType.of(data).with_quant(quant), name)
        self.data = data
        self._packed = packed
        if packed is not None and not (data.dtype == np.int8 and np.array_equal(packed.unpacked(), data)):
            raise VerifyError(f"constant '{name or ''}' is not what its packed form unpacks to")

    @staticmethod
    def unpack(packed: Packed, name: str | None = None) -> Constant:
        """The int8 constant that ``packed`` stands for."""
        return Constant(packed.unpacked(), name, None, packed)

    @property
    def stored_bytes(self) -> int:
        """Bytes in flash, alignment not counted."""
        return self.type.nbytes if self._packed is None else self._packed.nbytes

    @property
    def packed(self) -> Packed | None:
        return self._packed

    @property
    def const(self) -> Array:
        return self.data
