"""prune-rows: a slice of rows moves up through everything that works row by row.

When only row 0 of the last block is read, only that row's queries, feed-forward and norms are computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emberc.ir.builder import Builder
from emberc.ir.graph import Function, Module
from emberc.ir.op import Op, op_class
from emberc.ir.ops.float_norm import Norm
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, op, rules_by_root, sweep_rules
from emberc.ir.values import Value
from emberc.passes.manager import Pass
from emberc.passes.merge_equal import merge_equal

#: ops whose rows (all axes but the last) do not mix, and which of their operands carry the rows
ROW_WISE = {
    "f.linear": (0,), "f.layer_norm": (0,), "f.rms_norm": (0,), "f.gelu": (0,), "f.silu": (0,), "f.tanh": (0,),
    "f.relu": (0,), "f.sigmoid": (0,), "f.erf": (0,), "f.clip": (0,), "f.cast": (0,), "f.softplus": (0,),
    "f.exp": (0,), "f.neg": (0,), "f.sqrt": (0,), "f.reciprocal": (0,), "f.abs": (0,),
    "f.add": (0, 1), "f.sub": (0, 1), "f.mul": (0, 1), "f.div": (0, 1), "f.max": (0, 1), "f.min": (0, 1),
}  # fmt: skip


@dataclass(frozen=True)
class PruneRows(Pass):
    """slice(op(x, ..), rows)           -->  op(slice(x, rows), ..)          op works row by row
    slice(attention(q, k, v), rows)  -->  attention(slice(q, rows), k, v)

    Only when every reader of the sliced value wants the same rows, and it is no output: then the full op is dead.
    """

    name: ClassVar[str] = "prune-rows"

    def run(self, module: Module) -> bool:
        changed = False
        for function in module.functions.values():
            # Both sides of a residual get their own slices of the common part: merge them as they arise, or the
            # next sweep would see readers that differ.
            rules = rules_by_root([_rule(function)])
            while sweep_rules(function, rules):
                merge_equal(function)
                changed = True
        return changed


def _rule(function: Function) -> Rule:
    x = any_value("x", lambda v: v.producer is not None and not function.is_output(v))
    return op("f.slice", x, name="slice", where=_row_slice), _sink


def _row_slice(o: Op) -> bool:
    """One axis, not the last."""
    axes = o.attrs["axes"]
    rank = o.results[0].type.rank
    return isinstance(axes, list) and len(axes) == 1 and axes[0] % rank < rank - 1


def _same_rows(v: Value, attrs: dict[str, object]) -> bool:
    return all(u.opcode == "f.slice" and u.attrs == attrs for u in v.users)


def _sink(m: Match, b: Builder) -> Replacement:
    x, cut = m["x"], m.ops["slice"]
    source = x.producer
    assert source is not None
    if not _same_rows(x, dict(cut.attrs)):
        return None
    if source.opcode == "f.attention":
        return _sink_query(source, cut, b)
    rows = ROW_WISE.get(source.opcode)
    if rows is None or len(source.results) != 1:
        return None
    axis = _axis(cut)
    if isinstance(source, Norm) and not _norm_of_rows(source, axis):
        return None
    operands = list(source.operands)
    back = x.type.rank - axis
    for i in rows:
        v = operands[i]
        assert v is not None
        if _has_rows(v, back):
            operands[i] = _cut(v, v.type.rank - back, cut, b)
    return _rebuild(source, operands, b)


def _has_rows(v: Value, back: int) -> bool:
    """Whether ``v`` differs along the axis that is ``back`` from the end; a broadcast operand has length 1 there,
    or lacks it."""
    return v.type.rank >= back and v.shape[-back] != 1


def _norm_of_rows(norm: Norm, axis: int) -> bool:
    """Whether ``axis`` is outside what is normalised together, and gain and bias are the same along it."""
    back = norm.x.type.rank - axis
    return axis < norm.axis and not any(_has_rows(v, back) for v in norm.operands[1:] if v is not None)


def _sink_query(source: Op, cut: Op, b: Builder) -> Replacement:
    q, *rest = source.operands
    mask = rest[2]
    if q is None or _axis(cut) != 1 or source.attrs["causal"]:
        return None
    if mask is not None and mask.shape[2] != 1:
        mask = _cut(mask, 2, cut, b)
    return _rebuild(source, [_cut(q, 1, cut, b), rest[0], rest[1], mask], b)


def _axis(cut: Op) -> int:
    axes = cut.attrs["axes"]
    assert isinstance(axes, list)
    return int(axes[0]) % cut.results[0].type.rank


def _cut(v: Value, axis: int, cut: Op, b: Builder) -> Value:
    return b.emit(op_class("f.slice"), v, **{**cut.attrs, "axes": [axis]})


def _rebuild(source: Op, operands: list[Value | None], b: Builder) -> Value:
    b.loc = source.loc
    return b.emit(type(source), **dict(zip(source.operand_fields, operands, strict=True)), **source.attrs)
