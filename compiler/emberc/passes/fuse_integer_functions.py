"""fuse-integer-functions: I-BERT's integer arithmetic, written in floats by its exporter, becomes what it stands for.

I-BERT (Kim et al. 2021) computes with integers that float tensors hold: requantizations by m / 2^e, an exponential
of second order, a square root, divisions by floor. Firmware has its own integers for each of these; taken literally,
the graph would be float arithmetic on large integers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import Op
from emberc.ir.ops.float_binary import Add, Binary, Where
from emberc.ir.ops.float_norm import LayerNorm, Softmax
from emberc.ir.ops.float_quant import FakeQuant
from emberc.ir.ops.float_reduce import Reduce
from emberc.ir.ops.float_unary import Cast, Gelu, Unary, erf
from emberc.ir.rewrite import Match, Pattern, Replacement, Rule, any_value, constant, match_op, op, scalar, splat
from emberc.ir.types import Array, DType
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass

#: m / 2^e against the ratio of the scales: m has 31 bits, exporters' float32 scales 24
RATIO_TOLERANCE = 1e-4
#: the second-order functions against the real ones: 0.002 (exp) and 0.018 (GELU) by the paper, plus their rounding
FUNCTION_TOLERANCE = 0.025
RANGES = {(-128.0, 127.0): "i8", (-32768.0, 32767.0): "i16"}


@dataclass(frozen=True)
class FuseIntegerFunctions(RewritePass):
    """clip(round(round(x / a) * m / 2^e)) * s           -->  fake_quant(x) {scale = s}     where m / 2^e = a / s
    clip(requantized(x) + requantized(z)) * s            -->  fake_quant(x + z) {scale = s}
    floor(d * floor(2^31 / (floor(sqrt(sum of floor(d / p)^2)) p)) / 2) ..  -->  layer_norm(x)   d = x / s - round(mean)
    floor(e * floor(2^32 / sum e) / 2^k) * o             -->  fake_quant(softmax(x)) {scale = o}  e = exp(x / s - max)

    q (floor(sign(q) ((min(|q|, ..) + b)^2 + c) / 2^k) + ..) * s  -->  gelu(x)              q = x / s

    Each form is checked by its numbers; exponential and GELU by what they compute, however it is written.
    """

    name: ClassVar[str] = "fuse-integer-functions"

    def rules(self) -> Sequence[Rule]:
        x, z, s = _requantized("x", 0), _requantized("z", 1), scalar(name="s")

        def output(total: Pattern) -> Pattern:
            return op("f.mul", op("f.clip", op("f.cast", total), name="clip"), s)

        return [
            (output(x), _rounding),
            (output(op("f.add", x, z)), _rounding),
            (output(op("f.add", x, constant("c"))), _rounding),
            (_norm_pattern(), _norm),
            (op("f.mul", op("f.mul", op("f.cast", any_value("q")), any_value("gate")), constant("s")), _gelu),
            (_softmax_pattern(), _softmax),
        ]


def _requantized(name: str, i: int) -> Pattern:
    nearest = op("f.round", op("f.div", any_value(name), constant(f"a{i}")))
    whole = op("f.cast", nearest) | nearest
    return op("f.round", op("f.div", op("f.mul", whole, constant(f"m{i}")), constant(f"d{i}")))


def _rounding(m: Match, b: Builder) -> Replacement:
    clip, s = m.ops["clip"], splat(m["s"])
    lo, hi = clip.attrs["lo"], clip.attrs["hi"]
    if not isinstance(lo, float) or not isinstance(hi, float) or s is None or s <= 0:
        return None
    for i in range(2):
        if f"a{i}" in m and not _is_one(m.const(f"m{i}") / m.const(f"d{i}") * s / m.const(f"a{i}")):
            return None
    total = _single(m["x"], b)
    if "z" in m:
        total = b.emit(Add, total, _single(m["z"], b))
    elif "c" in m:
        total = b.emit(Add, total, b.const((m.const("c") * s).astype(np.float32)))
    if total.shape != m.root.result.shape:
        return None
    dtype = RANGES.get((lo, hi))
    if dtype is None:  # residual sums of 22 bits: their rounding is finer than any that firmware does
        return total if hi > 32767 else None
    return b.emit(FakeQuant, total, scale=s, dtype=dtype)


def _single(v: Value, b: Builder) -> Value:
    """``v`` in float32; exporters carry a scale of 64 bits along."""
    if v.type.dtype is DType.F32:
        return v
    inner = v.producer.operands[0] if v.producer is not None and isinstance(v.producer, Cast) else None
    return inner if inner is not None and inner.type.dtype is DType.F32 else b.emit(Cast, v, to="f32")


def _is_one(ratio: Array) -> bool:
    return bool((np.abs(ratio.astype(np.float64) - 1) < RATIO_TOLERANCE).all())


# --- layer norm


def _norm_pattern() -> Pattern:
    y, p = any_value("y"), scalar(name="p")
    total = op("f.reduce", op("f.pow", op("f.floor", op("f.div", y, p)), scalar(2.0)), where=_kind("sum"))
    deviation = op("f.mul", op("f.floor", op("f.sqrt", total)), p)
    factor = op("f.floor", op("f.mul", op("f.reciprocal", deviation), scalar(name="top")))
    whole = op("f.floor", op("f.div", op("f.mul", y, factor), scalar(name="half")))
    return op("f.mul", op("f.add", whole, constant("bias")), constant("gain"))


def _kind(kind: str) -> Callable[[Op], bool]:
    return lambda o: isinstance(o, Reduce) and o.kind == kind and o.axes == [o.x.type.rank - 1]


def _norm(m: Match, b: Builder) -> Replacement:
    """y = d / (sqrt(n) sigma) * top / half + bias, times gain."""
    x = op("f.div", any_value("x"), scalar(name="s"))
    centered = op("f.sub", x, op("f.round", op("f.reduce", x, where=_kind("mean"))))
    found = match_op(centered, m["y"].producer) if m["y"].producer is not None else None
    top, half = splat(m["top"]), splat(m["half"])
    if found is None or top is None or not half:
        return None
    n = m["y"].shape[-1]
    gain, bias = m.const("gain").astype(np.float64), m.const("bias").astype(np.float64)
    if gain.shape != (n,) or bias.size not in (1, n):
        return None
    rows = [gain * top / half / np.sqrt(n), np.broadcast_to(bias.reshape(-1), (n,)) * gain]
    scale, offset = (b.const(r.astype(np.float32), m["gain"].name) for r in rows)
    return b.emit(LayerNorm, found["x"], scale, offset, axis=m["y"].type.rank - 1, eps=1e-12)


# --- softmax


def _softmax_pattern() -> Pattern:
    e = any_value("e")
    factor = op("f.floor", op("f.mul", op("f.reciprocal", op("f.reduce", e, where=_kind("sum"))), scalar(name="top")))
    return op("f.mul", op("f.floor", op("f.div", op("f.mul", e, factor), scalar(name="d"))), scalar(name="o"))


def _softmax(m: Match, b: Builder) -> Replacement:
    top, d, o = (splat(m[name]) for name in ("top", "d", "o"))
    w = _argument(m["e"])
    if not top or not d or not o or w is None or not _is_one(np.asarray(top / d * o)):
        return None
    x = op("f.div", any_value("x"), scalar(name="s"))
    found = match_op(op("f.sub", x, op("f.reduce", x, where=_kind("max"))), w)
    step = splat(found["s"]) if found is not None else None
    if found is None or not step or not _is_exponential(m["e"], w.result, step):
        return None
    y = b.emit(Softmax, found["x"], axis=w.result.type.rank - 1)
    return b.emit(FakeQuant, y, scale=o, dtype="u8") if abs(o * 256 - 1) < RATIO_TOLERANCE else y


def _argument(e: Value) -> Op | None:
    """The one difference that ``e`` is an elementwise function of."""
    pending, seen, found = [e], set(), set()
    while pending:
        v = pending.pop()
        if id(v) in seen or splat(v) is not None:
            continue
        seen.add(id(v))
        o = v.producer
        if o is None or not isinstance(o, Unary | Binary | Where):
            return None
        right = o.operands[1].producer if len(o.operands) > 1 and o.operands[1] is not None else None
        if o.opcode == "f.sub" and right is not None and right.opcode == "f.reduce":
            found.add(o)
        else:
            pending += [u for u in o.operands if u is not None]
    return found.pop() if len(found) == 1 else None


def _is_exponential(e: Value, w: Value, step: float) -> bool:
    """Whether e(w) is c * exp(step * w) for w <= 0, down to where it no longer counts. Which c is all the same; the
    best one is taken, because calibration may have cut the top off."""
    t = np.linspace(0, 8, 65)
    y, want = _evaluate(e, w, (-t / step).astype(np.float32)), np.exp(-t)
    if y is None or y.size != t.size:
        return False
    c = float(y.reshape(-1) @ want / (want @ want))
    return c > 0 and bool((np.abs(y.reshape(-1) / c - want) < FUNCTION_TOLERANCE).all())


# --- GELU


def _gelu(m: Match, b: Builder) -> Replacement:
    """x / s -> .. -> x (1 + erf(x / sqrt 2)) / 2 in 64 bits, with a scale per channel."""
    found = match_op(op("f.div", any_value("x"), constant("step")), m["q"].producer) if m["q"].producer else None
    if found is None or not m["s"].type.elements:
        return None
    step, rank = found.const("step"), m["q"].type.rank
    x = np.linspace(-4, 4, 65).reshape(-1, *[1] * max(rank - 1, 0))
    y = _evaluate(m.root.result, m["q"], (x / step).astype(np.float32))
    if y is None or y.shape != np.broadcast_shapes(x.shape, step.shape):
        return None
    want = x * (1 + erf(x / np.sqrt(2))) / 2
    if not (np.abs(y - want) < FUNCTION_TOLERANCE).all():
        return None
    return b.emit(Cast, b.emit(Gelu, found["x"]), to=m.root.result.type.dtype.value)


def _evaluate(y: Value, x: Value, at: Array) -> Array | None:
    """y as a function of x, at other points than the graph has; None where more than elementwise ops lie between."""
    known: dict[int, Array] = {id(x): at}
    pending = [y]
    while pending:
        v = pending[-1]
        o = v.producer
        if v.const is not None:
            known[id(v)] = v.const
        if id(v) in known:
            pending.pop()
            continue
        if o is None or not isinstance(o, Unary | Binary | Where):
            return None
        missing = [u for u in o.operands if u is not None and id(u) not in known]
        if missing:
            pending += missing
            continue
        with np.errstate(all="ignore"):
            known[id(v)] = np.asarray(o.reference(*[known[id(u)] for u in o.operands if u is not None]))
        pending.pop()
    return known[id(y)].astype(np.float64)
