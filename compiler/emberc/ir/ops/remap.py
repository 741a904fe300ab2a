"""f.remap and q.remap: ids of a whole vocabulary to those of the rows that are kept."""

from __future__ import annotations

import numpy as np

from emberc.errors import UsageError
from emberc.ir.op import Op, attribute, operand, result
from emberc.ir.ops.integer_base import IntegerOp
from emberc.ir.types import Array, DType, TensorType

#: ids that share a word of bits and a count
WORD = 32


class Remap(Op):
    """y = the number of kept ids below the id where it is kept, ``other`` where not: y[i] = rank(keep, ids[i]).

    ``keep`` rises. An id outside [0, vocabulary) raises UsageError. Source: pruning an embedding to the rows in use.
    """

    opcode = "f.remap"
    ids = operand(DType.I32, DType.I64)
    keep = operand(DType.I64)  # [n]
    vocabulary = attribute[int]()
    other = attribute[int](0)
    y = result()

    def infer(self) -> list[TensorType]:
        return [self.ids.type]

    def reference(self, ids: Array, keep: Array) -> Array:
        check_ids(ids, self.vocabulary, self.loc)
        at = np.minimum(np.searchsorted(keep, ids), len(keep) - 1)
        return np.where(keep[at] == ids, at, self.other).astype(ids.dtype)


class IntegerRemap(IntegerOp):
    """y = counts[i / 32] + popcount(bits[i / 32] & (2^(i mod 32) - 1)) where bit i of bits is set, else ``other``.

    The rank of a bit in a bit vector with a count per word (Jacobson, 1989): 2 bits an id instead of 32 for a table.
    An id outside [0, vocabulary) is the caller's error, as for q.embed.
    """

    opcode = "q.remap"
    typed_by = ("ids",)
    ids = operand(DType.I32)
    bits = operand(DType.U32)  # [ceil(vocabulary / 32)]
    counts = operand(DType.I32)  # the same: kept ids below the word's first
    vocabulary = attribute[int]()
    other = attribute[int](0)
    y = result()
    inplace = {"y": ("ids",)}

    def infer(self) -> list[TensorType]:
        words = -(-self.vocabulary // WORD)
        self.require(self.bits.shape == (words,) == self.counts.shape, f"bits and counts must have {words} elements")
        return [self.ids.type]

    def verify(self) -> None:
        self.require_word("other")
        self.require_range("vocabulary", 1, 1 << 30)
        self.constant("bits")
        self.constant("counts")

    def reference(self, ids: Array, bits: Array, counts: Array) -> Array:
        check_ids(ids, self.vocabulary, self.loc)
        word, bit = ids // WORD, (ids % WORD).astype(np.uint32)
        held = bits[word].astype(np.uint32)
        below = held & ((np.uint32(1) << bit) - np.uint32(1))
        set_below = np.unpackbits(below.reshape(-1, 1).view(np.uint8), axis=1).sum(axis=1).reshape(ids.shape)
        kept = (held >> bit & np.uint32(1)) == 1
        return np.where(kept, counts[word] + set_below, self.other).astype(np.int32)


def check_ids(ids: Array, vocabulary: int, at: str) -> None:
    """Raises UsageError unless every id is in [0, vocabulary)."""
    if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) < vocabulary:
        raise UsageError(
            f"an id lies outside the table of {vocabulary} rows",
            code="E-RANGE",
            at=at,
            hints=["check that the tokenizer belongs to the model"],
        )
