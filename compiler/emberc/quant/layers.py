"""Float against integer value by value: which layers lose accuracy.

Both functions run on the same samples from their inputs on, so an error that a layer makes is still there in the
layers after it: the first bad value of a chain is the one to look at. A selective scan has a row for every tensor
inside it too, and for what it reads where no other op's row shows that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from emberc.ir.graph import Function
from emberc.ir.interpreter import Observer, run_function
from emberc.ir.op import Op
from emberc.ir.ops.float_scan import SelectiveScan
from emberc.ir.ops.integer_scan import SelectiveScan as IntegerScan
from emberc.ir.types import Array, Quant
from emberc.ir.values import Value
from emberc.quant.scan import ScanScales
from emberc.quant.scan_layers import ScanPair

#: samples are enough to rank layers
LAYER_SAMPLES = 4


@dataclass(frozen=True)
class LayerAccuracy:
    """One value of the float model and the integers that stand for it.

    ``node`` is the ONNX node, with " · " and a tensor's name for one inside its op; ``op`` the float op, ``dtype`` the
    integer type, ``step`` the op's place in the model.
    ``sqnr_db`` = 10 log10(sum x^2 / sum (x - y)^2), None for equal values; ``clipped``: share of float elements
    outside the range that the integers span, 0 .. 1.
    """

    node: str
    op: str
    dtype: str
    step: int
    sqnr_db: float | None
    cosine: float
    clipped: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class _Sums:
    """What SQNR, cosine and clipping need, over all samples."""

    def __init__(self) -> None:
        self.xx = self.yy = self.xy = self.noise = 0.0
        self.count = self.outside = 0

    def add(self, x: Array, y: Array, low: Array, high: Array) -> None:
        finite = np.isfinite(x)  # a mask's -inf stands for "never", not for a number
        x, y = np.where(finite, x, 0.0), np.where(finite, y, 0.0)
        self.xx += float((x * x).sum())
        self.yy += float((y * y).sum())
        self.xy += float((x * y).sum())
        self.noise += float(((x - y) ** 2).sum())
        self.count += x.size
        self.outside += int(((x < low) | (x > high)).sum())

    def result(self, row: _Row) -> LayerAccuracy:
        sqnr = None
        if self.noise:
            sqnr = round(10 * float(np.log10(max(self.xx, 1e-30) / self.noise)), 2)
        norm = float(np.sqrt(self.xx * self.yy))
        cosine = 1.0 if not self.noise else self.xy / norm if norm else 0.0
        clipped = self.outside / max(1, self.count)
        node = f"{row.op.loc} · {row.tensor}" if row.tensor else row.op.loc
        return LayerAccuracy(node, row.op.opcode, row.dtype, row.step, sqnr, round(cosine, 6), round(clipped, 6))


@dataclass(frozen=True, eq=False)
class _Row:
    """A row of the table to be: ``step`` is the place of ``op`` in the model, ``tensor`` what of the op it shows."""

    op: Op
    step: int
    dtype: str
    tensor: str = ""


@dataclass(frozen=True)
class _Watched:
    """A float value and the integers ``twin`` that stand for it, for one row."""

    row: _Row
    value: Value
    twin: Value


def measure_layers(
    floats: Function,
    integers: Function,
    twins: Mapping[int, Value],
    samples: Sequence[Mapping[str, Array]],
    scans: Mapping[int, ScanScales] | None = None,
) -> list[LayerAccuracy]:
    """Accuracy of every quantized result of ``floats``, worst SQNR first; exact values are left out.

    ``twins``: ``id(float value)`` -> integer value of ``integers``. ``scans``: ``id(float op)`` -> the scales of its
    integer scan, to look inside. Takes the first LAYER_SAMPLES samples.
    """
    watched = [w for step, op in enumerate(floats.ops) for w in _results(op, step, twins)]
    inner: list[tuple[ScanPair, dict[str, _Row]]] = []
    for step, op in enumerate(floats.ops):
        twin = twins[id(op.state)].producer if isinstance(op, SelectiveScan) and id(op.state) in twins else None
        if isinstance(op, SelectiveScan) and isinstance(twin, IntegerScan) and scans and id(op) in scans:
            watched += _edges(op, twin, step, twins)
            pair = ScanPair.of(op, twin, scans[id(op)])
            inner.append((pair, {t.field: _Row(op, step, t.dtype.value, t.name) for t in pair.tensors}))
    sums: dict[_Row, _Sums] = {}
    read = [v for pair, _ in inner for v in (*pair.op.operands, *pair.twin.operands) if v is not None]
    wanted = {id(v) for v in [*read, *(v for w in watched for v in (w.value, w.twin))]}
    for sample in samples[:LAYER_SAMPLES]:
        x: dict[int, Array] = {}
        y: dict[int, Array] = {}
        run_function(floats, sample, observe=_keep(x, wanted))
        run_function(integers, _quantized(integers, sample), observe=_keep(y, wanted))
        for w in watched:
            quant = w.twin.type.quant
            if id(w.value) in x and id(w.twin) in y and quant is not None:
                real, got = x[id(w.value)].astype(np.float64), quant.dequantize(y[id(w.twin)]).astype(np.float64)
                sums.setdefault(w.row, _Sums()).add(real, got, *_span(quant, w.twin))
        for pair, rows in inner:
            for tensor, real, got in pair.seen(x, y):
                sums.setdefault(rows[tensor.field], _Sums()).add(real, got, tensor.low, tensor.high)
    found = [s.result(row) for row, s in sums.items() if s.count]
    return sorted((r for r in found if r.sqnr_db is not None), key=lambda r: (r.sqnr_db or 0.0, r.step))


def _results(op: Op, step: int, twins: Mapping[int, Value]) -> Iterator[_Watched]:
    for r in op.results:
        twin = twins.get(id(r))
        if twin is not None and twin.type.quant is not None and twin.const is None:
            yield _Watched(_Row(op, step, twin.type.dtype.value), r, twin)


def _edges(op: SelectiveScan, twin: IntegerScan, step: int, twins: Mapping[int, Value]) -> Iterator[_Watched]:
    """What the scan reads that has no row by the op that made it: the model's inputs, and what is requantized."""
    for name, v, q in (
        ("x", op.x, twin.x),
        ("delta before softplus", op.delta, twin.v),
        ("B", op.b, twin.b),
        ("C", op.c, twin.c),
        ("z", op.gate, twin.z),
        ("initial", op.initial, twin.initial),
    ):
        own = v is not None and v.producer is not None and twins.get(id(v)) is q
        if v is not None and q is not None and not own and v.const is None and q.type.quant is not None:
            yield _Watched(_Row(op, step, q.type.dtype.value, name), v, q)


def _quantized(function: Function, sample: Mapping[str, Array]) -> dict[str, Array]:
    """A calibration sample as the integer function takes it."""
    inputs: dict[str, Array] = {}
    for v in function.inputs:
        array = sample[v.name or ""]
        inputs[v.name or ""] = v.type.quant.quantize(array, v.type.dtype) if v.type.quant else array
    return inputs


def _keep(into: dict[int, Array], wanted: set[int]) -> Observer:
    def see(value: Value, array: Array) -> None:
        if id(value) in wanted:
            into[id(value)] = array

    return see


def _span(quant: Quant, twin: Value) -> tuple[Array, Array]:
    """Smallest and largest real number that rounds into the integers of ``twin``, by channel where scales differ."""
    ends = np.array(twin.type.dtype.limits, np.float64) + np.array([-0.5, 0.5])
    scale = quant.scale_array(twin.type.rank)
    return (ends[0] - quant.zero_point) * scale, (ends[1] - quant.zero_point) * scale
