"""fuse-attention: softmax(q k^T) v over heads becomes one op, so that no L x L tensor ever exists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import Op, op_class
from emberc.ir.ops.float_quant import FakeQuant
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, op, splat
from emberc.ir.types import Array, DType
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass
from emberc.passes.masks import both, chosen, is_causal, terms_of


@dataclass(frozen=True)
class FuseAttention(RewritePass):
    """merge(softmax(c * split(q) split(k)^T + mask) split(v))  -->  f.attention(q, k, v, mask) {scale = c}

    ``split`` is reshape to [B, L, heads, head_dim] and transpose, ``merge`` the way back, or only its transpose, where
    other heads are laid beside these; heads that come from
    elsewhere (rotated, convolved) are laid side by side first, keys and values that are repeated for a group of
    queries are taken once. The scale costs nothing afterwards: it goes into the multiplier that brings the scores to
    the softmax's unit. A constant added to the scores (relative positions) makes it f.biased_attention.
    """

    name: ClassVar[str] = "fuse-attention"
    min_heads: int = 1

    def rules(self) -> Sequence[Rule]:
        probabilities = op("f.softmax", any_value("scores"), where=_last_axis)
        core = op("f.matmul", probabilities, any_value("v"))
        swapped = op("f.transpose", core, where=_head_swap)
        return [(op("f.reshape", swapped), self._fuse), (swapped, self._fuse_apart), (core, self._fuse_single)]

    def _fuse(self, m: Match, b: Builder) -> Replacement:
        y = self._attention(m, b)
        shape = list(m.root.result.shape)
        return y if y is None or list(y.shape) == shape else b.emit(op_class("f.reshape"), y, shape=shape)

    def _fuse_apart(self, m: Match, b: Builder) -> Replacement:
        """The heads as [B, L, heads, head_dim], when something else than the merging reshape reads them."""
        merged = all(u.opcode == "f.reshape" for u in m.root.result.users)
        return None if merged else self._fuse(m, b)

    def _fuse_single(self, m: Match, b: Builder) -> Replacement:
        """One head: exporters leave the head axis out, or of length 1."""
        y = self._attention(m, b) if prod(m.root.result.shape[1:-2]) == 1 else None
        shape = list(m.root.result.shape)
        return y if y is None or list(y.shape) == shape else b.emit(op_class("f.reshape"), y, shape=shape)

    def _attention(self, m: Match, b: Builder) -> Value | None:
        parts = _scores(m["scores"], b)
        if parts is None:
            return None
        product, scale, mask, bias = parts
        q, k_t = product.operands
        assert q is not None and k_t is not None
        heads = [_split(q, b), _split(k_t, b, transposed=True), _split(m["v"], b)]
        if any(h is None for h in heads):
            return None
        (qs, nq, dim), (ks, nk, dk), (vs, nv, dv) = [h for h in heads if h is not None]
        if not (dim == dk == dv and nk == nv and nq % nk == 0 and nq >= self.min_heads):
            return None
        if not (qs.shape[0] == ks.shape[0] == vs.shape[0]) or any(_off_center(v) for v in (qs, ks, vs)):
            return None
        attrs: dict[str, Any] = {"heads": nq, "head_dim": dim, "scale": scale, "group": nq // nk}
        if is_causal(mask):
            attrs["causal"], mask = True, None
        if bias is not None:
            rows = np.broadcast_to(bias, (1, nq, qs.shape[1], ks.shape[1]))[0]
            return b.emit(op_class("f.biased_attention"), qs, ks, vs, mask, b.const(rows), **attrs)
        return b.emit(op_class("f.attention"), qs, ks, vs, mask, **attrs)


def _off_center(v: Value) -> bool:
    """Whether the model file gives ``v`` integers that f.attention can't take: its products are symmetric int8."""
    while v.producer is not None and v.producer.opcode in ("f.reshape", "f.transpose", "f.slice"):
        (v,) = [o for o in v.producer.operands if o is not None]
    if not isinstance(v.producer, FakeQuant):
        return False
    given = v.producer.integer_type()
    return given.dtype is not DType.I8 or given.quant is None or given.quant.zero_point != 0


def _last_axis(o: Op) -> bool:
    return o.attrs.get("axis") in (-1, o.results[0].type.rank - 1)


def _head_swap(o: Op) -> bool:
    """[B, heads, L, dim] to [B, L, heads, dim], or to [L, 1, heads, dim] as torch's MultiheadAttention has it."""
    perm = o.attrs.get("perm")
    return perm == [0, 2, 1, 3] or (perm == [2, 0, 1, 3] and o.results[0].shape[1] == 1)


Scores = tuple[Op, float, Value | None, Array | None]


def _scores(v: Value, b: Builder) -> Scores | None:
    """The matmul behind the scores, the factor on it, the mask and the constant added to it; None when they are
    something else."""
    scale, mask, bias, shape = 1.0, None, None, v.shape
    while v.producer is not None and v.shape == shape:  # (a mask or factor must not broadcast the scores)
        root = v.producer
        if root.opcode == "f.matmul":
            return root, scale, mask, bias
        if root.opcode == "f.mul":
            factors = [splat(o) if o else None for o in root.operands]
            i = 0 if factors[0] is not None else 1
            factor, rest = factors[i], root.operands[1 - i]
            if factor is None or rest is None:
                return None
            scale, v = scale * factor, rest
        elif root.opcode in ("f.add", "f.sub") and scale == 1.0:
            terms = terms_of(root, b)
            if terms is None or (terms[2] is not None and (bias is not None or shape[0] != 1 or len(shape) != 4)):
                return None
            found = _masked(terms[0], terms[1], b)
            if found is None:
                return None
            v, mask = found[0], both(mask, found[1], b)
            bias = terms[2] if terms[2] is not None else bias
        elif root.opcode == "f.where" and scale == 1.0:
            pair = chosen(root, b)
            found = _masked(*pair, b) if pair is not None else None
            if found is None:
                return None
            v, mask = found[0], both(mask, found[1], b)
        else:
            return None
    return None


def _masked(scores: Value, mask: Value | None, b: Builder) -> tuple[Value, Value | None] | None:
    """The scores and their mask as [B|1, 1, Lq|1, Lk], broadcasts taken off; no mask when all of it is true.

    None when the mask differs between heads, or is shorter than the scores.
    """
    if mask is None:
        return scores, None
    while mask.producer is not None and mask.producer.opcode == "f.expand" and mask.producer.operands[0] is not None:
        mask = mask.producer.operands[0]
    if mask.const is not None and bool(mask.const.all()):
        return scores, None
    rank = scores.type.rank
    if rank not in (3, 4) or mask.type.rank > rank or mask.shape[-1:] != scores.shape[-1:]:
        return None
    shape = [1] * (rank - mask.type.rank) + list(mask.shape)
    if rank == 3:
        shape.insert(1, 1)
    if shape[1] != 1:
        return None
    return scores, mask if list(mask.shape) == shape else b.emit(op_class("f.reshape"), mask, shape=shape)


def _split(v: Value, b: Builder, *, transposed: bool = False) -> tuple[Value, int, int] | None:
    """[B, L, heads*dim] source, heads and dim of a value that matmul sees as [B, heads, L, dim].

    ``transposed``: it sees [B, heads, dim, L] (the keys).
    """
    once = _unrepeated(v, transposed, b)
    if once is not None:
        return _split(once, b)
    v = _with_batch(v, b)
    root = v.producer
    if v.type.rank == 4 and root is not None and root.opcode == "f.transpose" and root.operands[0] is not None:
        want = [0, 2, 3, 1] if transposed else [0, 2, 1, 3]
        inner = root.operands[0]
        if root.attrs["perm"] == want:
            batch, length, heads, dim = inner.shape
            source = inner.producer.operands[0] if inner.producer and inner.producer.opcode == "f.reshape" else inner
            assert source is not None
            return _reshape(source, [batch, length, heads * dim], b), heads, dim
    if v.type.rank in (3, 4) and prod(v.shape[1:-2]) == 1:
        batch, length, dim = v.shape[0], v.shape[-2], v.shape[-1]
        if transposed:
            length, dim = dim, length
            source = _untransposed(v)
            if source is None:
                return None
            v = source
        return _reshape(v, [batch, length, dim], b), 1, dim
    if v.type.rank == 4:
        swapped = b.emit(op_class("f.transpose"), v, perm=[0, 3, 1, 2] if transposed else [0, 2, 1, 3])
        batch, length, heads, dim = swapped.shape
        return _reshape(swapped, [batch, length, heads * dim], b), heads, dim
    return None


def _with_batch(v: Value, b: Builder) -> Value:
    """transpose(reshape(x)) for reshape(transpose(x)), where that gave the heads a batch of 1 and nothing else."""
    root = v.producer
    inner = root.operands[0] if root is not None and root.opcode == "f.reshape" else None
    move = inner.producer if inner is not None and v.shape == (1, *inner.shape) else None
    x = move.operands[0] if move is not None and move.opcode == "f.transpose" else None
    perm = move.attrs["perm"] if move is not None and x is not None else None
    if x is None or not isinstance(perm, list):
        return v
    return b.emit(op_class("f.transpose"), _reshape(x, [1, *x.shape], b), perm=[0, *(int(p) + 1 for p in perm)])


def _unrepeated(v: Value, transposed: bool, b: Builder) -> Value | None:
    """[B, heads, L, dim] before each head was repeated for a group of query heads; None when none was."""
    root = v.producer
    if transposed and root is not None and root.attrs.get("perm") == [0, 1, 3, 2]:
        return _unrepeated(root.operands[0] or v, False, b)
    wide = root.operands[0] if root is not None and root.opcode == "f.reshape" else None
    swap = wide.producer if wide is not None and transposed else None
    if swap is not None and swap.attrs.get("perm") == [0, 1, 2, 4, 3]:
        wide = swap.operands[0]
    elif transposed:
        return None
    thin = wide.producer.operands[0] if wide and wide.producer and wide.producer.opcode == "f.expand" else None
    if thin is None or wide is None or (thin.type.rank, v.type.rank) != (5, 4) or thin.shape[2] != 1:
        return None
    batch, heads, _, length, dim = thin.shape
    same = list(wide.shape) == [batch, heads, wide.shape[2], length, dim] and v.shape[1] == heads * wide.shape[2]
    return _reshape(thin, [batch, heads, length, dim], b) if same else None


def _untransposed(v: Value) -> Value | None:
    """The value whose last two axes were swapped to make ``v``, perhaps under another rank; None if none was."""
    root = v.producer
    if root is not None and root.opcode == "f.reshape" and root.operands[0] is not None:
        inner = root.operands[0]
        return _untransposed(inner) if inner.shape[-2:] == v.shape[-2:] else None
    perm = list(range(v.type.rank))
    perm[-2:] = perm[:-3:-1]
    swaps = root is not None and root.opcode == "f.transpose" and root.attrs["perm"] == perm
    return root.operands[0] if root is not None and swaps else None


def _reshape(v: Value, shape: list[int], b: Builder) -> Value:
    while v.producer is not None and v.producer.opcode == "f.reshape" and v.producer.operands[0] is not None:
        v = v.producer.operands[0]
    return v if list(v.shape) == shape else b.emit(op_class("f.reshape"), v, shape=shape)
