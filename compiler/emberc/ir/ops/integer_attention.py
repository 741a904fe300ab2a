"""q.attention: scores, softmax and weighted sum of all heads, one query row at a time."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from emberc.ir.arithmetic import Ints, clamp, count_leading_zeros, high_multiply, requantize, shifted, wide
from emberc.ir.op import Cost, attribute, operand, optional, result
from emberc.ir.ops.integer_base import QUANTIZED, IntegerOp
from emberc.ir.types import Array, DType, TensorType


class Attention(IntegerOp):
    """y = softmax(q k^T / c) v for every head, without a score matrix (online in rows, Vaswani et al., 2017).

    For every batch, head h and query row i (zero points of q, k, v are 0):
      s[j] = clamp16(requantize(sum_d q[i, d] * k[j, d], m_score, shift_score, 0))
      j is allowed when mask[j] is true and, with ``causal``, j <= i + Lk - Lq
      e[j] = table[min(max s - s[j], T - 1)] for allowed j, 0 for the others; table[T - 1] = 0
      Z    = sum_j e[j];  none allowed: the row of y is zero_point
      n    = clz32(Z);  r = (c_out // ((Z << n) >> 16)) << max(shift_out, 0)
      a    = sum_j e[j] * v[j, c], shifted left by n - B + min(shift_out, 0)
      y[c] = clamp((a * r + (zero_point << 32) + 2^31) >> 32)

    q, k and v are all int8 (B = 8) or all int16 (B = 16); of int16 both sums are exact in 64 bits, a negative shift
    brings them back, and y is int16.
    A step of s is 1/steps octave of exp2, known to the table alone (``arithmetic.exp2_table``): one unit of m_score
    is scale_q * scale_k / c * log2(e) * steps. c_out = 2^(16 + B - shift_out) * scale_v / scale_y, in [2^31, 2^32) for
    full precision (a positive shift_out is for int16 results). The weights stay relative to their row's maximum and
    are never rounded to 8 bits, so a flat row over many keys keeps its precision; one 32-bit division a row.
    q, k and v may be one packed value: ``*_offset`` is the column of head 0. ``group`` query heads share a
    key/value head.
    """

    opcode = "q.attention"
    typed_by = ("q",)
    q = operand(*QUANTIZED)  # [B, Lq, *]
    k = operand(*QUANTIZED)  # [B, Lk, *]
    v = operand(*QUANTIZED)  # [B, Lk, *]
    table = operand(DType.I16)  # [T], falling, 0 at the end
    mask = optional(DType.BOOL)  # [B or 1, 1, Lq or 1, Lk]
    heads = attribute[int]()
    head_dim = attribute[int]()
    m_score = attribute[int]()
    shift_score = attribute[int](0)
    c_out = attribute[int]()
    shift_out = attribute[int]()
    zero_point = attribute[int](0)
    q_offset = attribute[int](0)
    k_offset = attribute[int](0)
    v_offset = attribute[int](0)
    group = attribute[int](1)
    causal = attribute[bool](False)
    dtype = attribute[str]("i8")
    y = result()

    @property
    def bits(self) -> int:
        """B, the bits of q, k and v."""
        return 8 * self.q.type.dtype.size

    def infer(self) -> list[TensorType]:
        alike = self.q.type.dtype is self.k.type.dtype is self.v.type.dtype
        self.require(alike, f"q {self.q.type}, k {self.k.type} and v {self.v.type} are of different types")
        self.require(self.group >= 1 and self.heads % self.group == 0, f"{self.heads} heads in groups of {self.group}")
        pairs = [
            (self.q, self.q_offset, self.heads),
            (self.k, self.k_offset, self.heads // self.group),
            (self.v, self.v_offset, self.heads // self.group),
        ]
        for x, offset, heads in pairs:
            fits = x.type.rank >= 2 and 0 <= offset <= x.shape[-1] - heads * self.head_dim
            self.require(fits, f"{heads} heads of {self.head_dim} from column {offset} do not fit {list(x.shape)}")
        qs, ks = self.q.shape, self.k.shape
        self.require(
            qs[:-2] == ks[:-2] and ks[:-1] == self.v.shape[:-1],
            f"q {list(qs)}, k {list(ks)} and v {list(self.v.shape)} do not fit together",
        )
        if self.mask is not None:
            b, h, rows, keys = self.mask.shape if self.mask.type.rank == 4 else (0, 0, 0, 0)
            good = b in (1, prod(qs[:-2])) and h == 1 and rows in (1, qs[-2]) and keys == ks[-2]
            self.require(good, f"mask {list(self.mask.shape)} does not broadcast to [B, 1, {qs[-2]}, {ks[-2]}]")
        allowed = QUANTIZED if self.bits == 8 else (DType.I16,)
        return [TensorType(self.out_dtype(*allowed), (*qs[:-1], self.heads * self.head_dim))]

    def verify(self) -> None:
        t = wide(self.constant("table"))
        self.require(
            t.ndim == 1 and t.size >= 2 and int(t[-1]) == 0 and int(t[0]) >= 1 and bool((np.diff(t) <= 0).all()),
            "table must fall from at least 1 to 0",
        )
        self.require_word("m_score")
        self.require_range("shift_score", 0 if self.bits == 8 else -31, 31)
        self.require_range("shift_out", -24, 13)
        self.require_range("c_out", 1, (1 << 32) - 1)
        self.require_range("zero_point", *DType.I16.limits)
        score, s = self.head_dim << 2 * (self.bits - 1), self.shift_score
        score = score << s if s >= 0 else score >> -s
        self.require_int32("a shifted score", -score, score)
        total = int(t[0]) * 128 * self.k.shape[-2]  # the weights' sum stays below 2^24, which every shift relies on
        self.require_int32("a weighted sum (lower table[0])", -total, total)

    def scratch_bytes(self) -> int:
        """One row of scores, then of weights: int16[Lk]."""
        return -(-2 * self.k.shape[-2] // 4) * 4

    def overwrites(self) -> dict[str, tuple[str, ...]]:
        """y over q, where a head of a row of q lies as y has it: a row's scores are known before its y is written."""
        alone = self.q_offset == 0 and self.q.shape[-1] == self.heads * self.head_dim
        return {"y": ("q",)} if alone and self.y.type.dtype is self.q.type.dtype else {}

    def score_offsets(self, *more: Array) -> Ints | int:
        """What is added to every score, in steps: nothing here."""
        return 0

    def reference(
        self, q: Array, k: Array, v: Array, table: NDArray[np.int16], mask: Array | None, *more: Array
    ) -> Array:
        d, shared = self.head_dim, self.heads // self.group
        lq, lk = q.shape[-2], k.shape[-2]

        def split(x: Array, offset: int, heads: int) -> NDArray[np.float64]:
            """[.., L, *] -> [B, heads, L, d]; float64 multiplies with BLAS and is exact here."""
            cut = x.reshape(-1, x.shape[-2], x.shape[-1])[..., offset : offset + heads * d]
            out = cut.reshape(*cut.shape[:2], heads, d).transpose(0, 2, 1, 3).astype(np.float64)
            return np.repeat(out, self.heads // heads, axis=1)

        qh = split(q, self.q_offset, self.heads)
        kh = split(k, self.k_offset, shared)
        vh = split(v, self.v_offset, shared)
        dot: Ints = (qh @ kh.swapaxes(-1, -2)).astype(np.int64)
        s = wide(clamp(requantize(dot, self.m_score, self.shift_score, 0) + self.score_offsets(*more), DType.I16))
        allowed = np.ones((1, 1, lq, lk), np.bool_) if mask is None else mask.astype(np.bool_)
        if self.causal:
            allowed = allowed & (np.arange(lk) <= np.arange(lq)[:, None] + lk - lq)
        allowed = np.broadcast_to(allowed, s.shape)
        top = np.where(allowed, s, DType.I16.limits[0]).max(axis=-1, keepdims=True)
        behind = np.clip(top - s, 0, table.size - 1)
        e = np.where(allowed, wide(table)[behind], 0)
        z = e.sum(axis=-1, keepdims=True)
        safe = np.maximum(z, 1)
        n = count_leading_zeros(safe.astype(np.uint64), 32)
        r = (self.c_out // ((safe << n) >> 16)) << max(self.shift_out, 0)
        acc: Ints = (e.astype(np.float64) @ vh).astype(np.int64)
        y = high_multiply(shifted(acc, n - self.bits + min(self.shift_out, 0)), r, self.zero_point)
        y = np.where(z > 0, y, self.zero_point)
        return clamp(y, self.out_dtype(*QUANTIZED)).transpose(0, 2, 1, 3).reshape(self.y.shape)

    def cost(self) -> Cost:
        rows = self.y.type.elements // self.head_dim
        keys = self.k.shape[-2]
        return Cost(macs=2 * rows * keys * self.head_dim, elements=rows * keys)
