"""canonicalize: one spelling for what exporters write in many, so that the fusions after it stay short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import op_class
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, constant, op, scalar, splat
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass

ELEMENTWISE = ("f.add", "f.sub", "f.mul", "f.div", "f.max", "f.min", "f.and", "f.or", "f.equal")


@dataclass(frozen=True)
class Canonicalize(RewritePass):
    """Local algebra: scalars move outwards and merge, movement merges or vanishes, needless broadcasts go.

    div(x, c)               -->  mul(x, 1/c)
    mul(mul(x, c), d)       -->  mul(x, c*d)
    matmul(mul(x, c), y)    -->  mul(matmul(x, y), c)        and the same for y, reshape, transpose
    transpose(transpose x)  -->  transpose x                 reshape likewise
    add(expand(x), y)       -->  add(x, y)                   where y alone already has the result's shape
    where(isnan(p), 0, p)   -->  p                           p a softmax: the exporter's guard for masked rows
    gather(x, i)            -->  slice                       one constant index
    """

    name: ClassVar[str] = "canonicalize"

    def rules(self) -> Sequence[Rule]:
        x, y, p = any_value("x"), any_value("y"), any_value("p", _is_softmax)
        rules: list[Rule] = [
            (op("f.div", x, scalar(name="c")), _div),
            (op("f.pow", x, scalar(2.0)), lambda m, b: b.emit(op_class("f.mul"), m["x"], m["x"])),
            (op("f.pow", x, scalar(0.5)), lambda m, b: b.emit(op_class("f.sqrt"), m["x"])),
            (op("f.mul", op("f.mul", x, scalar(name="c")), scalar(name="d")), _merge_scalars),
            (op("f.matmul", op("f.mul", x, scalar(name="c")), y), _hoist_left),
            (op("f.matmul", x, op("f.mul", y, scalar(name="c"))), _hoist_right),
            (op("f.transpose", op("f.mul", x, scalar(name="c")), name="move"), _hoist_move),
            (op("f.reshape", op("f.mul", x, scalar(name="c")), name="move"), _hoist_move),
            (op("f.mul", x, scalar(1.0)), _drop_if_same_shape),
            (op("f.add", x, scalar(0.0)), _drop_if_same_shape),
            (op("f.transpose", op("f.transpose", x, name="inner"), name="outer"), _merge_transposes),
            (op("f.reshape", op("f.reshape", x), name="outer"), _merge_reshapes),
            (op("f.reshape", x), lambda m, b: m["x"] if m["x"].shape == m.root.result.shape else None),
            (op("f.where", op("f.isnan", p), scalar(0.0), p), lambda m, b: m["p"]),
            (op("f.gather", x, constant("i"), name="g"), _gather_one),
        ]
        rules += [(op(code, op("f.expand", x), y), _drop_expand) for code in ELEMENTWISE]
        rules += [(op(code, y, op("f.expand", x)), _drop_expand) for code in ELEMENTWISE]
        return rules


def _is_softmax(v: Value) -> bool:
    return v.producer is not None and v.producer.opcode == "f.softmax"


def _number(m: Match, name: str) -> float:
    value = splat(m[name])
    assert value is not None
    return value


def _scale(b: Builder, x: Value, c: float) -> Value:
    return b.emit(op_class("f.mul"), x, b.const(np.asarray(c, x.type.dtype.numpy)))


def _small(m: Match, *names: str) -> bool:
    """Whether the scalars broadcast nothing: the result has the shape of the other operand."""
    return all(m[n].type.elements == 1 for n in names) and m["x"].type.dtype.is_float


def _div(m: Match, b: Builder) -> Replacement:
    c = _number(m, "c")
    if c == 0 or not m["x"].type.dtype.is_float or m["x"].shape != m.root.result.shape:
        return None
    return _scale(b, m["x"], 1.0 / c)


def _merge_scalars(m: Match, b: Builder) -> Replacement:
    return _scale(b, m["x"], _number(m, "c") * _number(m, "d")) if _small(m, "c", "d") else None


def _hoist_left(m: Match, b: Builder) -> Replacement:
    return _scale(b, b.emit(op_class("f.matmul"), m["x"], m["y"]), _number(m, "c")) if _small(m, "c") else None


def _hoist_right(m: Match, b: Builder) -> Replacement:
    return _scale(b, b.emit(op_class("f.matmul"), m["x"], m["y"]), _number(m, "c")) if _small(m, "c") else None


def _hoist_move(m: Match, b: Builder) -> Replacement:
    if not _small(m, "c"):
        return None
    move = m.ops["move"]
    return _scale(b, b.emit(type(move), m["x"], **move.attrs), _number(m, "c"))


def _drop_if_same_shape(m: Match, b: Builder) -> Replacement:
    return m["x"] if m["x"].shape == m.root.result.shape else None


def _merge_transposes(m: Match, b: Builder) -> Replacement:
    inner, outer = m.ops["inner"].attrs["perm"], m.ops["outer"].attrs["perm"]
    assert isinstance(inner, list) and isinstance(outer, list)
    perm = [inner[i] for i in outer]
    return m["x"] if perm == sorted(perm) else b.emit(op_class("f.transpose"), m["x"], perm=perm)


def _merge_reshapes(m: Match, b: Builder) -> Replacement:
    shape = list(m.root.result.shape)
    return m["x"] if list(m["x"].shape) == shape else b.emit(op_class("f.reshape"), m["x"], shape=shape)


def _unexpanded(v: Value) -> Value:
    inner = v.producer.operands[0] if v.producer and v.producer.opcode == "f.expand" else None
    return inner or v


def _drop_expand(m: Match, b: Builder) -> Replacement:
    root = m.root
    plain = np.broadcast_shapes(m["x"].shape, m["y"].shape)
    if plain != root.result.shape:
        return None
    pair = [_unexpanded(v) for v in root.operands if v is not None]
    if np.broadcast_shapes(*[v.shape for v in pair]) != root.result.shape:
        return None
    return b.emit(type(root), *pair, **root.attrs)


def _gather_one(m: Match, b: Builder) -> Replacement:
    """x[..., i, ...] for one constant index: a slice and, for a scalar index, a reshape."""
    index, axis = m.const("i"), m.ops["g"].attrs["axis"]
    if index.size != 1 or m["x"].const is not None or not isinstance(axis, int):
        return None
    axis %= m["x"].type.rank
    i = int(index.reshape(-1)[0]) % m["x"].shape[axis]
    part = b.emit(op_class("f.slice"), m["x"], starts=[i], ends=[i + 1], axes=[axis], steps=[1])
    return b.emit(op_class("f.reshape"), part, shape=list(m.root.result.shape))
