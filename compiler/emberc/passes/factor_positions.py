"""factor-positions: position embeddings that an exporter multiplied out become two small matrices again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.ops.float_fused import Embed, Linear
from emberc.ir.ops.float_movement import Concat
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, constant, op
from emberc.ir.types import Array
from emberc.passes.manager import RewritePass

#: singular values below this share of the largest are what float32 rounding left of zeros
NOTHING = 1e-5
#: flash must become this much smaller, tables in int16 against factors in int8
WORTH = 4


@dataclass(frozen=True)
class FactorPositions(RewritePass):
    """add(linear(embed(i; T), W), P)  -->  linear(concat(embed(i; T), U), [W | V])      P [L, N] = U V^T, of low rank

    Tokens and positions of a few columns, projected each by a matrix of its own (EmbBERT; the factorized embeddings of
    Lan et al., 2020): the positions are known, so that folding constants makes L x N numbers of L x r and N x r. The
    second product costs L * N * r multiply-accumulates, r / 2 times less flash. U has the range of T, as one scale
    is all that a concatenation has.
    """

    name: ClassVar[str] = "factor-positions"

    def rules(self) -> Sequence[Rule]:
        linear = op("f.linear", any_value("x"), constant("w"), name="linear")
        return [(op("f.add", linear, constant("p")), _factored)]


def _factored(m: Match, b: Builder) -> Replacement:
    x, p, linear = m["x"], m.const("p"), m.ops["linear"]
    if not isinstance(x.producer, Embed) or not m.private(x) or not m.private(linear.result):
        return None
    if p.shape != linear.result.shape or m.root.result.shape != p.shape or p.shape[:-2] != (1,) * (p.ndim - 2):
        return None
    pair = _factors(p.reshape(p.shape[-2:]), _reach(x.producer))
    if pair is None:
        return None
    u, v = pair
    rows = b.const(u.reshape(*p.shape[:-1], -1).astype(p.dtype), f"{m['p'].name or 'positions'}.u")
    both = b.emit(Concat, [x, rows], axis=p.ndim - 1)
    weights = np.concatenate([m.const("w"), v.astype(p.dtype)], axis=1)
    return b.emit(Linear, both, b.const(weights, m["w"].name), None)


def _factors(p: Array, reach: float) -> tuple[Array, Array] | None:
    """u [L, r], every column of which spans ``reach``, and v [N, r] with p = u v^T; None where that saves little."""
    left, s, right = np.linalg.svd(p.astype(np.float64), full_matrices=False)
    rank = int((s > NOTHING * s[0]).sum()) if s.size else 0
    if not rank or not reach or 2 * p.size < WORTH * rank * sum(p.shape):
        return None
    u, v = left[:, :rank], right[:rank].T * s[:rank]
    top = u[np.abs(u).argmax(axis=0), np.arange(rank)]  # signed: which of u and -u is no accident
    gain = reach / top
    return u * gain, v / gain


def _reach(embed: Embed) -> float:
    """The largest magnitude that the sum of the tables can have."""
    tables = [t.const for t in embed.parts[embed.count :]]
    return 0.0 if any(t is None for t in tables) else sum(float(np.abs(t).max()) for t in tables if t is not None)
