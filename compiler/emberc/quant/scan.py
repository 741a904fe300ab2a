"""Integers for a selective scan: the scales that its neighbours take from it, and its tables and multipliers.

What can be folded is: r[n], the typical size of state n over all channels, goes into b (times) and c (divided), so that
the scan itself knows one scale a channel; the output's scale goes into the columns of the product that reads it; delta
is written as an index of the softplus table. Where a neighbour is no product of its own, its integers are requantized.

Measured on two trained models (dB at the scan, worst layer): 16-bit state with one scale 42 and 35, with a scale
a channel and r[n] 58 and 61; the margin of 4 on the state loses nothing against 2; clipping x or y costs 3 to 20.
Only a state that the model itself takes and gives has one scale, which its caller can work with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from emberc.errors import UnsupportedError
from emberc.ir.graph import Function
from emberc.ir.ops.float_fused import Linear
from emberc.ir.ops.float_scan import CausalConv, SelectiveScan
from emberc.ir.types import Array, DType, Quant, TensorType
from emberc.ir.values import Value
from emberc.quant.observers import Statistics
from emberc.quant.precision import SMALLEST_RANGE, affine
from emberc.quant.scan_ranges import Floats, ScanObserver, ScanRanges, floored

#: entries of the softplus table
LEVELS = 1024
#: the calibrated state times this fits its 16 bits; beyond, it saturates
MARGIN = 4.0
#: head room of the calibrated outputs
ROOM = 1.1
#: the share of a channel's range that its scale follows, the rest is left to the weights that take the scale in
FOLD = 0.75


@dataclass(frozen=True)
class ScanScales:
    """Real values of one integer step. b and c: [G * N]; state value = channel[d] * r[n] * h; v: quantization of the
    table index. ``c_limit`` is the largest |c| that the accumulator holds."""

    r: Floats
    b: Quant
    c: Quant
    v: Quant
    channel: Floats
    c_limit: int
    total: float


def scan_types(
    function: Function, types: dict[int, TensorType], stats: Mapping[int, Statistics], seen: ScanObserver
) -> dict[int, ScanScales]:
    """Sets in ``types`` what scans and convolutions want of their neighbours; returns every scan's scales by ``id``."""
    scales: dict[int, ScanScales] = {}
    for op in function.ops:
        if isinstance(op, CausalConv):
            _narrow(op.x, types, stats)
            _narrow(op.y, types, stats)
            types[id(op.tail)] = types[id(op.x)].with_shape(op.tail.shape)
    for op in function.ops:
        if isinstance(op, SelectiveScan):
            for v in filter(None, (op.x, op.gate)):
                _narrow(v, types, stats)
            explicit = function.is_output(op.state) or (op.initial is not None and op.initial.const is None)
            scales[id(op)] = _scales(op, types, stats, floored(seen.scans[id(op)]), explicit)
            _claim(op, types, scales[id(op)])
            if _foldable(op.y, function) and types[id(op.y)].dtype is DType.I8:
                types[id(op.y)] = _folded(op.y, stats)
            quant = Quant.per_tensor(float(scales[id(op)].channel[0])) if explicit else None
            for v in filter(None, (op.state, op.initial)):
                types[id(v)] = TensorType(DType.I16, op.state.shape, quant)
    return scales


def own_product(v: Value) -> bool:
    """Whether ``v`` is a product's result that one op alone reads, so that it may have any quantization."""
    return isinstance(v.producer, Linear) and len(v.users) == 1


def _narrow(v: Value, types: dict[int, TensorType], stats: Mapping[int, Statistics]) -> None:
    """int8 over all that calibration saw, where nothing but the reader's wish decides that."""
    made_here = v.producer is not None and isinstance(v.producer, Linear | CausalConv)
    if made_here and id(v) in stats and all(isinstance(u, SelectiveScan | CausalConv) for u in v.users):
        quant = affine(stats[id(v)].lo, stats[id(v)].hi, DType.I8, symmetric=False)
        types[id(v)] = TensorType(DType.I8, v.shape, quant)


def _scales(
    op: SelectiveScan,
    types: Mapping[int, TensorType],
    stats: Mapping[int, Statistics],
    seen: ScanRanges,
    explicit: bool,
) -> ScanScales:
    d, n = op.state.shape[-2:]
    margin = MARGIN * seen.state
    free = own_product(op.b) and own_product(op.c)
    r = np.exp(np.log(margin).mean(axis=0)) if free and not explicit else np.ones(n)
    r /= np.exp(np.log(r).mean())
    limit = (1 << (15 - (n - 1).bit_length())) - 1
    b_step = float((seen.b / r).max()) / 32767
    c_step = (float((seen.c * r).max()) if own_product(op.c) else _reach(op.c, types)) / limit
    sx = _step(op.x, types)
    skip = np.zeros(d) if op.skip is None else np.abs(_real(op.skip))
    channel = np.maximum(
        (margin / r).max(axis=1) / 32767,  # the state
        skip * sx * 256 / (c_step * (2.0**31 - 2 - limit * 32768.0 * n)),  # the skip, in the same accumulator
    )
    if explicit:
        channel = np.full(d, channel.max())
    index = _index(stats[id(op.delta)] if id(op.delta) in stats else Statistics(0.0, 1.0))
    total = max(ROOM * seen.total, 65540 * c_step * float(channel.max()))  # (its multiplier stays below one half)
    b = Quant(tuple(np.tile(b_step * r, op.groups)), 0, op.b.type.rank - 1) if free else Quant.per_tensor(b_step)
    c = Quant(tuple(np.tile(c_step / r, op.groups)), 0, op.c.type.rank - 1) if free else Quant.per_tensor(c_step)
    return ScanScales(r, b, c, index, channel, limit, total)


def _claim(op: SelectiveScan, types: dict[int, TensorType], scales: ScanScales) -> None:
    """Products that only the scan reads write what it wants."""
    for v, quant in ((op.delta, scales.v), (op.b, scales.b), (op.c, scales.c)):
        if own_product(v):
            types[id(v)] = TensorType(DType.I16, v.shape, quant)


def _index(seen: Statistics) -> Quant:
    """The range of delta as indices of the table. A narrow range far from 0 is widened, so that 0's index, far outside
    the table, still fits the 16 bits of a zero point."""
    lo, hi = float(seen.lo), float(seen.hi)
    width = max(hi - lo, max(abs(lo), abs(hi)) / 16, SMALLEST_RANGE)
    step = width / (LEVELS - 1)
    return Quant.per_tensor(step, round(-lo / step))


def _reach(v: Value, types: Mapping[int, TensorType]) -> float:
    """The largest magnitude that the integers of ``v`` can stand for."""
    if v.const is not None:
        return max(float(np.abs(v.const).max()), SMALLEST_RANGE)
    t = types[id(v)]
    assert t.quant is not None
    lo, hi = t.dtype.limits
    return max(abs(lo - t.quant.zero_point), abs(hi - t.quant.zero_point)) * max(t.quant.scale)


def _step(v: Value, types: Mapping[int, TensorType]) -> float:
    """The scale of the int8 that the scan reads, whatever the width of ``v``."""
    t = types[id(v)] if v.const is None else None
    if t is None or t.quant is None:
        raise UnsupportedError("the input of a selective scan is a constant", at=v.name or "")
    return max(as_int8(t).scale)


def as_int8(t: TensorType) -> Quant:
    """The quantization of ``t``, or of the int8 that spans what its wider integers do."""
    assert t.quant is not None
    if t.dtype is DType.I8:
        return t.quant
    lo, hi = (float(v) for v in t.quant.dequantize(np.array(t.dtype.limits)))
    return affine(lo, hi, DType.I8, symmetric=False)


def _foldable(y: Value, function: Function) -> bool:
    return not function.is_output(y) and all(isinstance(u, Linear) and u.x is y for u in y.users)


def _folded(y: Value, stats: Mapping[int, Statistics]) -> TensorType:
    """A scale for every channel, which the product that reads ``y`` takes into its weights."""
    seen = stats[id(y)].channel_amax
    assert seen is not None
    top = ROOM * np.maximum(seen, max(float(seen.max()) / 256, SMALLEST_RANGE))
    share = top**FOLD
    steps = share * float((top / share).max()) / 127
    return TensorType(DType.I8, y.shape, Quant(tuple(steps), 0, y.type.rank - 1))


def _real(v: Value) -> Floats:
    if v.const is None:
        raise UnsupportedError("the decay and the skip of a selective scan must be constants", at=v.name or "")
    return v.const.astype(np.float64)


def decay_rates(op: SelectiveScan) -> Floats:
    """-a [H, N] or [H, 1]. Raises UnsupportedError where the state would grow, or a is no constant."""
    a = -_real(op.a)
    if not (a >= 0).all():
        raise UnsupportedError(
            "a selective scan's state grows: a holds positive numbers",
            at=op.loc,
            hints=["train with a = -exp(A_log), as Mamba does"],
        )
    return np.asarray(np.maximum(a, 1e-30), np.float64)


def table_deltas(scales: ScanScales, softplus: bool) -> Floats:
    """Delta for every index of the table."""
    v = (np.arange(LEVELS) - scales.v.zero_point) * scales.v.scale[0]
    delta: Array = np.logaddexp(0.0, v) if softplus else np.maximum(v, 0.0)
    return np.asarray(np.maximum(delta, 1e-30), np.float64)
