"""Float ops that fusion passes build and quantization lowers one to one."""

from __future__ import annotations

from typing import Any

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.op import Cost, Op, attribute, operand, optional, result, variadic
from emberc.ir.types import DType, TensorType

_F = (DType.F32, DType.F64)


class Linear(Op):
    """y[.., n] = sum_k x[.., k] * weight[n, k] + bias[n].

    Rows of ``weight`` are output channels, the layout that dot-product kernels and per-channel scales want.
    """

    opcode = "f.linear"
    x = operand(*_F)  # [.., K]
    weight = operand(*_F)  # [N, K]
    bias = optional(*_F)  # [N]
    y = result()

    def infer(self) -> list[TensorType]:
        n, k = self.weight.shape
        if self.x.shape[-1:] != (k,):
            raise VerifyError(f"x is {list(self.x.shape)}, weight is {[n, k]}", at=self.loc)
        if self.bias is not None and self.bias.shape != (n,):
            raise VerifyError(f"bias is {list(self.bias.shape)}, weight is {[n, k]}", at=self.loc)
        return [self.x.type.with_shape((*self.x.shape[:-1], n))]

    def reference(self, x: Any, weight: Any, bias: Any) -> Any:
        y = x @ weight.T
        return y if bias is None else y + bias

    def cost(self) -> Cost:
        return Cost(macs=self.results[0].type.elements * self.weight.shape[1])


class Attention(Op):
    """Scaled dot-product attention over heads that stay side by side in the last axis (Vaswani et al., 2017).

    For head h: P = softmax(scale * Q_h K_h^T), keys where ``mask`` is false left out; y_h = P V_h. A row whose keys
    are all masked gives 0. q, k and v may be one packed value: ``*_offset`` is the column of head 0.
    ``group`` query heads share a key/value head; ``causal`` lets query i see keys up to i + Lk - Lq.
    """

    opcode = "f.attention"
    q = operand(*_F)  # [B, Lq, *]
    k = operand(*_F)  # [B, Lk, *]
    v = operand(*_F)  # [B, Lk, *]
    mask = optional(DType.BOOL)  # broadcasts to [B, 1, Lq, Lk]
    heads = attribute[int]()
    head_dim = attribute[int]()
    scale = attribute[float]()
    q_offset = attribute[int](0)
    k_offset = attribute[int](0)
    v_offset = attribute[int](0)
    group = attribute[int](1)
    causal = attribute[bool](False)
    y = result()

    def infer(self) -> list[TensorType]:
        for v, offset, heads in (
            (self.q, self.q_offset, self.heads),
            (self.k, self.k_offset, self.heads // self.group),
            (self.v, self.v_offset, self.heads // self.group),
        ):
            if v.type.rank != 3 or v.shape[2] < offset + heads * self.head_dim:
                raise VerifyError(f"{heads} heads of {self.head_dim} from column {offset} do not fit {v}", at=self.loc)
        b, lq, _ = self.q.shape
        if self.k.shape[:2] != self.v.shape[:2] or self.k.shape[0] != b:
            raise VerifyError(f"q {self.q}, k {self.k} and v {self.v} do not fit together", at=self.loc)
        if self.mask is not None:
            want = (b, 1, lq, self.k.shape[1])
            if self.mask.type.rank != 4 or np.broadcast_shapes(self.mask.shape, want) != want:
                raise VerifyError(f"mask {self.mask} does not broadcast to {list(want)}", at=self.loc)
        return [self.q.type.with_shape((b, lq, self.heads * self.head_dim))]

    def reference(self, q: Any, k: Any, v: Any, mask: Any, bias: Any = None) -> Any:
        d, out = self.head_dim, []
        allowed = np.ones((q.shape[0], q.shape[1], k.shape[1]), bool)
        if mask is not None:
            allowed = np.broadcast_to(mask, (q.shape[0], 1, q.shape[1], k.shape[1]))[:, 0].copy()
        if self.causal:
            allowed &= np.tri(q.shape[1], k.shape[1], k.shape[1] - q.shape[1], dtype=bool)
        for h in range(self.heads):
            cq, ck, cv = self.q_offset + h * d, self.k_offset + h // self.group * d, self.v_offset + h // self.group * d
            s = self.scale * (q[:, :, cq : cq + d] @ k[:, :, ck : ck + d].transpose(0, 2, 1))
            s = s if bias is None else s + bias[h]
            s = np.where(allowed, s, -np.inf)
            top = s.max(-1, keepdims=True)
            e = np.exp(s - np.where(np.isfinite(top), top, 0))
            e = np.where(allowed, e, 0)
            z = e.sum(-1, keepdims=True)
            out.append((e / np.where(z == 0, 1, z)) @ v[:, :, cv : cv + d])
        return np.concatenate(out, -1).astype(q.dtype)

    def cost(self) -> Cost:
        b, lq, _ = self.q.shape
        return Cost(macs=2 * b * self.heads * lq * self.k.shape[1] * self.head_dim)


class Embed(Op):
    """y[r] = sum over tables t of t[ids_t[r]]: token, position and segment embeddings in one op.

    ``parts`` holds the ids of every table, then the tables ([rows, d]) in the same order.
    """

    opcode = "f.embed"
    parts = variadic()
    y = result()

    @property
    def count(self) -> int:
        """How many tables are summed."""
        return len(self.parts) // 2

    def infer(self) -> list[TensorType]:
        if not self.parts or len(self.parts) % 2:
            raise VerifyError("f.embed takes ids and tables in equal number", at=self.loc)
        ids, tables = self.parts[: self.count], self.parts[self.count :]
        shape = np.broadcast_shapes(*[i.shape for i in ids])
        return [tables[0].type.with_shape((*shape, tables[0].shape[1]))]

    def reference(self, *parts: Any) -> Any:
        ids, tables = parts[: self.count], parts[self.count :]
        return sum(t[i] for i, t in zip(ids, tables, strict=True))
