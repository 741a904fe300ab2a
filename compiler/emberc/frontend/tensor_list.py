"""Sequences of tensors: they exist only while a model is imported, never in the IR."""

from __future__ import annotations

from collections.abc import Sequence

from emberc.ir.types import DType, TensorType
from emberc.ir.values import Value


class TensorList(Value):
    """The value of a name that stands for a sequence; ``items`` are its tensors."""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[Value]) -> None:
        super().__init__(TensorType(DType.BOOL, (0,)))
        self.items = tuple(items)
