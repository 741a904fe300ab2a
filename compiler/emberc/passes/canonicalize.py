"""canonicalize: one spelling for what exporters write in many, so that the fusions after it stay short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import op_class
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, constant, op, scalar
from emberc.ir.values import Value
from emberc.passes.hoist_scalars import number, scale
from emberc.passes.manager import RewritePass

ELEMENTWISE = ("f.add", "f.sub", "f.mul", "f.div", "f.max", "f.min", "f.and", "f.or", "f.equal")


@dataclass(frozen=True)
class Canonicalize(RewritePass):
    """Local algebra: movement merges or vanishes, needless broadcasts go.

    div(x, c)               -->  mul(x, 1/c)
    swap(reshape(x))        -->  reshape(swap(x))            swap: the last two axes, which reshape leaves alone
    transpose(transpose x)  -->  transpose x                 reshape likewise
    add(expand(x), y)       -->  add(x, y)                   where y alone already has the result's shape
    and(x, all true)        -->  expand(x)                   also mul by ones, add of zeros
    where(isnan(p), 0, p)   -->  p                           p a softmax: the exporter's guard for masked rows
    where(x > 20, x, softplus x)  -->  softplus x        torch's guard against overflow; clip from 0 up likewise
    slice(transpose(x))     -->  reshape(slice(x))           where no more than that is left of the transpose
    slice(reshape(x))       -->  reshape(slice(x))           where reshape splits or keeps the last axis: packed
                                                             projections end as columns of one product
    gather(x, i)            -->  slice                       one constant index
    gather_nd(x, (0, i))    -->  gather(x, i)                all indexed axes but one have length 1: a pooled token
    gather(c, i)            -->  c                           c the same everywhere: token types by position
    """

    name: ClassVar[str] = "canonicalize"

    def rules(self) -> Sequence[Rule]:
        x, y, p = any_value("x"), any_value("y"), any_value("p", _is_softmax)
        rules: list[Rule] = [
            (op("f.div", x, scalar(name="c")), _div),
            (op("f.pow", x, scalar(2.0, rtol=0)), lambda m, b: b.emit(op_class("f.mul"), m["x"], m["x"])),
            (op("f.pow", x, scalar(0.5, rtol=0)), lambda m, b: b.emit(op_class("f.sqrt"), m["x"])),
            (op("f.transpose", op("f.reshape", x), name="swap"), _transpose_first),
            (op("f.mul", x, scalar(1.0, rtol=0)), _broadcast_to_result),
            (op("f.add", x, scalar(0.0)), _broadcast_to_result),
            (op("f.and", x, any_value(accepts=_all_true)), _broadcast_to_result),
            (op("f.transpose", op("f.transpose", x, name="inner"), name="outer"), _merge_transposes),
            (op("f.reshape", op("f.reshape", x), name="outer"), _merge_reshapes),
            (op("f.reshape", x), lambda m, b: m["x"] if m["x"].shape == m.root.result.shape else None),
            (op("f.where", op("f.isnan", p), scalar(0.0), p), lambda m, b: m["p"]),
            (op("f.where", op("f.greater", x, scalar(name="c")), x, op("f.softplus", x)), _softplus),
            (op("f.clip", any_value("p", _is_softplus), name="clip"), _needless_clip),
            (op("f.slice", op("f.transpose", x, name="inner"), name="cut"), _cut_before_transpose),
            (op("f.slice", op("f.reshape", x, name="inner"), name="cut"), _cut_before_reshape),
            (op("f.gather", x, constant("i"), name="g"), _gather_one),
            (op("f.gather", any_value("c", _uniform), any_value("i")), _uniform_result),
            (op("f.gather_nd", any_value("c", _uniform), any_value("i")), _uniform_result),
            (op("f.gather_nd", x, any_value("i", _computed), name="g"), _gather_nd_one),
        ]
        rules += [(op(code, op("f.expand", x), y), _drop_expand) for code in ELEMENTWISE]
        rules += [(op(code, y, op("f.expand", x)), _drop_expand) for code in ELEMENTWISE]
        return rules


def _is_softmax(v: Value) -> bool:
    return v.producer is not None and v.producer.opcode == "f.softmax"


def _is_softplus(v: Value) -> bool:
    return v.producer is not None and v.producer.opcode == "f.softplus"


def _softplus(m: Match, b: Builder) -> Replacement:
    """log(1 + exp x) is x to float32's last bit from 17 on."""
    return b.emit(op_class("f.softplus"), m["x"]) if number(m, "c") >= 17 else None


def _needless_clip(m: Match, b: Builder) -> Replacement:
    lo, hi = m.ops["clip"].attrs["lo"], m.ops["clip"].attrs["hi"]
    low = lo is None or (isinstance(lo, int | float) and lo <= 0)
    return m["p"] if low and hi in (None, float("inf")) else None


def _div(m: Match, b: Builder) -> Replacement:
    x, c = m["x"], number(m, "c")
    if c == 0 or not x.type.dtype.is_float or x.shape != m.root.result.shape:
        return None
    with np.errstate(over="ignore"):
        finite = bool(np.isfinite(np.asarray(1.0 / c, x.type.dtype.numpy)))
    return scale(b, x, 1.0 / c) if finite else None


def _all_true(v: Value) -> bool:
    return v.const is not None and bool(v.const.all())


def _broadcast_to_result(m: Match, b: Builder) -> Replacement:
    """The other operand was neutral; all it may have done is broadcast."""
    shape = m.root.result.shape
    return m["x"] if m["x"].shape == shape else b.emit(op_class("f.expand"), m["x"], shape=list(shape))


def _merge_transposes(m: Match, b: Builder) -> Replacement:
    inner, outer = m.ops["inner"].attrs["perm"], m.ops["outer"].attrs["perm"]
    assert isinstance(inner, list) and isinstance(outer, list)
    perm = [inner[i] for i in outer]
    return m["x"] if perm == sorted(perm) else b.emit(op_class("f.transpose"), m["x"], perm=perm)


def _merge_reshapes(m: Match, b: Builder) -> Replacement:
    shape = list(m.root.result.shape)
    return m["x"] if list(m["x"].shape) == shape else b.emit(op_class("f.reshape"), m["x"], shape=shape)


def _transpose_first(m: Match, b: Builder) -> Replacement:
    """Exporters flatten batch and heads around a transpose; moved inside, both reshapes meet and cancel."""
    x, mid, perm = m["x"], m.root.operands[0], m.ops["swap"].attrs["perm"]
    assert mid is not None
    rank = x.type.rank
    swaps = perm == [*range(mid.type.rank - 2), mid.type.rank - 1, mid.type.rank - 2]
    if not swaps or rank < 3 or x.shape[-2:] != mid.shape[-2:]:
        return None
    swapped = b.emit(op_class("f.transpose"), x, perm=[*range(rank - 2), rank - 1, rank - 2])
    return b.emit(op_class("f.reshape"), swapped, shape=list(m.root.result.shape))


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


def _cut_of(m: Match) -> tuple[int, int, int] | None:
    """Axis, start and end of a slice of one axis without gaps."""
    cut = m.ops["cut"]
    axes, starts, ends, steps = (cut.attrs[k] for k in ("axes", "starts", "ends", "steps"))
    if not (isinstance(axes, list) and isinstance(starts, list) and isinstance(ends, list)):
        return None
    if len(axes) != 1 or steps != [1]:
        return None
    axis = int(axes[0]) % cut.results[0].type.rank
    mid = m.root.operands[0]
    assert mid is not None
    start, end, _ = slice(int(starts[0]), int(ends[0])).indices(mid.shape[axis])
    return axis, start, end


def _sliced(b: Builder, x: Value, axis: int, start: int, end: int) -> Value:
    return b.emit(op_class("f.slice"), x, starts=[start], ends=[end], axes=[axis], steps=[1])


def _cut_before_transpose(m: Match, b: Builder) -> Replacement:
    """Where nothing is left of the transpose: its first axis told queries, keys and values apart."""
    cut, perm = _cut_of(m), m.ops["inner"].attrs["perm"]
    if cut is None:
        return None
    assert isinstance(perm, list)
    part = _sliced(b, m["x"], int(perm[cut[0]]), *cut[1:])
    moved = [int(p) for p in perm if part.shape[int(p)] != 1]
    same = moved == sorted(moved)
    return b.emit(op_class("f.reshape"), part, shape=list(m.root.result.shape)) if same else None


def _cut_before_reshape(m: Match, b: Builder) -> Replacement:
    cut, x = _cut_of(m), m["x"]
    if cut is None or not x.type.rank:
        return None
    axis, start, end = cut
    shape = m.ops["inner"].results[0].shape
    unit = prod(shape[axis + 1 :])
    if prod(shape[axis:]) != x.shape[-1] or x.const is not None:
        return None
    part = _sliced(b, x, x.type.rank - 1, start * unit, end * unit)
    return b.emit(op_class("f.reshape"), part, shape=list(m.root.result.shape))


def _gather_one(m: Match, b: Builder) -> Replacement:
    """x[..., i, ...] for one constant index: a slice and, for a scalar index, a reshape."""
    index, axis = m.const("i"), m.ops["g"].attrs["axis"]
    if index.size != 1 or m["x"].const is not None or not isinstance(axis, int):
        return None
    axis %= m["x"].type.rank
    i = int(index.reshape(-1)[0]) % m["x"].shape[axis]
    part = b.emit(op_class("f.slice"), m["x"], starts=[i], ends=[i + 1], axes=[axis], steps=[1])
    return b.emit(op_class("f.reshape"), part, shape=list(m.root.result.shape))


def _computed(v: Value) -> bool:
    return v.const is None


def _gather_nd_one(m: Match, b: Builder) -> Replacement:
    x, ids, batch = m["x"], m["i"], m.ops["g"].attrs["batch_dims"]
    assert isinstance(batch, int)
    depth = ids.shape[-1]
    indexed = x.shape[batch : batch + depth]
    axis = int(np.argmax(indexed))
    if prod(x.shape[:batch]) != 1 or prod(indexed) != indexed[axis]:
        return None
    part = b.emit(op_class("f.slice"), ids, starts=[axis], ends=[axis + 1], axes=[ids.type.rank - 1], steps=[1])
    flat = b.emit(op_class("f.reshape"), part, shape=list(ids.shape[:-1]))
    table = b.emit(op_class("f.reshape"), x, shape=[indexed[axis], *x.shape[batch + depth :]])
    return b.emit(op_class("f.gather"), table, flat, axis=0)


def _uniform(v: Value) -> bool:
    return v.const is not None and v.const.size > 0 and bool((v.const == v.const.flat[0]).all())


def _uniform_result(m: Match, b: Builder) -> Replacement:
    return b.const(np.full(m.root.result.shape, m.const("c").flat[0]))
