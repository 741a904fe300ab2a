"""Packed weights: an int8 matrix that is stored in 2, 3 or 4 bits an element.

A packed constant is an ``i8[rows, columns]`` like any other to the IR: ops, passes and references see its integers.
Only what is stored differs, and the kernels that unpack it as they go. The bits are defined here, once: int4 by
groups is a codebook of 16 even steps, "k-quants" and the codebooks of Deep Compression (Han et al., 2016, section 3)
and SqueezeLLM (Kim et al., 2023) are the same form with other entries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.types import Array

#: codes come in blocks of this many, which fill whole bytes at every width
BLOCK = 8
#: the gain that leaves a codebook entry as it is
UNITY = 128


@dataclass(frozen=True, eq=False)
class Packed:
    """w[r, k] = (codebook[code(r, k)] * gains[r, k // group] + 64) >> 7, an int8.

    ``codes`` u8[rows, bits * ceil(columns / 8)]: code(r, k) is the ``bits`` bits from bit k * bits of the row on, the
    lowest bit first. ``codebook`` i8[2^bits]. ``gains`` u8[rows, ceil(columns / group)], each at most 128, which
    stands for 1. ``group`` is a multiple of 8. Raises VerifyError for anything else.
    """

    bits: int
    columns: int
    group: int
    codes: Array
    codebook: Array
    gains: Array

    def __post_init__(self) -> None:
        rows = len(self.codes)
        blocks, groups = -(-self.columns // BLOCK), -(-self.columns // max(self.group, 1))
        wrong = [
            problem
            for good, problem in (
                (self.bits in (2, 3, 4), f"{self.bits} bits, allowed: 2, 3, 4"),
                (self.group > 0 and self.group % BLOCK == 0, f"group {self.group} is no multiple of {BLOCK}"),
                (self.codes.shape == (rows, blocks * self.bits) and self.codes.dtype == np.uint8, "codes misshapen"),
                (self.codebook.shape == (1 << self.bits,) and self.codebook.dtype == np.int8, "codebook misshapen"),
                (self.gains.shape == (rows, groups) and self.gains.dtype == np.uint8, "gains misshapen"),
            )
            if not good
        ]
        if not wrong and self.gains.size and int(self.gains.max()) > UNITY:
            wrong = [f"a gain of {int(self.gains.max())}, the largest is {UNITY}"]
        if wrong:
            raise VerifyError(f"packed weights: {wrong[0]}")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix that it stands for."""
        return len(self.codes), self.columns

    @property
    def nbytes(self) -> int:
        """What it takes in flash."""
        return int(self.codes.nbytes + self.codebook.nbytes + self.gains.nbytes)

    def unpacked(self) -> Array:
        """The int8 matrix [rows, columns]."""
        entries = self.codebook[self._codes()].astype(np.int16)
        gains = np.repeat(self.gains, self.group, axis=1)[:, : self.columns].astype(np.int16)
        out: Array = ((entries * gains + UNITY // 2) >> 7).astype(np.int8)
        return out

    def _codes(self) -> Array:
        rows, columns = self.shape
        bits = np.unpackbits(self.codes, axis=1, bitorder="little").reshape(rows, -1, self.bits)
        weights = (1 << np.arange(self.bits)).astype(np.uint8)
        codes: Array = (bits[:, :columns] * weights).sum(axis=2, dtype=np.uint8)
        return codes


def pack_codes(codes: Array, bits: int) -> Array:
    """codes u8[rows, columns] --> u8[rows, bits * ceil(columns / 8)], the layout of ``Packed.codes``."""
    padded = np.pad(codes, ((0, 0), (0, -codes.shape[1] % BLOCK)))
    spread = (padded[:, :, None] >> np.arange(bits, dtype=np.uint8)) & 1
    out: Array = np.packbits(spread.reshape(len(codes), -1).astype(np.uint8), axis=1, bitorder="little")
    return out
