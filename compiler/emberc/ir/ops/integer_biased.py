"""q.biased_attention: q.attention whose scores get a constant added."""

from __future__ import annotations

from typing import Any

from emberc.ir.arithmetic import Ints, wide
from emberc.ir.op import operand
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.types import Array, DType, TensorType


class BiasedAttention(Attention):
    """q.attention with s[j] = clamp16(requantize(sum_d q[i, d] * k[j, d], m_score, shift_score, bias[h, i, j])).

    The bias is in steps of s. It is a constant per head, query and key: relative positions (Raffel et al., 2020).
    """

    opcode = "q.biased_attention"
    bias = operand(DType.I16)  # [heads, Lq, Lk]

    def infer(self) -> list[TensorType]:
        shape = (self.heads, self.q.shape[-2], self.k.shape[-2])
        self.require(self.bias.shape == shape, f"bias is {list(self.bias.shape)}, must be {list(shape)}")
        return super().infer()

    def verify(self) -> None:
        super().verify()
        self.constant("bias")

    def score_offsets(self, *bias: Array) -> Ints:
        return wide(bias[0])

    def reference(self, q: Array, k: Array, v: Array, table: Array, mask: Array | None, *bias: Any) -> Array:
        return super().reference(q, k, v, table, mask, *bias)
