"""merge-adapters: low-rank adapters go into the weights that they adapt, W' = W + B A (Hu et al., 2022, LoRA)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from emberc.ir.builder import Builder
from emberc.ir.op import Op, op_class
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, op
from emberc.ir.types import Array
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass

#: a linear layer as numbers: its input, [N, K] weights, [N] bias or None
Affine = tuple[Value, Array, "Array | None"]


@dataclass(frozen=True)
class MergeAdapters(RewritePass):
    """add(linear(x, W, b), linear(linear(x, A), B))  -->  linear(x, W + B A, b)

    Every linear layer on both sides has constant weights and no other reader, and both sides begin at the same x: two
    paths then cost more than their sum as one. Scales were folded into A or B before. A factored layer that stands
    alone stays factored: there the rank saves memory.
    """

    name: ClassVar[str] = "merge-adapters"

    def rules(self) -> Sequence[Rule]:
        return [(op("f.add", any_value("left"), any_value("right")), _merge)]


def _merge(m: Match, b: Builder) -> Replacement:
    for one in _paths(m["left"]):
        for other in _paths(m["right"]):
            if one[0] is other[0] and one[1].shape == other[1].shape and m["left"] is not m["right"]:
                biases = [bias for bias in (one[2], other[2]) if bias is not None]
                bias = b.const(sum(biases[1:], biases[0])) if biases else None
                return b.emit(op_class("f.linear"), one[0], b.const(one[1] + other[1]), bias)
    return None


def _paths(v: Value) -> list[Affine]:
    """``v`` as one linear layer of its input, and of that layer's input, as far as linear layers go."""
    paths: list[Affine] = []
    while (layer := _private_linear(v)) is not None:
        x, weight, bias = layer
        if paths:
            _, outer, shift = paths[-1]
            through = None if bias is None else outer @ bias
            bias = through if shift is None else shift if through is None else shift + through
            weight = outer @ weight
        paths.append((x, weight, bias))
        v = x
    return paths


def _private_linear(v: Value) -> Affine | None:
    root: Op | None = v.producer
    if root is None or root.opcode != "f.linear" or len(v.users) != 1:
        return None
    x, weight, bias = root.operands
    if x is None or weight is None or weight.const is None or (bias is not None and bias.const is None):
        return None
    return x, weight.const, None if bias is None else bias.const
