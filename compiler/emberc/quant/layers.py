"""Float against integer value by value: which layers lose accuracy.

Both functions run on the same samples from their inputs on, so an error that a layer makes is still there in the
layers after it: the first bad value of a chain is the one to look at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from emberc.ir.graph import Function
from emberc.ir.interpreter import Observer, run_function
from emberc.ir.types import Array, Quant
from emberc.ir.values import Value

#: samples are enough to rank layers
LAYER_SAMPLES = 4


@dataclass(frozen=True)
class LayerAccuracy:
    """One value of the float model and the integers that stand for it.

    ``node`` is the ONNX node, ``op`` the float op, ``dtype`` the integer type, ``step`` the op's place in the model.
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

    def result(self, value: Value, step: int, dtype: str) -> LayerAccuracy:
        assert value.producer is not None
        sqnr = None
        if self.noise:
            sqnr = round(10 * float(np.log10(max(self.xx, 1e-30) / self.noise)), 2)
        norm = float(np.sqrt(self.xx * self.yy))
        cosine = 1.0 if not self.noise else self.xy / norm if norm else 0.0
        clipped = self.outside / max(1, self.count)
        op = value.producer
        return LayerAccuracy(op.loc, op.opcode, dtype, step, sqnr, round(cosine, 6), round(clipped, 6))


def measure_layers(
    floats: Function,
    integers: Function,
    twins: Mapping[int, Value],
    samples: Sequence[Mapping[str, Array]],
) -> list[LayerAccuracy]:
    """Accuracy of every quantized result of ``floats``, worst SQNR first; exact values are left out.

    ``twins``: ``id(float value)`` -> integer value of ``integers``. Takes the first LAYER_SAMPLES samples.
    """
    watched = {
        id(r): (r, twins[id(r)], step)
        for step, op in enumerate(floats.ops)
        for r in op.results
        if id(r) in twins and twins[id(r)].type.quant is not None and twins[id(r)].const is None
    }
    sums = {key: _Sums() for key in watched}
    for sample in samples[:LAYER_SAMPLES]:
        x: dict[int, Array] = {}
        y: dict[int, Array] = {}
        run_function(floats, sample, observe=_keep(x, set(watched)))
        run_function(integers, _quantized(integers, sample), observe=_keep(y, {id(t) for _, t, _ in watched.values()}))
        for key, (_, twin, _) in watched.items():
            quant = twin.type.quant
            if key not in x or id(twin) not in y or quant is None:
                continue
            low, high = _span(quant, twin)
            sums[key].add(x[key].astype(np.float64), quant.dequantize(y[id(twin)]).astype(np.float64), low, high)
    rows = [sums[k].result(v, step, twin.type.dtype.value) for k, (v, twin, step) in watched.items() if sums[k].count]
    return sorted((r for r in rows if r.sqnr_db is not None), key=lambda r: (r.sqnr_db or 0.0, r.step))


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
