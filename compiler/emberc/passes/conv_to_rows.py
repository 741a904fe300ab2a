"""conv-to-rows: convolution over time becomes products of rows, with channels last like everything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import Op, op_class
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, constant, op
from emberc.ir.types import Array
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass


@dataclass(frozen=True)
class ConvToRows(RewritePass):
    """conv(x) with a filter a channel  -->  swap(depthwise_rows(swap(x)))      swap: channels to the end and back
    conv(x) of window 1                -->  swap(linear(swap(x)))
    slice(depthwise_rows(x), rows)     -->  depthwise_rows(x) with other padding
    slice(swap(x))                     -->  swap(slice(x))                     swap(swap(x)) is canonicalize's

    Only in one dimension with stride 1. The slice is how exporters write a causal convolution: pad both ends, cut one.
    """

    name: ClassVar[str] = "conv-to-rows"

    def rules(self) -> Sequence[Rule]:
        x, w = any_value("x"), constant("w")
        conv, biased = op("f.conv", x, w, name="conv"), op("f.conv", x, w, constant("b"), name="conv")
        rows, rows_biased = (op("f.depthwise_rows", x, w, *b, name="rows") for b in ((), (constant("b"),)))
        swap = op("f.transpose", x, name="swap", where=_is_swap)
        return [
            (conv, _rows),
            (biased, _rows),
            (op("f.slice", rows, name="cut", where=_one_step), _narrow),
            (op("f.slice", rows_biased, name="cut", where=_one_step), _narrow),
            (op("f.slice", swap, name="cut"), _slice_first),
            (op("f.transpose", swap, where=_is_swap), lambda m, b: m["x"]),
        ]


def _is_swap(o: Op) -> bool:
    return o.attrs.get("perm") == [0, 2, 1]


def _one_step(o: Op) -> bool:
    return o.attrs["steps"] == [1] and o.attrs["axes"] in ([1], [-2])


def _swap(v: Value, b: Builder) -> Value:
    return b.emit(op_class("f.transpose"), v, perm=[0, 2, 1])


def _rows(m: Match, b: Builder) -> Replacement:
    x, w, attrs = m["x"], m.const("w"), m.ops["conv"].attrs
    pads, dilations = attrs["pads"], attrs["dilations"]
    if w.ndim != 3 or attrs["strides"] != [1] or not isinstance(pads, list) or not isinstance(dilations, list):
        return None
    channels, bias = x.shape[1], m.values.get("b")
    if w.shape[2] == 1 and pads == [0, 0]:
        dense = _dense(w[:, :, 0], x.shape[1] // w.shape[1])
        return _swap(b.emit(op_class("f.linear"), _swap(x, b), b.const(dense, m["w"].name), bias), b)
    if attrs["groups"] != channels or w.shape[:2] != (channels, 1):
        return None
    filters = b.const(np.ascontiguousarray(w[:, 0].T), m["w"].name)
    around = {"before": pads[0], "after": pads[1], "dilation": dilations[0]}
    return _swap(b.emit(op_class("f.depthwise_rows"), _swap(x, b), filters, bias, **around), b)


def _dense(w: Array, groups: int) -> Array:
    """[M, C / groups] as [M, C], zero outside each group's block."""
    out, inputs = w.shape
    dense = np.zeros((groups, out // groups, groups, inputs), w.dtype)
    for g in range(groups):
        dense[g, :, g] = w.reshape(groups, out // groups, inputs)[g]
    return dense.reshape(out, groups * inputs)


def _narrow(m: Match, b: Builder) -> Replacement:
    """Output rows start .. end need no more of the input than their windows."""
    rows, cut = m.ops["rows"], m.ops["cut"]
    if len(rows.result.users) != 1:
        return None
    length = rows.result.shape[1]
    starts, ends = cut.attrs["starts"], cut.attrs["ends"]
    assert isinstance(starts, list) and isinstance(ends, list)
    before, after, dilation = (int(rows.attrs[n]) for n in ("before", "after", "dilation"))  # type: ignore[arg-type]
    before, after = before - int(starts[0]), after - (length - int(ends[0]))
    x, taps = m["x"], m["w"].shape[0]
    if before < 0 or after < 0:  # rows of x that no window reaches any more are cut off, whatever made them
        first, last = max(0, -before), x.shape[1] - max(0, -after)
        x = b.emit(op_class("f.slice"), x, starts=[first], ends=[last], axes=[1], steps=[1])
    around = {"before": max(0, before), "after": max(0, after), "dilation": dilation}
    if x.shape[1] + around["before"] + around["after"] < (taps - 1) * dilation + 1:
        return None
    return b.emit(op_class("f.depthwise_rows"), x, m["w"], m.values.get("b"), **around)


def _slice_first(m: Match, b: Builder) -> Replacement:
    """The slice of the swapped value is a slice of the other axis."""
    cut = m.ops["cut"]
    axes = cut.attrs["axes"]
    assert isinstance(axes, list)
    moved = [[0, 2, 1][int(a) % 3] for a in axes]
    return _swap(b.emit(op_class("f.slice"), m["x"], **{**cut.attrs, "axes": moved}), b)
