"""fuse-qkv: linears that read the same value become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.graph import Function, Module
from emberc.ir.op import Op, op_class
from emberc.ir.ops.float_fused import Attention, Linear
from emberc.ir.types import Array
from emberc.ir.values import Value
from emberc.passes.manager import Pass

_PORTS = (("q", "q_offset"), ("k", "k_offset"), ("v", "v_offset"))


@dataclass(frozen=True)
class FuseQkv(Pass):
    """attention(linear(x, Wq), linear(x, Wk), linear(x, Wv))  -->  attention(p, p, p), p = linear(x, [Wq; Wk; Wv])
    attention(p[.., 0:d], p[.., d:2d], p[.., 2d:3d])         -->  attention(p, p, p)

    One pass over x instead of three. Only linears that nothing but this attention reads, and only those with the
    same input: after pruning, a query of one row stays apart while keys and values are still fused.
    """

    name: ClassVar[str] = "fuse-qkv"

    def run(self, module: Module) -> bool:
        return any([_fuse(f) for f in module.functions.values()])


def _fuse(function: Function) -> bool:
    changed = False
    for op in list(function.ops):
        if isinstance(op, Attention):
            changed |= _unslice(function, op)
            groups: dict[int, list[tuple[int, Linear]]] = {}
            for i in range(3):
                linear = _private_linear(function, op, i)
                if linear is not None:
                    groups.setdefault(id(linear.x), []).append((i, linear))
            for group in groups.values():
                if len({id(lin) for _, lin in group}) > 1:
                    _merge(function, op, group)
                    changed = True
    if changed:
        function.prune()
    return changed


def _unslice(function: Function, op: Attention) -> bool:
    """Columns that were cut out of one product for this attention alone are read where they are."""
    cuts = {i: v.producer for i, v in enumerate(op.operands[:3]) if v is not None and v.producer is not None}
    wholes: dict[int, Value] = {}
    for i, cut in cuts.items():
        whole = cut.operands[0] if cut.opcode == "f.slice" and columns_cut(cut) else None
        if whole is None or op.attrs[_PORTS[i][1]] != 0 or not isinstance(whole.producer, Linear):
            continue
        readers = [u for c in whole.users for u in c.results[0].users]
        if all(map(columns_cut, whole.users)) and all(u is op for u in readers) and not function.is_output(whole):
            wholes[i] = whole
    for i, whole in wholes.items():
        op.attrs[_PORTS[i][1]] = columns_cut(cuts[i])[0]
        op.set_operand(i, whole)
    return bool(wholes)


def _private_linear(function: Function, op: Attention, i: int) -> Linear | None:
    v = op.operands[i]
    linear = v.producer if v is not None else None
    if not isinstance(linear, Linear) or op.attrs[_PORTS[i][1]] != 0:
        return None
    constant = linear.weight.const is not None and (linear.bias is None or linear.bias.const is not None)
    private = all(u is op for u in linear.y.users) and not function.is_output(linear.y)
    return linear if constant and private else None


def _merge(function: Function, op: Attention, group: list[tuple[int, Linear]]) -> None:
    builder = Builder(" + ".join(dict.fromkeys(lin.loc for _, lin in group)))
    offsets: dict[int, int] = {}
    weights: list[Array] = []
    biases: list[Array] = []
    for _, lin in group:
        if id(lin) not in offsets:
            offsets[id(lin)] = sum(len(w) for w in weights)
            weights.append(_data(lin.weight))
            biases.append(np.zeros(len(weights[-1]), weights[-1].dtype) if lin.bias is None else _data(lin.bias))
    name = group[0][1].weight.name
    packed = builder.emit(
        op_class("f.linear"),
        group[0][1].x,
        builder.const(np.concatenate(weights), f"{name}.packed" if name else None),
        builder.const(np.concatenate(biases)),
    )
    for i, lin in group:
        op.set_operand(i, packed)
        op.attrs[_PORTS[i][1]] = offsets[id(lin)]
    # The packed product stands where the first of its parts stood: its input is already there.
    at = min(function.ops.index(lin) for _, lin in group)
    new: list[Op] = builder.ops
    function.ops[at:at] = new


def columns_cut(op: Op) -> list[int]:
    """Start and end of a slice of the last axis without gaps; nothing for any other op."""
    axes, rank = op.attrs.get("axes"), op.results[0].type.rank
    if op.opcode != "f.slice" or not isinstance(axes, list) or op.attrs["steps"] != [1] or op.operands[0] is None:
        return []
    starts, ends = op.attrs["starts"], op.attrs["ends"]
    assert isinstance(starts, list) and isinstance(ends, list)
    if [int(a) % rank for a in axes] != [rank - 1]:
        return []
    return list(slice(int(starts[0]), int(ends[0])).indices(op.operands[0].shape[-1])[:2])


def _data(v: Value) -> Array:
    assert v.const is not None
    return v.const
