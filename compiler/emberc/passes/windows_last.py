"""windows-last: convolution and pooling with channels as the last axis, and what lies between them too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import Op, op_class
from emberc.ir.ops.float_linear import Conv, Pool
from emberc.ir.ops.float_unary import Unary
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, constant, op
from emberc.ir.types import Array
from emberc.ir.values import Value
from emberc.passes.fuse_linear import per_channel
from emberc.passes.manager import RewritePass

BINARY = ("f.add", "f.sub", "f.mul", "f.div", "f.max", "f.min")
#: ops that make rows of channels, behind which a transpose is known to be one of ours
MAKERS = {"f.conv_rows", "f.pool_rows", "f.depthwise_rows"}
#: how far back a transpose's origin is looked for
REACH = 8


def unary_opcodes() -> list[str]:
    """Every function of one float."""
    found: list[str] = []
    waiting: list[type[Unary]] = [Unary]
    for cls in waiting:
        waiting += cls.__subclasses__()
        found += [cls.opcode] if cls.opcode.startswith("f.") else []
    return found


@dataclass(frozen=True)
class WindowsLast(RewritePass):
    """conv(x)            -->  first(conv_rows(last(x)))       last: channels to the end, first: back to axis 1
    conv(x) of window 1   -->  first(linear(last(x)))          also a conv with one window, on all of x
    pool(x)               -->  first(pool_rows(last(x)))
    f(first(x))           -->  first(f(x))                     f of one variable, or two, the other alike or constant
    f(reshape(x))         -->  reshape(f(x))                   x a product, whose epilogue f can be; or whose bias
    reduce(first(x))      -->  first(reduce(x))                along with the axes; slice and concat likewise
    reshape(first(x))     -->  transpose(reshape(x))           where reshape only drops axes of length 1
    transpose(x)          -->  reshape(x)                      where only axes of length 1 move

    One and two dimensions. Behind attention a transpose of the last two axes means something else: of three axes, only
    those behind a convolution move.
    """

    name: ClassVar[str] = "windows-last"

    def rules(self) -> Sequence[Rule]:
        x, w = any_value("x"), constant("w")
        first = op("f.transpose", x, name="first", where=_is_first)
        other = op("f.transpose", any_value("y"), name="other", where=_is_first)
        rules: list[Rule] = [
            (op("f.conv", x, w, name="conv"), _conv),
            (op("f.conv", x, w, constant("b"), name="conv"), _conv),
            (op("f.pool", x, name="pool"), _pool),
            (op("f.reduce", first, name="outer"), _reduce),
            (op("f.slice", first, name="outer"), _slice),
            (op("f.reshape", op("f.transpose", x, name="first")), _drop_ones),
            (op("f.transpose", op("f.transpose", x, name="inner"), name="outer"), _merge),
            (op("f.transpose", x, name="outer"), _as_reshape),
        ]
        rules += [(op(code, first, name="outer"), _unary) for code in unary_opcodes()]
        shaped = op("f.reshape", any_value("x", _is_product), name="shaped")
        rules += [(op(code, shaped, name="outer"), _inside) for code in unary_opcodes()]
        for code in ("f.add", "f.mul"):
            rules += [(op(code, shaped, constant("c"), name="outer"), _inside_constant)]
        for code in BINARY:
            rules += [(op(code, first, constant("c"), name="outer"), _with_constant)]
            rules += [(op(code, constant("c"), first, name="outer"), _with_constant)]
            rules += [(op(code, first, other, name="outer"), _pair)]
        for count in (2, 3, 4):
            parts = [op("f.transpose", any_value(f"x{i}"), name=f"t{i}", where=_is_first) for i in range(count)]
            rules += [(op("f.concat", *parts, name="outer"), _concat)]
        return rules


# --- convolution and pooling -----------------------------------------------------------------------


def _last(v: Value, b: Builder) -> Value:
    """``v`` with its channels last; a constant gain or offset in front of it follows, to be folded into the weights."""
    rank, source = v.type.rank, v.producer
    if source is not None and source.opcode in ("f.mul", "f.add") and len(v.users) == 1:
        x, c = source.operands
        if x is not None and c is not None and c.const is not None and x.shape == v.shape:
            return b.emit(type(source), _last(x, b), _moved(c.const, rank, b))
    return b.emit(op_class("f.transpose"), v, perm=[0, *range(2, rank), 1])


def _first(v: Value, b: Builder) -> Value:
    rank = v.type.rank
    return b.emit(op_class("f.transpose"), v, perm=[0, rank - 1, *range(1, rank - 1)])


def _geometry(o: Conv | Pool) -> dict[str, list[int]]:
    return {"strides": o.strides, "dilations": o.dilations, "pads": o.pads}


def _conv(m: Match, b: Builder) -> Replacement:
    conv, w, bias = m.ops["conv"], m.const("w"), m.values.get("b")
    assert isinstance(conv, Conv)
    if w.ndim not in (3, 4) or min(conv.pads) < 0:
        return None
    x = _last(m["x"], b)
    weights = np.ascontiguousarray(np.moveaxis(w, 1, -1))
    plain = set(conv.strides) == {1} and not any(conv.pads)
    if prod(w.shape[2:]) == 1 and plain and conv.groups == 1:
        flat = b.const(weights.reshape(len(w), -1), m["w"].name)
        return _first(b.emit(op_class("f.linear"), x, flat, bias), b)
    if prod(conv.y.shape[2:]) == 1 and conv.groups < conv.x.shape[1]:
        flat = b.const(_whole(conv, weights), m["w"].name)
        rows = b.emit(op_class("f.reshape"), x, shape=[x.shape[0], prod(x.shape[1:])])
        y = b.emit(op_class("f.linear"), rows, flat, bias)
        return b.emit(op_class("f.reshape"), y, shape=list(conv.y.shape))
    kept = b.const(weights, m["w"].name)
    y = b.emit(op_class("f.conv_rows"), x, kept, bias, groups=conv.groups, **_geometry(conv))
    return _first(y, b)


def _whole(conv: Conv, w: Array) -> Array:
    """Weights [M, K.., C / groups] of a conv's only window as [M, D.. * C] on all of x; padding has none."""
    m, per_group, groups = len(w), w.shape[-1], conv.groups
    sizes = conv.x.shape[2:]
    out = np.zeros((groups, m // groups, *sizes, groups, per_group), w.dtype)
    parts = w.reshape(groups, m // groups, *w.shape[1:])
    for at in product(*(range(k) for k in w.shape[1:-1])):
        place = tuple(k * d - p for k, d, p in zip(at, conv.dilations, conv.pads, strict=False))
        if all(0 <= i < n for i, n in zip(place, sizes, strict=True)):
            for g in range(groups):
                target: Any = (g, slice(None), *place, g)
                source: Any = (g, slice(None), *at)
                out[target] = parts[source]
    return out.reshape(m, -1)


def _pool(m: Match, b: Builder) -> Replacement:
    pool = m.ops["pool"]
    assert isinstance(pool, Pool)
    if len(pool.kernel) > 2 or min(pool.pads) < 0 or not pool.x.type.dtype.is_float:
        return None
    more = {"kernel": pool.kernel, "kind": pool.kind, "count_pads": pool.count_pads}
    return _first(b.emit(op_class("f.pool_rows"), _last(m["x"], b), **more, **_geometry(pool)), b)


# --- what lies between -----------------------------------------------------------------------------


def _is_first(o: Op) -> bool:
    """Channels from the last axis to axis 1."""
    x, perm = o.operands[0], o.attrs["perm"]
    rank = x.type.rank if x else 0
    if x is None or rank < 3 or perm != [0, rank - 1, *range(1, rank - 1)]:
        return False
    return rank > 3 or _made_by_rows(x, REACH)


def _made_by_rows(v: Value, reach: int) -> bool:
    source = v.producer
    if source is None or not reach:
        return False
    if source.opcode in MAKERS:
        return True
    if source.opcode == "f.linear":
        before = source.operands[0]
        return before is not None and before.producer is not None and before.producer.opcode == "f.transpose"
    elementwise = isinstance(source, Unary) or source.opcode in (*BINARY, "f.reshape", "f.slice")
    return elementwise and any(o is not None and _made_by_rows(o, reach - 1) for o in source.operands)


def _unary(m: Match, b: Builder) -> Replacement:
    outer = m.ops["outer"]
    return _first(b.emit(type(outer), m["x"], **outer.attrs), b)


def _is_product(v: Value) -> bool:
    return v.producer is not None and v.producer.opcode in ("f.linear", "f.conv_rows")


def _inside(m: Match, b: Builder) -> Replacement:
    outer, shaped = m.ops["outer"], m.ops["shaped"]
    if not m.private(shaped.result) or not m.private(m["x"]):
        return None
    return b.emit(op_class("f.reshape"), b.emit(type(outer), m["x"], **outer.attrs), **shaped.attrs)


def _inside_constant(m: Match, b: Builder) -> Replacement:
    """One number a channel, where the reshape leaves the channels alone."""
    outer, shaped, x = m.ops["outer"], m.ops["shaped"].result, m["x"]
    c = per_channel(m.const("c"), x.shape[-1], shaped)
    if c is None or not m.private(shaped) or not m.private(x):
        return None
    if shaped.shape[-1:] != x.shape[-1:] or outer.result.shape != shaped.shape:
        return None
    y = b.emit(type(outer), x, b.const(np.ascontiguousarray(c), m["c"].name))
    return b.emit(op_class("f.reshape"), y, shape=list(shaped.shape))


def _pair(m: Match, b: Builder) -> Replacement:
    x, y = m["x"], m["y"]
    if x.type.rank != y.type.rank:
        return None
    return _first(b.emit(type(m.root), x, y), b)


def _with_constant(m: Match, b: Builder) -> Replacement:
    c, rank = m.const("c"), m["x"].type.rank
    if c.ndim > rank:
        return None
    moved = _moved(c, rank, b)
    turned = m.root.operands[0] is m["c"]
    return _first(b.emit(type(m.root), *((moved, m["x"]) if turned else (m["x"], moved))), b)


def _moved(c: Array, rank: int, b: Builder) -> Value:
    """A constant beside a value of that rank, its channels last too and no axis more than it needs."""
    wide = c.reshape((1,) * (rank - c.ndim) + c.shape).transpose([0, *range(2, rank), 1])
    needed = next((i for i, size in enumerate(wide.shape) if size > 1), rank)
    return b.const(np.ascontiguousarray(wide).reshape(wide.shape[needed:]))


def _axes(o: Op, rank: int) -> list[int]:
    """The axes of an op on first(x) as axes of x."""
    axes = o.attrs["axes"]
    assert isinstance(axes, list)
    return [[0, rank - 1, *range(1, rank - 1)][int(a) % rank] for a in axes]


def _reduce(m: Match, b: Builder) -> Replacement:
    outer, x = m.ops["outer"], m["x"]
    rank = x.type.rank
    kept = {**outer.attrs, "axes": sorted(_axes(outer, rank)), "keepdims": True}
    y = _first(b.emit(type(outer), x, **kept), b)
    return b.emit(op_class("f.reshape"), y, shape=list(outer.result.shape))


def _slice(m: Match, b: Builder) -> Replacement:
    outer, x = m.ops["outer"], m["x"]
    return _first(b.emit(type(outer), x, **{**outer.attrs, "axes": _axes(outer, x.type.rank)}), b)


def _concat(m: Match, b: Builder) -> Replacement:
    outer, parts = m.ops["outer"], [v for k, v in m.values.items() if k.startswith("x")]
    rank, axis = parts[0].type.rank, outer.attrs["axis"]
    assert isinstance(axis, int)
    return _first(b.emit(type(outer), parts, axis=[0, rank - 1, *range(1, rank - 1)][axis % rank]), b)


def _merge(m: Match, b: Builder) -> Replacement:
    inner, outer = m.ops["inner"].attrs["perm"], m.ops["outer"].attrs["perm"]
    assert isinstance(inner, list) and isinstance(outer, list)
    perm = [inner[i] for i in outer]
    return m["x"] if perm == sorted(perm) else b.emit(op_class("f.transpose"), m["x"], perm=perm)


def _drop_ones(m: Match, b: Builder) -> Replacement:
    """The reshape keeps the axes that are longer than 1, and their order."""
    perm, x, out = m.ops["first"].attrs["perm"], m["x"], list(m.root.result.shape)
    assert isinstance(perm, list)
    kept: list[int] = []
    for size in out:  # each axis of the result is the next unused axis of that length
        rest = [p for p in perm[len(perm) - _left(perm, kept) :] if x.shape[p] == size]
        if not rest:
            return None
        kept.append(rest[0])
    dropped = [p for p in perm if p not in kept]
    if len(out) >= len(perm) or any(x.shape[p] != 1 for p in dropped):
        return None
    order = sorted(kept)
    small = b.emit(op_class("f.reshape"), x, shape=[x.shape[p] for p in order])
    return b.emit(op_class("f.transpose"), small, perm=[order.index(p) for p in kept])


def _left(perm: list[int], kept: list[int]) -> int:
    """Axes of ``perm`` behind the last one kept."""
    return len(perm) - (perm.index(kept[-1]) + 1 if kept else 0)


def _as_reshape(m: Match, b: Builder) -> Replacement:
    perm, x = m.ops["outer"].attrs["perm"], m["x"]
    assert isinstance(perm, list)
    long = [p for p in perm if x.shape[p] != 1]
    if long != sorted(long):
        return None
    return b.emit(op_class("f.reshape"), x, shape=list(m.root.result.shape))
