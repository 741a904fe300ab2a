"""fuse-linear: products with a constant matrix become f.linear; bias and constant gains go into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import op_class
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, constant, op
from emberc.ir.types import Array
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass
from emberc.passes.two_valued import MOVES


@dataclass(frozen=True)
class FuseLinear(RewritePass):
    """matmul(x, W)           -->  linear(x, W^T)
    add(linear(x, W), b)      -->  linear(x, W, b)
    mul(linear(x, W, b), c)   -->  linear(x, c*W, c*b)      c one number or one per output channel
    linear(reshape(x), W)     -->  reshape(linear(x, W))    where the rows stay rows and are moved or cut next
    """

    name: ClassVar[str] = "fuse-linear"

    def rules(self) -> Sequence[Rule]:
        x, w = any_value("x"), constant("w")
        linear = op("f.linear", x, w, name="lin")
        biased = op("f.linear", x, w, constant("b"), name="lin")
        return [
            (op("f.matmul", x, w), _linear),
            (op("f.linear", op("f.reshape", x), w), _rows),
            (op("f.linear", op("f.reshape", x), w, constant("b")), _rows),
            (op("f.add", linear, constant("c")), _bias),
            (op("f.add", biased, constant("c")), _bias),
            (op("f.mul", linear, constant("c")), _gain),
            (op("f.mul", biased, constant("c")), _gain),
        ]


def per_channel(c: Array, channels: int, result: Value) -> Array | None:
    """A constant that broadcasts along the last axis only, as one number per channel; None when it does not."""
    if c.size == 1:
        return np.broadcast_to(c.reshape(-1), (channels,))
    ok = c.size == channels and c.shape[-1:] == (channels,) and c.ndim <= result.type.rank
    return c.reshape(-1) if ok else None


def _linear(m: Match, b: Builder) -> Replacement:
    w = m.const("w")
    if w.ndim != 2 or m["x"].const is not None or m["x"].type.rank < 2 or not m["x"].type.dtype.is_float:
        return None
    return b.emit(op_class("f.linear"), m["x"], b.const(np.ascontiguousarray(w.T), m["w"].name))


def _rows(m: Match, b: Builder) -> Replacement:
    """Exporters flatten the batch around a product; outside it both reshapes meet and cancel."""
    x, y = m["x"], m.root.result
    moved = bool(y.users) and all(u.opcode in MOVES for u in y.users)
    if x.type.rank < 2 or x.shape[-1] != m["w"].shape[1] or not moved:
        return None
    product = b.emit(op_class("f.linear"), x, m["w"], m.values.get("b"))
    return b.emit(op_class("f.reshape"), product, shape=list(y.shape))


def _sole(m: Match) -> Value | None:
    """The linear's result when nobody else reads it and the outer op does not broadcast it."""
    y = m.ops["lin"].result
    return y if m.private(y) and m.root.result.shape == y.shape else None


def _bias(m: Match, b: Builder) -> Replacement:
    y = _sole(m)
    c = per_channel(m.const("c"), m["w"].shape[0], y) if y else None
    if c is None:
        return None
    old = m.const("b") if "b" in m else 0
    return b.emit(op_class("f.linear"), m["x"], m["w"], b.const((c + old).astype(m.const("w").dtype), m["c"].name))


def _gain(m: Match, b: Builder) -> Replacement:
    y = _sole(m)
    c = per_channel(m.const("c"), m["w"].shape[0], y) if y else None
    if c is None:
        return None
    w = m.const("w")
    bias = b.const((c * m.const("b")).astype(w.dtype), m["b"].name) if "b" in m else None
    return b.emit(op_class("f.linear"), m["x"], b.const((c[:, None] * w).astype(w.dtype), m["w"].name), bias)
