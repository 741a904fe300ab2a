"""The weights file: constant arrays by content, each with a name that tells where it comes from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from emberc.backend.c.literals import ArrayText, array_text
from emberc.backend.c.naming import Names, comment_text
from emberc.ir.types import Array, DType

Kind = Literal["weights", "tables"]


@dataclass(frozen=True)
class ConstantArray:
    """One array in flash; ``origin`` is the comment that says what it is."""

    symbol: str
    origin: str
    text: ArrayText
    kind: Kind

    @property
    def reference(self) -> str:
        """The C expression for a pointer to the first element."""
        return f"({self.text.cast}){self.symbol}" if self.text.cast else self.symbol


@dataclass
class ConstantPool:
    """Collects the arrays of a model in order of first use; equal contents are stored once.

    ``users`` has the ``id`` of the ops that read an array, by its symbol; ``region_of`` the flash region that it lies
    in, by its symbol, where there are several.
    """

    prefix: str
    arrays: list[ConstantArray] = field(default_factory=list)
    users: dict[str, list[int]] = field(default_factory=dict)
    region_of: dict[str, str] = field(default_factory=dict)
    _by_content: dict[tuple[str, int, bytes], ConstantArray] = field(default_factory=dict)
    _names: Names = field(default_factory=Names)

    def add(self, array: Array, hint: str, kind: Kind, user: int | None = None) -> str:
        """A C expression for a pointer to ``array``; ``hint`` is the ONNX name, ``kind`` decides who it counts to,
        ``user`` is the ``id`` of the op that reads it."""
        array = np.ascontiguousarray(array)
        dtype = DType.of(array.dtype)
        key = (dtype.value, array.size, hashlib.sha256(array.tobytes()).digest())
        if key not in self._by_content:
            symbol = f"{self.prefix}_{self._names.take(hint)}"
            origin = f"{comment_text(hint)}: {dtype.value}[{', '.join(map(str, array.shape))}]"
            self._by_content[key] = ConstantArray(symbol, origin, array_text(array), kind)
            self.arrays.append(self._by_content[key])
        found = self._by_content[key]
        users = self.users.setdefault(found.symbol, [])
        if user is not None and user not in users:
            users.append(user)
        return found.reference

    @property
    def has_words(self) -> bool:
        """Whether an array is written as 64-bit words."""
        return any(a.text.cast for a in self.arrays)

    def nbytes(self, kind: Kind) -> int:
        """Bytes in flash of all arrays of a kind, alignment not counted."""
        return sum(a.text.nbytes for a in self.arrays if a.kind == kind)
