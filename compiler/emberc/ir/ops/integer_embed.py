"""q.embed: the sum of several embedding tables in one rounding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emberc.errors import UsageError, VerifyError
from emberc.ir.arithmetic import Ints, clamp, wide
from emberc.ir.op import attribute, operand, result, variadic
from emberc.ir.ops.integer_base import QUANTIZED, IntegerOp
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Value


@dataclass(frozen=True)
class EmbedPart:
    """One table of a q.embed: rows [V, d], multipliers [1] or [d], ids (None: the position in the sequence)."""

    table: Value
    m: Value
    ids: Value | None


class Embed(IntegerOp):
    """y[r, c] = clamp((bias[c] + sum_k table_k[row_k(r), c] * m_k[c]) >> frac): word, position and type embeddings.

    row_k(r) = ids_k[r], or r mod V_k for a table without ids (positions: the table is cut to the sequence length).
    m_k is scale_k / scale_y * 2^frac; bias holds constant rows (a token type that is always 0), the zero point times
    2^frac and the half that rounds the shift. An id outside [0, V_k) is the caller's error: the kernel returns
    EMBER_ERR_RANGE, the reference raises UsageError.
    ``parts`` lists table_k, m_k and, where ``has_ids[k]``, ids_k; all ids have one shape. Source: Devlin et al., 2019.
    """

    opcode = "q.embed"
    typed_by = ()
    bias = operand(DType.I32)  # [d]
    parts = variadic(DType.I8, DType.I32)
    has_ids = attribute[list[bool]]()
    frac = attribute[int]()
    dtype = attribute[str]("i8")
    y = result()

    def tables(self) -> list[EmbedPart]:
        """The operands in groups. Raises VerifyError when their number does not match ``has_ids``."""
        want = sum(3 if has else 2 for has in self.has_ids)
        self.require(len(self.parts) == want, f"{len(self.parts)} parts, has_ids {self.has_ids} needs {want}")
        rest = iter(self.parts)
        return [EmbedPart(next(rest), next(rest), next(rest) if has else None) for has in self.has_ids]

    def has_packed(self) -> bool:
        """Whether a table is stored packed: another kernel then, with the same answers."""
        return any(p.table.packed is not None for p in self.tables())

    def kernel(self) -> str:
        name = super().kernel()
        return name.replace("ember_", "ember_packed_") if self.has_packed() else name

    def infer(self) -> list[TensorType]:
        parts = self.tables()
        shapes = {p.ids.shape for p in parts if p.ids is not None}
        self.require(len(shapes) == 1, "the ids must be of one shape, and one table at least needs ids")
        (rows,) = shapes
        d = self.bias.shape[-1]
        for p in parts:
            table, m = p.table.type, p.m.type
            self.require(table.dtype is DType.I8 and table.shape[1:] == (d,), f"{p.table} must be i8[V, {d}]")
            self.require(m.dtype is DType.I32 and m.shape in ((1,), (d,)), f"{p.m} must be i32[1] or i32[{d}]")
            if p.ids is None:
                whole = rows[-1:] == p.table.shape[:1]
                self.require(whole, f"a table without ids has {p.table.shape[0]} rows for ids {list(rows)}")
            else:
                self.require(p.ids.type.dtype is DType.I32, "ids must be i32")
        return [TensorType(self.out_dtype(*QUANTIZED), (*rows, d))]

    def verify(self) -> None:
        self.require_range("frac", 0, 31)
        bound = np.abs(wide(self.constant("bias")))
        for p in self.tables():
            if p.m.const is None or p.table.const is None:
                raise VerifyError("tables and multipliers must be constants", at=self.loc)
            bound = bound + 128 * np.abs(wide(p.m.const))
        self.require_int32("the sum of the tables", 0, int(bound.max()))

    def reference(self, bias: Array, *parts: Array) -> Array:
        rest = iter(parts)
        rows, d = self.y.shape[:-1], self.y.shape[-1]
        total: Ints = np.broadcast_to(wide(bias), (*rows, d))
        for has in self.has_ids:
            table, m = next(rest), next(rest)
            ids = wide(next(rest)) if has else np.broadcast_to(np.arange(rows[-1]), rows)
            if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) < table.shape[0]:
                raise UsageError(
                    f"an id lies outside the table of {table.shape[0]} rows",
                    code="E-RANGE",
                    at=self.loc,
                    hints=["check that the tokenizer belongs to the model"],
                )
            total = total + wide(table)[ids] * wide(m)
        return clamp(total >> self.frac, self.out_dtype(*QUANTIZED))
