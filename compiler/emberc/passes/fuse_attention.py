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
        return b.emit(op_class("f.attention"), qs, ks, vs, mask, heads=nq, head_dim=dim, scale=scale, group=nq // nk)


def _last_axis(o: Op) -> bool:
    return o.attrs.get("axis") in (-1, o.results[0].type.rank - 1)


def _head_swap(o: Op) -> bool:
    return o.attrs.get("perm") == [0, 2, 1, 3]


def _scores(v: Value, b: Builder) -> tuple[Op, float, Value | None] | None:
    """The matmul behind the scores, the factor on it, and the mask; None when they are something else."""
    scale, mask = 1.0, None
    while v.producer is not None:
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
            return scores, _four_dims(mask, b)
    return None


def _selected(root: Op, b: Builder) -> tuple[Value, Value | None] | None:
    """where(c, scores, -huge) or where(c, -huge, scores)."""
    c, x, y = root.operands
    assert c is not None and x is not None and y is not None
    for scores, fill, negate in ((x, y, False), (y, x, True)):
        number = splat(fill)
        if number is not None and number <= -1e3:
            return scores, _four_dims(b.emit(op_class("f.not"), c) if negate else c, b)
    return None


def _four_dims(mask: Value, b: Builder) -> Value | None:
    """The mask as [B|1, 1, Lq|1, Lk], broadcasts taken off; None when all of it is true."""
    while mask.producer is not None and mask.producer.opcode == "f.expand" and mask.producer.operands[0] is not None:
        mask = mask.producer.operands[0]
    if mask.const is not None and bool(mask.const.all()):
        return None
    shape = [1] * (4 - mask.type.rank) + list(mask.shape)
    if mask.type.rank == 3:  # [B, Lq, Lk]: scores without a head axis
        shape = [mask.shape[0], 1, *mask.shape[1:]]
    return mask if list(mask.shape) == shape else b.emit(op_class("f.reshape"), mask, shape=shape)


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
        dim, length = (v.shape[-2], v.shape[-1]) if transposed else (v.shape[-1], v.shape[-2])
        if transposed:
            if root is None or root.opcode != "f.transpose" or root.operands[0] is None:
                return None
            perm = list(range(v.type.rank))
            perm[-2:] = perm[:-3:-1]
            if root.attrs["perm"] != perm:
                return None
            v = root.operands[0]
        return _reshape(v, [v.shape[0], length, dim], b), 1, dim
    return None


def _reshape(v: Value, shape: list[int], b: Builder) -> Value:
    return v if list(v.shape) == shape else b.emit(op_class("f.reshape"), v, shape=shape)
