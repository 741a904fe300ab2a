"""split-linear: a product that is cut into columns becomes one product for each part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.graph import Function, Module
from emberc.ir.op import Op
from emberc.ir.ops.float_fused import Linear
from emberc.ir.ops.float_scan import CausalConv, SelectiveScan
from emberc.passes.manager import Pass


@dataclass(frozen=True)
class SplitLinear(Pass):
    """slice(linear(x, W, b), columns)  -->  linear(x, W[columns], b[columns])

    Where a state space model's projections are packed into one product: each part then has integers of its own
    (8 bits for x, 16 for B and C, an index for Delta) and is written where it is wanted, with no copy. Only where a
    part goes into a scan or its convolution, and nothing reads the whole.
    """

    name: ClassVar[str] = "split-linear"

    def run(self, module: Module) -> bool:
        return any([_split_all(f) for f in module.functions.values()])


def _split_all(function: Function) -> bool:
    """Parts too: a part is cut again where the convolution after it is."""
    changed = False
    while wanted := [op for op in function.ops if _wanted(function, op)]:
        changed = any([_split(function, op) for op in wanted])
    return changed


def _wanted(function: Function, op: Op) -> bool:
    if not isinstance(op, Linear) or op.weight.const is None or function.is_output(op.y):
        return False
    if op.bias is not None and op.bias.const is None:
        return False
    readers = [reader for cut in op.y.users for r in cut.results for reader in r.users]
    wanted = any(isinstance(r, SelectiveScan | CausalConv) for r in readers)
    return wanted and all(cuts_channels(cut) for cut in op.y.users)


def cuts_channels(op: Op) -> bool:
    """Whether ``op`` is a slice of the last axis without gaps."""
    axes, rank = op.attrs.get("axes"), op.results[0].type.rank
    one_axis = op.opcode == "f.slice" and isinstance(axes, list) and [int(a) % rank for a in axes] == [rank - 1]
    return one_axis and op.attrs["steps"] == [1]


def channels_of(cut: Op, width: int) -> slice:
    """The part of an axis of ``width`` that such a slice gives, its ends within it."""
    starts, ends = cut.attrs["starts"], cut.attrs["ends"]
    assert isinstance(starts, list) and isinstance(ends, list)
    return slice(*slice(int(starts[0]), int(ends[0])).indices(width))


def _split(function: Function, linear: Op) -> bool:
    assert isinstance(linear, Linear) and linear.weight.const is not None
    builder, width = Builder(linear.loc), linear.weight.shape[0]
    for cut in list(linear.y.users):
        columns = channels_of(cut, width)
        weight = builder.const(np.ascontiguousarray(linear.weight.const[columns]), linear.weight.name)
        bias = None
        if linear.bias is not None and linear.bias.const is not None:
            bias = builder.const(np.ascontiguousarray(linear.bias.const[columns]), linear.bias.name)
        part = builder.emit(Linear, linear.x, weight, bias)
        part.name = cut.results[0].name
        function.replace(cut.results[0], part)
    at = function.ops.index(linear)
    function.ops[at:at] = builder.ops
    function.prune()
    return True
