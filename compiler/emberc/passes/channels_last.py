"""channels-last: swaps of time and channels sink below arithmetic until they meet and cancel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import OPS, Op, op_class
from emberc.ir.ops.float_binary import Binary
from emberc.ir.ops.float_unary import FloatUnary
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, constant, op
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass


@dataclass(frozen=True)
class ChannelsLast(RewritePass):
    """f(swap(x))           -->  swap(f(x))             f of one variable
    f(swap(x), swap(y))  -->  swap(f(x, y))          f of two; also of swap(x) and a constant
    W x                  -->  swap(linear(swap(x)))  W a constant matrix
    swap(swap(x))        -->  x

    Models that keep channels before time (every Mamba of transformers) transpose around each product. Swaps only ever
    move towards the outputs, so the rules end.
    """

    name: ClassVar[str] = "channels-last"

    def rules(self) -> Sequence[Rule]:
        x, y = any_value("x"), any_value("y")
        swap, swap_y = op("f.transpose", x, where=_is_swap), op("f.transpose", y, where=_is_swap)
        rules: list[Rule] = [
            (op("f.matmul", constant("w"), x), _product),
            (op("f.transpose", swap, where=_is_swap), lambda m, b: m["x"]),
        ]
        for code, cls in sorted(OPS.items()):
            if issubclass(cls, FloatUnary):
                rules.append((op(code, swap), _unary))
            elif issubclass(cls, Binary):
                rules += [(op(code, swap, swap_y), _both), (op(code, swap, constant("y")), _beside)]
                rules.append((op(code, constant("y"), swap), _beside))
        return rules


def _is_swap(o: Op) -> bool:
    return o.attrs.get("perm") == [0, 2, 1]


def _swap(v: Value, b: Builder) -> Value:
    return b.emit(op_class("f.transpose"), v, perm=[0, 2, 1])


def _unary(m: Match, b: Builder) -> Replacement:
    return _swap(b.emit(type(m.root), m["x"], **m.root.attrs), b)


def _both(m: Match, b: Builder) -> Replacement:
    if m["x"].type.rank != m["y"].type.rank:
        return None
    pair = [m["x"], m["y"]] if _inner(m.root.operands[0]) is m["x"] else [m["y"], m["x"]]
    return _swap(b.emit(type(m.root), *pair, **m.root.attrs), b)


def _beside(m: Match, b: Builder) -> Replacement:
    """The constant swaps its last two axes, of which it may lack the first."""
    c = m.const("y")
    if c.ndim > 3 or m.root.result.shape != (m["x"].shape[0], m["x"].shape[2], m["x"].shape[1]):
        return None
    moved = b.const(np.swapaxes(c.reshape((1,) * (3 - c.ndim) + c.shape), 1, 2), m["y"].name)
    pair = [m["x"], moved] if _inner(m.root.operands[0]) is m["x"] else [moved, m["x"]]
    return _swap(b.emit(type(m.root), *pair, **m.root.attrs), b)


def _inner(v: Value | None) -> Value | None:
    return v.producer.operands[0] if v is not None and v.producer is not None and v.producer.operands else None


def _product(m: Match, b: Builder) -> Replacement:
    if m["w"].type.rank != 2 or m["x"].type.rank != 3 or m["x"].const is not None:
        return None
    return _swap(b.emit(op_class("f.linear"), _swap(m["x"], b), m["w"]), b)
