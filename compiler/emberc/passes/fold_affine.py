"""fold-affine: what batch normalization became (a gain and an offset a channel) goes into the weights beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, constant, op
from emberc.ir.types import Array
from emberc.ir.values import Value
from emberc.passes.fuse_linear import per_channel
from emberc.passes.manager import RewritePass


@dataclass(frozen=True)
class FoldAffine(RewritePass):
    """add(conv_rows(x, w, b), c)  -->  conv_rows(x, w, b + c)      c one number, or one per output channel
    mul(conv_rows(x, w, b), c)  -->  conv_rows(x, c*w, c*b)
    dense(mul(x, c), w, b)      -->  dense(x, w*c, b)            dense: linear or conv_rows; c per channel of x
    dense(add(x, c), w, b)      -->  dense(x, w, b + w c)        of a convolution only where nothing is padded

    An offset before padding is no offset of the padding: there the add stays.
    """

    name: ClassVar[str] = "fold-affine"

    def rules(self) -> Sequence[Rule]:
        x, w, b, c = any_value("x"), constant("w"), constant("b"), constant("c")
        rules: list[Rule] = []
        for bias in ((), (b,)):
            conv = op("f.conv_rows", x, w, *bias, name="inner")
            rules += [(op("f.add", conv, c), _bias), (op("f.mul", conv, c), _gain)]
            for code in ("f.linear", "f.conv_rows"):
                scaled, moved = op("f.mul", x, c, name="before"), op("f.add", x, c, name="before")
                rules += [(op(code, scaled, w, *bias, name="dense"), _gain_before)]
                rules += [(op(code, moved, w, *bias, name="dense"), _offset_before)]
        return rules


def _channels(m: Match) -> Array | None:
    """``c`` as one number per output channel of the inner op, when nobody else reads that."""
    y = m.ops["inner"].result
    if not m.private(y) or m.root.result.shape != y.shape:
        return None
    return per_channel(m.const("c"), y.shape[-1], y)


def _bias(m: Match, b: Builder) -> Replacement:
    c, inner = _channels(m), m.ops["inner"]
    if c is None:
        return None
    old = m.const("b") if "b" in m else 0
    return b.emit(type(inner), m["x"], m["w"], _new(c + old, m["c"], m, b), **inner.attrs)


def _gain(m: Match, b: Builder) -> Replacement:
    c, inner, w = _channels(m), m.ops["inner"], m.const("w")
    if c is None:
        return None
    weights = _new(w * c.reshape(-1, *[1] * (w.ndim - 1)), m["w"], m, b)
    bias = _new(c * m.const("b"), m["b"], m, b) if "b" in m else None
    return b.emit(type(inner), m["x"], weights, bias, **inner.attrs)


def _inputs(m: Match) -> Array | None:
    """``c`` per weight of one tap: [C], or [M, C / groups] where groups of output channels read different ones."""
    x, before, dense, w = m["x"], m.ops["before"], m.ops["dense"], m.const("w")
    if before.result.shape != x.shape or x.const is not None:
        return None
    c = per_channel(m.const("c"), x.shape[-1], x)
    groups = dense.attrs.get("groups", 1)
    assert isinstance(groups, int)
    return None if c is None else np.repeat(c.reshape(groups, -1), len(w) // groups, axis=0)


def _gain_before(m: Match, b: Builder) -> Replacement:
    c, w = _inputs(m), m.const("w")
    if c is None:
        return None
    spread = c.reshape(len(w), *[1] * (w.ndim - 2), -1)
    return b.emit(type(m.root), m["x"], _new(w * spread, m["w"], m, b), m.values.get("b"), **m.root.attrs)


def _offset_before(m: Match, b: Builder) -> Replacement:
    c, w, pads = _inputs(m), m.const("w"), m.root.attrs.get("pads", [])
    if c is None or (isinstance(pads, list) and any(pads)):
        return None
    total = (w.reshape(len(w), -1, w.shape[-1]).sum(axis=1) * c).sum(axis=1)
    bias = _new(total + (m.const("b") if "b" in m else 0), m["c"], m, b)
    return b.emit(type(m.root), m["x"], m["w"], bias, **m.root.attrs)


def _new(data: Array, like: Value, m: Match, b: Builder) -> Value:
    return b.const(np.ascontiguousarray(data, m.const("w").dtype), like.name)
