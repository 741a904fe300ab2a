"""fuse-causal-conv: depthwise convolution over the past, and its SiLU, become one op that can stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from emberc.ir.builder import Builder
from emberc.ir.op import Op, op_class
from emberc.ir.rewrite import Match, Pattern, Replacement, Rule, any_value, constant, op
from emberc.ir.types import Array
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass


@dataclass(frozen=True)
class FuseCausalConv(RewritePass):
    """silu(depthwise_rows(x, w) {before = K - 1})           -->  f.causal_conv(x, w) {silu}
    s = concat(window, row);  silu(sum over K of s * w + b)  -->  f.causal_conv(row, w, b, window) {silu}
    slice(s, without its first row)                          -->  its tail

    The second form is one step of a model that carries its last K - 1 rows as a state. Runs when the rows that no
    output needs are gone: a causal convolution computes all of its rows.
    """

    name: ClassVar[str] = "fuse-causal-conv"

    def rules(self) -> Sequence[Rule]:
        x, w = any_value("x"), constant("w")
        rows: list[Pattern] = [op("f.depthwise_rows", x, w, *b, name="rows") for b in ((), (constant("b"),))]
        joined = op("f.concat", any_value("window"), any_value("row"), name="joined", where=_is_window)
        taps = op("f.reduce", op("f.mul", joined, w), name="sum", where=_sums_rows)
        biased = op("f.add", taps, constant("b"))
        return [
            *[(op("f.silu", r), _whole) for r in rows],
            (op("f.silu", biased), _step),
            (op("f.silu", taps), _step),
            (op("f.slice", joined, name="cut", where=_drops_first_row), _tail),
        ]


def _whole(m: Match, b: Builder) -> Replacement:
    rows, taps = m.ops["rows"], m["w"].shape[0]
    if (rows.attrs["before"], rows.attrs["after"], rows.attrs["dilation"]) != (taps - 1, 0, 1):
        return None
    if not m.private(rows.result):
        return None
    return b.add(op_class("f.causal_conv"), m["x"], m["w"], m.values.get("b"), silu=True)[0]


def _is_window(o: Op) -> bool:
    """Rows of the past [B, K - 1, C], then the row of now."""
    row = o.operands[-1]
    return o.attrs["axis"] == 1 and row is not None and row.type.rank == 3 and row.shape[1] == 1


def _sums_rows(o: Op) -> bool:
    return o.attrs["kind"] == "sum" and o.attrs["axes"] == [1]


def _drops_first_row(o: Op) -> bool:
    return (o.attrs["starts"], o.attrs["axes"], o.attrs["steps"]) == ([1], [1], [1]) and o.attrs["ends"] == [
        o.operands[0].shape[1] if o.operands[0] else None
    ]


def _step(m: Match, b: Builder) -> Replacement:
    conv = _causal_conv(m, b)
    return None if conv is None else b.emit(op_class("f.reshape"), conv[0], shape=list(m.root.result.shape))


def _tail(m: Match, b: Builder) -> Replacement:
    """The rows that the convolution found by ``_step`` keeps; both results come from one op."""
    window, row = m["window"], m["row"]
    for user in window.users:
        if user.opcode == "f.causal_conv" and user.operands[0] is row and user.operands[3] is window:
            return user.results[1]
    return None


def _causal_conv(m: Match, b: Builder) -> list[Value] | None:
    joined = m.ops["joined"].result
    w = _taps(m.const("w"), joined.shape)
    if w is None:
        return None
    bias: Value | None = m.values.get("b")
    if bias is not None:
        if bias.type.elements != joined.shape[2]:
            return None
        bias = b.const(m.const("b").reshape(-1), bias.name)
    return b.add(op_class("f.causal_conv"), m["row"], b.const(w, m["w"].name), bias, m["window"], silu=True)


def _taps(w: Array, joined: tuple[int, ...]) -> Array | None:
    """The filters [K, C] where they are that and nothing else."""
    return w.reshape(joined[1:]) if w.shape in (joined[1:], (1, *joined[1:])) else None
