"""fuse-norm: LayerNorm and RMSNorm from the small ops that older opsets and most frameworks write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import Op, op_class
from emberc.ir.rewrite import Match, Pattern, Replacement, Rule, any_value, constant, op, scalar, splat
from emberc.ir.types import Array
from emberc.passes.manager import RewritePass


def _mean_last(o: Op) -> bool:
    """A mean over the last axis that keeps it."""
    rank = o.operands[0].type.rank if o.operands[0] else 0
    axes = o.attrs.get("axes")
    return (
        o.attrs.get("kind") == "mean"
        and bool(o.attrs.get("keepdims"))
        and isinstance(axes, list)
        and [a % rank for a in axes] == [rank - 1]
    )


def _mean(x: Pattern) -> Pattern:
    return op("f.reduce", x, where=_mean_last)


def _normalised(numerator: Pattern, variance: Pattern) -> Pattern:
    """numerator / sqrt(variance + eps), however the division is written; torch's newer exporter drops an eps of 1e-12
    that a module adds itself."""
    root = op("f.sqrt", op("f.add", variance, scalar(name="eps")) | variance)
    return (
        op("f.div", numerator, root)
        | op("f.mul", numerator, op("f.reciprocal", root))
        | op("f.mul", numerator, op("f.div", scalar(1.0, rtol=0), root))
    )


@dataclass(frozen=True)
class FuseNorm(RewritePass):
    """Recovers normalisation over the last axis.

    d = x - mean(x);  d / sqrt(mean(d*d) + eps) * gamma + beta  -->  f.layer_norm(x, gamma, beta) {eps}
    x / sqrt(mean(x*x) + eps) * gamma                           -->  f.rms_norm(x, gamma) {eps}
    layer_norm without gain, then mul or add of a constant row  -->  the gain or bias of the layer_norm
    """

    name: ClassVar[str] = "fuse-norm"

    def rules(self) -> Sequence[Rule]:
        x = any_value("x")
        # Both uses of the difference may be one value or two equal subtractions.
        d1, d2 = op("f.sub", x, _mean(x)), op("f.sub", x, _mean(x))
        norm = _normalised(d1, _mean(op("f.mul", d2, d2)))
        rms = _normalised(x, _mean(op("f.mul", x, x)))
        return [
            (norm, _layer_norm),
            (rms, _rms_norm),
            (op("f.mul", op("f.layer_norm", x, constant("g"), name="n"), constant("row")), _gain),
            (op("f.add", op("f.layer_norm", x, constant("g"), name="n"), constant("row")), _bias),
            (op("f.mul", op("f.rms_norm", x, constant("g"), name="n"), constant("row")), _gain),
        ]


def _eps(m: Match) -> float:
    if "eps" not in m:
        return 0.0
    eps = splat(m["eps"])
    assert eps is not None
    return eps


def _ones(m: Match, b: Builder) -> object:
    x = m["x"]
    return b.const(np.ones(x.shape[-1], x.type.dtype.numpy))


def _layer_norm(m: Match, b: Builder) -> Replacement:
    return b.emit(op_class("f.layer_norm"), m["x"], _ones(m, b), axis=m["x"].type.rank - 1, eps=_eps(m))


def _rms_norm(m: Match, b: Builder) -> Replacement:
    return b.emit(op_class("f.rms_norm"), m["x"], _ones(m, b), axis=m["x"].type.rank - 1, eps=_eps(m))


def _row(m: Match) -> Array | None:
    """The constant as one number per channel, or None when it is not that or others read the norm as it is."""
    row, n = m.const("row"), m["x"].shape[-1]
    if m.root.result.shape != m["x"].shape or row.size not in (1, n) or (row.size == n and row.shape[-1:] != (n,)):
        return None
    if not m.private(m.ops["n"].result) or m.ops["n"].attrs["axis"] != m["x"].type.rank - 1:
        return None
    return np.broadcast_to(row.reshape(-1), (n,)).astype(m["x"].type.dtype.numpy)


def _gain(m: Match, b: Builder) -> Replacement:
    row, norm = _row(m), m.ops["n"]
    return None if row is None else b.emit(type(norm), m["x"], b.const(m.const("g") * row, m["row"].name), **norm.attrs)


def _bias(m: Match, b: Builder) -> Replacement:
    row, norm = _row(m), m.ops["n"]
    return None if row is None else b.emit(type(norm), m["x"], m["g"], b.const(row, m["row"].name), **norm.attrs)
