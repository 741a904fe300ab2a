"""Integers for a selective scan: the scales that its neighbours take from it, and its tables and multipliers.

What can be folded is: r[n], the typical size of state n over all channels, goes into b (times) and c (divided), so that
the scan itself knows one scale a channel; delta is written as an index of the softplus table. Where a neighbour is no
product of its own, its integers are requantized. The gated output has 16 bits where only products read it: it is a
product of three activations, whose rare large values cost every small one its bits (7 to 10 dB of the block at 8 bits),
and a product of int16 rows is a quarter slower than one of int8, of a tenth of the model's products.

Measured on two trained models (dB at the scan, worst layer): 16-bit state with one scale 42 and 35, with a scale
a channel and r[n] 58 and 61; the margin of 4 on the state loses nothing against 2; clipping x or y costs 3 to 20.
Only a state that the model itself takes and gives has one scale, which its caller can work with.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from emberc.errors import UnsupportedError
from emberc.ir.graph import Function
from emberc.ir.ops.float_fused import Linear
from emberc.ir.ops.float_scan import CausalConv, SelectiveScan
from emberc.ir.ops.float_unary import sigmoid
from emberc.ir.ops.integer_scan import LOG_BITS
from emberc.ir.types import Array, DType, Quant, TensorType
from emberc.ir.values import Value
from emberc.quant.conv_curves import curve_scales
from emberc.quant.observers import Statistics
from emberc.quant.precision import SMALLEST_RANGE, affine, effective_range
from emberc.quant.scan_ranges import Floats, ScanObserver, ScanRanges, floored

#: entries of the softplus table
LEVELS = 1024
#: the calibrated state and outputs times this fit their 16 bits; beyond, they saturate
MARGIN = 4.0
#: the same for B, whose room is taken from u's, and for C, of which the accumulator leaves 12 bits at N = 16
ROOM = 1.25
#: and for u: a product, whose rare large values reach further
DRIVE_ROOM = 2.0


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

    @property
    def b_step(self) -> float:
        """One step of b where r is 1."""
        return float(self.b.scale[0] / self.r[0])

    @property
    def c_step(self) -> float:
        """One step of c where r is 1."""
        return float(self.c.scale[0] * self.r[0])

    def delta_step(self, softplus: bool) -> float:
        """One step of Delta in the softplus table."""
        return delta_step(table_deltas(self.v, softplus))


def scan_types(
    function: Function,
    types: dict[int, TensorType],
    stats: Mapping[int, Statistics],
    seen: ScanObserver,
    fixed: Collection[str] = (),
    wide: Collection[int] = (),
) -> dict[int, ScanScales]:
    """Sets in ``types`` what scans and convolutions want of their neighbours; returns every scan's scales by ``id``.

    Outputs of the nodes ``fixed`` stay as the user wants them; the weights ``wide`` (by ``id``) have 16 bits, as two
    products whose sum has one scale.
    """
    scales: dict[int, ScanScales] = {}
    for op in function.ops:
        if isinstance(op, CausalConv):
            _narrow(op.x, types, stats)
            # From int8 rows it gives int8 whatever is asked for: then with the range of int8, not that of int16.
            _narrow(op.y, types, stats, sure=types[id(op.x)].dtype is DType.I8 and op.loc not in fixed)
            maker = op.x.producer
            if id(op.x) in stats and isinstance(maker, Linear) and id(maker.weight) not in wide:
                _by_channel(op, function, types, stats[id(op.x)])
            types[id(op.tail)] = types[id(op.x)].with_shape(op.tail.shape)
    for op in function.ops:
        if isinstance(op, SelectiveScan):
            _narrow(op.x, types, stats)
            if op.gate is not None:
                _narrow(op.gate, types, stats, through=silu)
            if isinstance(op.x.producer, CausalConv) and op.x.producer.loc not in fixed:
                _by_curve(op.x.producer, function, types, stats[id(op.x)], seen)
            explicit = function.is_output(op.state) or (op.initial is not None and op.initial.const is None)
            scales[id(op)] = _scales(op, types, stats, floored(seen.scans[id(op)]), explicit)
            _claim(op, types, scales[id(op)])
            if _feeds_products(op.y, function) and op.loc not in fixed:
                types[id(op.y)] = _wide(op.y, stats)
            quant = Quant.per_tensor(float(scales[id(op)].channel[0])) if explicit else None
            for v in filter(None, (op.state, op.initial)):
                types[id(v)] = TensorType(DType.I16, op.state.shape, quant)
    return scales


def silu(x: Array) -> Array:
    """x * sigmoid(x), what a scan's gate goes through."""
    y: Array = x * sigmoid(x)
    return y


def own_product(v: Value) -> bool:
    """Whether ``v`` is a product's result that one op alone reads, so that it may have any quantization."""
    return isinstance(v.producer, Linear) and len(v.users) == 1


def _narrow(
    v: Value,
    types: dict[int, TensorType],
    stats: Mapping[int, Statistics],
    sure: bool = False,
    through: Callable[[Array], Array] | None = None,
) -> None:
    """int8 with room beyond what calibration saw, where it is ``sure`` or nothing but the readers' wishes decides.

    ``through``: the function that the one reader takes of it, which may not tell all of the range apart.
    """
    made_here = v.producer is not None and isinstance(v.producer, Linear | CausalConv)
    alone = all(isinstance(u, SelectiveScan | CausalConv) for u in v.users)
    shared = all(isinstance(u, SelectiveScan | CausalConv | Linear) for u in v.users)
    if made_here and id(v) in stats and (sure or alone or (shared and types[id(v)].dtype is DType.I8)):
        seen = stats[id(v)]
        lo, hi = (seen.room() * end for end in (seen.lo, seen.hi))
        if through is not None and len(v.users) == 1:
            lo, hi = effective_range(through, lo, hi)
        types[id(v)] = TensorType(DType.I8, v.shape, affine(lo, hi, DType.I8, symmetric=False))


def _by_channel(op: CausalConv, function: Function, types: dict[int, TensorType], seen: Statistics) -> None:
    """A scale for every channel of a convolution's input, which goes into its weights; a product writes each channel
    under any scale."""
    x = op.x
    if (
        own_product(x)
        and types[id(x)].dtype is DType.I8
        and op.initial is None
        and not function.is_output(op.tail)
        and seen.channel_amax is not None
    ):
        steps = seen.room(by_channel=True) * np.maximum(
            seen.channel_amax, max(float(seen.channel_amax.max()) / 256, SMALLEST_RANGE)
        )
        types[id(x)] = TensorType(DType.I8, x.shape, Quant(tuple(steps / 127), 0, x.type.rank - 1))


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
    b_step = ROOM * float((seen.b / r).max()) / 32767
    c_step = (ROOM * float((seen.c * r).max()) if own_product(op.c) else _reach(op.c, types)) / limit
    sx = _steps(op.x, types)
    skip = np.zeros(d) if op.skip is None else np.abs(_real(op.skip))
    index = _index(stats[id(op.delta)] if id(op.delta) in stats else Statistics(0.0, 1.0))
    channel = np.maximum.reduce([
        (margin / r).max(axis=1) / 32767,  # the state
        DRIVE_ROOM * seen.drive * b_step,  # u
        np.ones(d) * 2.01 * 2.0**15 * delta_step(table_deltas(index, op.softplus)) * sx * b_step,  # u's multiplier
        skip * sx * 256 / (c_step * (2.0**31 - 2 - limit * 32768.0 * n)),  # the skip, in the same accumulator
    ])  # fmt: skip
    if explicit:
        channel = np.full(d, channel.max())
    total = max(MARGIN * seen.total, 65540 * c_step * float(channel.max()))  # (its multiplier stays below one half)
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
    hi += (seen.room() - 1) * (hi - lo)  # (below, Delta is so small that where it ends does not show)
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


def _steps(v: Value, types: Mapping[int, TensorType]) -> Floats:
    """One step of ``v`` as the scan reads it, in int8: of all channels, or of each."""
    t = types[id(v)]
    if v.const is not None or t.quant is None:
        raise UnsupportedError("the input of a selective scan is a constant", at=v.name or "")
    return np.asarray(as_int8(t).scale)


def as_int8(t: TensorType) -> Quant:
    """The quantization of ``t`` as int8 with the same reach."""
    assert t.quant is not None
    if t.dtype is DType.I8:
        return t.quant
    lo, hi = (float(e) for e in t.quant.dequantize(np.array(t.dtype.limits)).reshape(-1))
    return affine(lo, hi, DType.I8, symmetric=False)


def _by_curve(
    op: CausalConv, function: Function, types: dict[int, TensorType], stats: Statistics, seen: ScanObserver
) -> None:
    """Scales by channel for a convolution's int8 results where all that reads them takes such."""
    y = op.y
    takes = all(isinstance(u, Linear | SelectiveScan) and u.operands.count(y) == 1 and u.x is y for u in y.users)
    if op.silu and types[id(y)].dtype is DType.I8 and takes and not function.is_output(y):
        quant = curve_scales(*seen.convs[id(op)], stats.room(by_channel=True))
        if len(set(quant.scale)) == 1:  # of one range, all channels together have seen more
            quant = curve_scales(*seen.convs[id(op)], stats.room())
        types[id(y)] = TensorType(DType.I8, y.shape, replace(quant, axis=y.type.rank - 1))


def _feeds_products(y: Value, function: Function) -> bool:
    return not function.is_output(y) and all(isinstance(u, Linear) and u.x is y for u in y.users)


def _wide(y: Value, stats: Mapping[int, Statistics]) -> TensorType:
    top = MARGIN * max(-stats[id(y)].lo, stats[id(y)].hi, SMALLEST_RANGE)
    return TensorType(DType.I16, y.shape, Quant.per_tensor(top / 32767))


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


def table_deltas(index: Quant, softplus: bool) -> Floats:
    """Delta for every index of the table."""
    v = (np.arange(LEVELS) - index.zero_point) * index.scale[0]
    delta: Array = np.logaddexp(0.0, v) if softplus else np.maximum(v, 0.0)
    return np.asarray(np.maximum(delta, 1e-30), np.float64)


def delta_step(delta: Floats) -> float:
    """One step of Delta in the table, of which the bits above its logarithm hold the largest."""
    return float(delta.max()) / ((1 << (32 - LOG_BITS)) - 1)
