"""conv-padding: zeros around a convolution, and rows that are cut off behind it, become the convolution's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from emberc.ir.builder import Builder
from emberc.ir.op import Op
from emberc.ir.ops.float_linear import Conv
from emberc.ir.ops.float_movement import Pad
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, op
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass


@dataclass(frozen=True)
class ConvPadding(RewritePass):
    """conv(pad(x))              -->  conv(x) with more padding     zeros in time or space
    conv(transpose(pad(x)))      -->  conv(pad(transpose(x)))
    slice(conv(x))               -->  conv(x) with less padding     stride 1, what is cut is padding's

    Both ways to write a causal convolution, pad before the first step or pad both ends and cut the last: the
    convolution then is seen to look back only, and can stream.
    """

    name: ClassVar[str] = "conv-padding"

    def rules(self) -> Sequence[Rule]:
        w = any_value("w")
        padded = op("f.pad", any_value("x"), name="pad", where=_of_zeros)
        swapped = op("f.transpose", padded, name="swap")
        whole, biased = (op("f.conv", any_value("x"), w, *b, name="conv") for b in ((), (any_value("b"),)))
        rules: list[Rule] = []
        for bias in ((), (any_value("b"),)):
            rules += [(op("f.conv", padded, w, *bias, name="conv"), _with_pads)]
            rules += [(op("f.conv", swapped, w, *bias, name="conv"), _transpose_first)]
        return [*rules, *[(op("f.slice", conv, name="cut"), _cut) for conv in (whole, biased)]]


def _of_zeros(o: Op) -> bool:
    return isinstance(o, Pad) and o.mode == "constant" and o.value == 0


def _again(conv: Op, x: Value, b: Builder, pads: list[int]) -> Value:
    return b.emit(Conv, x, *conv.operands[1:], **{**conv.attrs, "pads": pads})


def _with_pads(m: Match, b: Builder) -> Replacement:
    conv, pad = m.ops["conv"], m.ops["pad"]
    assert isinstance(conv, Conv) and isinstance(pad, Pad)
    rank, dims = pad.x.type.rank, pad.x.type.rank - 2
    around = [pad.pads[:2], pad.pads[rank : rank + 2]]
    if any(map(any, around)) or min(conv.pads) < 0:
        return None
    more = [*pad.pads[2:rank], *pad.pads[rank + 2 :]]
    assert len(more) == len(conv.pads) == 2 * dims
    return _again(conv, m["x"], b, [p + q for p, q in zip(conv.pads, more, strict=True)])


def _transpose_first(m: Match, b: Builder) -> Replacement:
    conv, pad, swap = m.ops["conv"], m.ops["pad"], m.ops["swap"]
    assert isinstance(pad, Pad)
    perm, rank = swap.attrs["perm"], pad.x.type.rank
    assert isinstance(perm, list)
    moved = b.emit(type(swap), m["x"], perm=perm)
    pads = [pad.pads[side + p] for side in (0, rank) for p in perm]
    x = b.emit(Pad, moved, pads=pads)
    return b.emit(Conv, x, *conv.operands[1:], **conv.attrs)


def _cut(m: Match, b: Builder) -> Replacement:
    conv, cut = m.ops["conv"], m.ops["cut"]
    assert isinstance(conv, Conv)
    if len(conv.y.users) != 1 or set(conv.strides) != {1}:
        return None
    pads, dims = list(conv.pads), conv.y.type.rank - 2
    lists = [cut.attrs[name] for name in ("starts", "ends", "axes", "steps")]
    for start, end, axis, step in zip(*lists, strict=True):
        axis %= conv.y.type.rank
        size = conv.y.shape[axis]
        first, last, _ = slice(start, end).indices(size)
        i = axis - 2
        if i < 0 or step != 1 or last <= first or first > pads[i] or size - last > pads[dims + i]:
            return None
        pads[i], pads[dims + i] = pads[i] - first, pads[dims + i] - (size - last)
    return _again(conv, m["x"], b, pads)
