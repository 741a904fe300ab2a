"""What lives only inside a selective scan, float beside integer: which of its tensors cost accuracy.

Both ops run once more on what their operands were, step by step and side by side: nothing keeps L x D x N numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from emberc.ir.op import Op
from emberc.ir.ops.float_scan import SelectiveScan
from emberc.ir.ops.integer_scan import SelectiveScan as IntegerScan
from emberc.ir.types import Array, DType
from emberc.quant.scan import LEVELS, ScanScales

#: steps that are compared at once
CHUNK = 64


@dataclass(frozen=True)
class InnerTensor:
    """How the integers of one field of ScanStep stand for reals, real = scale * q, and the reals that they reach.
    ``name`` is for people."""

    name: str
    field: str
    dtype: DType
    scale: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class ScanPair:
    """A scan of the float model and the one that stands for it. ``seen`` takes a run's arrays by ``id(value)``."""

    op: SelectiveScan
    twin: IntegerScan
    tensors: tuple[InnerTensor, ...]

    @staticmethod
    def of(op: SelectiveScan, twin: IntegerScan, scales: ScanScales) -> ScanPair:
        return ScanPair(op, twin, inner_tensors(op, twin, scales))

    def seen(
        self, floats: Mapping[int, Array], integers: Mapping[int, Array]
    ) -> Iterator[tuple[InnerTensor, Array, Array]]:
        """Every inner tensor with its reals and with what its integers stand for, some steps at a time."""
        x, delta, a, b, c, skip, _, initial = _operands(self.op, floats)
        want = self.op.steps(x, delta, a, b, c, skip, initial)
        q = dict(zip(self.twin.operand_fields, _operands(self.twin, integers), strict=True))
        got = self.twin.steps(**{name: array for name, array in q.items() if name not in ("my", "z", "gate", "mo")})
        pairs = zip(want, got, strict=True)
        with np.errstate(all="ignore"):
            while chunk := list(islice(pairs, CHUNK)):
                for tensor in self.tensors:
                    reals, ints = (
                        np.stack([getattr(s, tensor.field) for s in steps]) for steps in zip(*chunk, strict=True)
                    )
                    if tensor.field == "total":
                        ints = self.twin.before_gate(ints, q["my"])
                    yield tensor, reals.astype(np.float64), ints * tensor.scale


def inner_tensors(op: SelectiveScan, twin: IntegerScan, scales: ScanScales) -> tuple[InnerTensor, ...]:
    """delta, decay, drive, state, and y before the gate (without a gate, y is the scan's result).

    No decay is clipped: one of 1 is a step beyond 32767, which is a rounding like any other.
    """
    channel, i16 = scales.channel, DType.I16
    edges = (np.array([-0.5, LEVELS - 0.5]) - scales.v.zero_point) * scales.v.scale[0]
    low, high = op.deltas(edges)
    tensors = [
        InnerTensor("delta", "delta", twin.softplus.type.dtype, np.asarray(scales.delta_step(op.softplus)), low, high),
        InnerTensor("decay", "decay", i16, np.asarray(2.0**-15), np.asarray(0.0), np.asarray(1.0)),
        _whole("delta * x", "drive", i16, channel / (scales.b_step * 2.0**15)),
        _whole("state", "state", i16, channel[:, None] * scales.r),
    ]
    if twin.z is not None:
        tensors.append(_whole("y before gate", "total", i16, np.asarray(scales.total / 32767)))
    return tuple(tensors)


def _whole(name: str, field: str, dtype: DType, scale: Array) -> InnerTensor:
    """With all integers of ``dtype``."""
    lo, hi = dtype.limits
    return InnerTensor(name, field, dtype, scale, (lo - 0.5) * scale, (hi + 0.5) * scale)


def _operands(op: Op, arrays: Mapping[int, Array]) -> list[Any]:
    return [None if v is None else v.const if v.const is not None else arrays[id(v)] for v in op.operands]
