"""Attention whose scores get a constant added: relative positions (T5), linear biases (ALiBi)."""

from __future__ import annotations

from typing import Any

from emberc.errors import VerifyError
from emberc.ir.op import operand
from emberc.ir.ops.float_fused import Attention
from emberc.ir.types import DType, TensorType


class BiasedAttention(Attention):
    """f.attention with P = softmax(scale * Q_h K_h^T + bias_h). Source: Raffel et al., 2020, section 2.1."""

    opcode = "f.biased_attention"
    bias = operand(DType.F32, DType.F64)  # [heads, Lq, Lk]

    def infer(self) -> list[TensorType]:
        shape = (self.heads, self.q.shape[1], self.k.shape[1])
        if self.bias.shape != shape:
            raise VerifyError(f"bias is {list(self.bias.shape)}, must be {list(shape)}", at=self.loc)
        return super().infer()

    def reference(self, q: Any, k: Any, v: Any, mask: Any, bias: Any = None) -> Any:
        return super().reference(q, k, v, mask, bias)
