"""fuse-attention: softmax(q k^T) v over heads becomes one op, so that no L x L tensor ever exists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from emberc.ir.builder import Builder
from emberc.ir.op import Op, op_class
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, op, splat
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass
from emberc.passes.masks import attended


@dataclass(frozen=True)
class FuseAttention(RewritePass):
    """merge(softmax(c * split(q) split(k)^T + mask) split(v))  -->  f.attention(q, k, v, mask) {scale = c}

    ``split`` is reshape to [B, L, heads, head_dim] and transpose, ``merge`` the way back. The scale costs nothing
    afterwards: it goes into the multiplier that brings the scores to the softmax's unit.
    """

    name: ClassVar[str] = "fuse-attention"
    min_heads: int = 1

    def rules(self) -> Sequence[Rule]:
        probabilities = op("f.softmax", any_value("scores"), where=_last_axis)
        core = op("f.matmul", probabilities, any_value("v"))
        merge = op("f.reshape", op("f.transpose", core, where=_head_swap), name="merge")
        return [(merge, self._fuse), (core, self._fuse_single)]

    def _fuse(self, m: Match, b: Builder) -> Replacement:
        y = self._attention(m, b)
        shape = list(m.root.result.shape)
        return y if y is None or list(y.shape) == shape else b.emit(op_class("f.reshape"), y, shape=shape)

    def _fuse_single(self, m: Match, b: Builder) -> Replacement:
        """One head: exporters leave the head axis out, or of length 1."""
        y = self._attention(m, b) if prod(m.root.result.shape[1:-2]) == 1 else None
        shape = list(m.root.result.shape)
        return y if y is None or list(y.shape) == shape else b.emit(op_class("f.reshape"), y, shape=shape)

    def _attention(self, m: Match, b: Builder) -> Value | None:
        parts = _scores(m["scores"], b)
        if parts is None:
            return None
        product, scale, mask = parts
        q, k_t = product.operands
        assert q is not None and k_t is not None
        heads = [_split(q, b), _split(k_t, b, transposed=True), _split(m["v"], b)]
        if any(h is None for h in heads):
            return None
        (qs, nq, dim), (ks, nk, dk), (vs, nv, dv) = [h for h in heads if h is not None]
        if not (dim == dk == dv and nk == nv and nq % nk == 0 and nq >= self.min_heads):
            return None
        if not (qs.shape[0] == ks.shape[0] == vs.shape[0]):
            return None
        return b.emit(op_class("f.attention"), qs, ks, vs, mask, heads=nq, head_dim=dim, scale=scale, group=nq // nk)


def _last_axis(o: Op) -> bool:
    return o.attrs.get("axis") in (-1, o.results[0].type.rank - 1)


def _head_swap(o: Op) -> bool:
    return o.attrs.get("perm") == [0, 2, 1, 3]


def _scores(v: Value, b: Builder) -> tuple[Op, float, Value | None] | None:
    """The matmul behind the scores, the factor on it, and the mask; None when they are something else."""
    scale, mask, shape = 1.0, None, v.shape
    while v.producer is not None and v.shape == shape:  # (a mask or factor must not broadcast the scores)
        root = v.producer
        if root.opcode == "f.matmul":
            return root, scale, mask
        if root.opcode == "f.mul":
            factors = [splat(o) if o else None for o in root.operands]
            i = 0 if factors[0] is not None else 1
            factor, rest = factors[i], root.operands[1 - i]
            if factor is None or rest is None:
                return None
            scale, v = scale * factor, rest
        elif root.opcode == "f.add" and mask is None and scale == 1.0:
            found = _additive(root, b)
            if found is None:
                return None
            v, mask = found
        elif root.opcode == "f.where" and mask is None and scale == 1.0:
            found = _selected(root, b)
            if found is None:
                return None
            v, mask = found
        else:
            return None
    return None


def _additive(root: Op, b: Builder) -> tuple[Value, Value | None] | None:
    x, y = root.operands
    assert x is not None and y is not None
    for scores, extra in ((x, y), (y, x)):
        mask = attended(extra, b)
        if mask is not None:
            return _masked(scores, mask, b)
    return None


def _selected(root: Op, b: Builder) -> tuple[Value, Value | None] | None:
    """where(c, scores, -huge) or where(c, -huge, scores)."""
    c, x, y = root.operands
    assert c is not None and x is not None and y is not None
    for scores, fill, negate in ((x, y, False), (y, x, True)):
        number = splat(fill)
        if number is not None and number <= -1e3:
            return _masked(scores, b.emit(op_class("f.not"), c) if negate else c, b)
    return None


def _masked(scores: Value, mask: Value, b: Builder) -> tuple[Value, Value | None] | None:
    """The scores and their mask as [B|1, 1, Lq|1, Lk], broadcasts taken off; no mask when all of it is true.

    None when the mask differs between heads, or is shorter than the scores.
    """
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
    return None


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
    return v if list(v.shape) == shape else b.emit(op_class("f.reshape"), v, shape=shape)
