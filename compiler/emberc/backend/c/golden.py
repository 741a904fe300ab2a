"""Golden vectors: inputs and the reference's outputs, as C data that the test program compares bit for bit.

Outputs are stored whole while they take less than :data:`WHOLE_LIMIT` together (a masked-LM head makes megabytes);
beyond it a vector keeps a 64-bit hash of each output. The hash is a polynomial over all bytes modulo 2^64, which numpy
computes in one pass: one wrong byte always changes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emberc.backend.c.interface import Interface, Port
from emberc.backend.c.literals import ArrayText, array_text
from emberc.errors import InternalError
from emberc.ir.types import Array

WHOLE_LIMIT = 1 << 20
HASH_MULTIPLIER = 6364136223846793005
"""Odd, from Knuth's MMIX generator (TAOCP 2, 3.3.4)."""


@dataclass(frozen=True)
class GoldenVector:
    """One run of the reference: integer arrays by ONNX name, shaped as the function's inputs and outputs.

    Of a model that runs step by step, one step; ``first`` is set on the first of a sequence, the others follow it.
    """

    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]
    first: bool = True


@dataclass(frozen=True)
class GoldenArray:
    """One stored array: ``symbol`` and its definition."""

    symbol: str
    ctype: str
    text: ArrayText

    @property
    def reference(self) -> str:
        return f"({self.text.cast}){self.symbol}" if self.text.cast else self.symbol


@dataclass(frozen=True)
class GoldenRow:
    """One vector in the table: pointer expressions by field, NULL for an output that has only its hash."""

    inputs: dict[str, str]
    outputs: dict[str, str]
    hashes: dict[str, str]
    first: int


def output_hash(array: Array) -> int:
    """h = 0; for every byte b of the array in little-endian order: h = h * multiplier + b + 1 (modulo 2^64)."""
    data = np.frombuffer(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes(), np.uint8)
    powers = np.full(data.size, HASH_MULTIPLIER, np.uint64)
    powers[:1] = 1
    np.multiply.accumulate(powers, out=powers)
    return int((powers[::-1] * (data.astype(np.uint64) + np.uint64(1))).sum(dtype=np.uint64))


def golden_data(vectors: Sequence[GoldenVector], interface: Interface) -> dict[str, Any]:
    """What the template shows: ``arrays`` to store, the table's ``rows``, how many of them are only ``hashed``.

    Raises InternalError for a vector whose arrays are not those of the interface.
    """
    arrays: list[GoldenArray] = []
    rows: list[GoldenRow] = []
    spent = 0
    for i, vector in enumerate(vectors):
        inputs, outputs, hashes = {}, {}, {}
        for port in interface.inputs:
            inputs[port.field] = _store(arrays, f"v{i}_in_{port.field}", _checked(vector.inputs, port))
        size = sum(p.type.nbytes for p in interface.outputs)
        whole = spent + size <= WHOLE_LIMIT
        spent += size if whole else 0
        for port in interface.outputs:
            array = _checked(vector.outputs, port)
            outputs[port.field] = _store(arrays, f"v{i}_out_{port.field}", array) if whole else "NULL"
            hashes[port.field] = f"0x{0 if whole else output_hash(array):016x}"
        rows.append(GoldenRow(inputs, outputs, hashes, int(vector.first)))
    hashed = sum(any(v == "NULL" for v in row.outputs.values()) for row in rows)
    return {"arrays": arrays, "rows": rows, "hashed": hashed, "multiplier": HASH_MULTIPLIER}


def _checked(arrays: Mapping[str, Array], port: Port) -> Array:
    array = arrays.get(port.name)
    if array is None or array.shape != port.type.shape or array.dtype != port.type.dtype.numpy:
        got = "nothing" if array is None else f"{array.dtype}{list(array.shape)}"
        raise InternalError(f"golden vector has {got} for '{port.name}', the model has {port.shape}")
    return array


def _store(arrays: list[GoldenArray], symbol: str, array: Array) -> str:
    text = array_text(array)
    arrays.append(GoldenArray(symbol, text.ctype, text))
    return arrays[-1].reference
