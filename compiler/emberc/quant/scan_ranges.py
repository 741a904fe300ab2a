"""What calibration must see of scans and causal convolutions beyond their results: the range of the state at every
step, of the sum before the gate, of the convolution before its SiLU."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from emberc.ir.graph import Function
from emberc.ir.op import Op
from emberc.ir.ops.float_scan import CausalConv, SelectiveScan
from emberc.ir.types import Array
from emberc.ir.values import Value

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ScanRanges:
    """Largest magnitudes over all samples and steps: state [D, N], ``drive`` [D] of Delta * x, b and c [N], ``total``
    of the sum before the gate."""

    state: Floats
    drive: Floats
    b: Floats
    c: Floats
    total: float


@dataclass
class ScanObserver:
    """Shown every value of a run by the interpreter; keeps the ranges by ``id(op)``, of convolutions by channel.

    The states are computed a second time here: nothing keeps all of them, L x D x N numbers, at once.
    """

    function: Function
    scans: dict[int, ScanRanges] = field(default_factory=dict)
    convs: dict[int, tuple[Floats, Floats]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ops: dict[int, Op] = {
            id(op.results[0]): op for op in self.function.ops if isinstance(op, SelectiveScan | CausalConv)
        }
        self._wanted = {id(v) for op in self._ops.values() for v in op.operands if v is not None}
        self._held: dict[int, Array] = {}

    def see(self, v: Value, array: Array) -> None:
        """Takes one value in; an op is measured as soon as its first result is there."""
        if id(v) in self._wanted:
            self._held[id(v)] = array
        op = self._ops.get(id(v))
        if isinstance(op, SelectiveScan):
            self._scan(op)
        elif isinstance(op, CausalConv):
            self._conv(op)

    def _array(self, v: Value | None) -> Array | None:
        if v is None:
            return None
        return v.const if v.const is not None else self._held[id(v)]

    def _scan(self, op: SelectiveScan) -> None:
        x, delta, a, b, c, skip, _, initial = (self._array(v) for v in op.operands)
        assert x is not None and b is not None and c is not None
        d, n = op.state.shape[-2:]
        row = (*op.state.shape[:-2], d)
        top, drive, total = (np.zeros(shape) for shape in (op.state.shape, row, row))
        for step in op.steps(x, delta, a, b, c, skip, initial):
            for peak, values in ((top, step.state), (drive, step.drive), (total, step.total)):
                np.maximum(peak, np.abs(values), out=peak)
        peaks = ((top, (d, n)), (drive, (d,)), (np.abs(b), (n,)), (np.abs(c), (n,)))
        amax = [v.reshape(-1, *shape).max(axis=0).astype(np.float64) for v, shape in peaks]
        new = ScanRanges(amax[0], amax[1], amax[2], amax[3], float(total.max()))
        old = self.scans.get(id(op), new)
        self.scans[id(op)] = ScanRanges(
            np.maximum(old.state, new.state),
            np.maximum(old.drive, new.drive),
            np.maximum(old.b, new.b),
            np.maximum(old.c, new.c),
            max(old.total, new.total),
        )

    def _conv(self, op: CausalConv) -> None:
        linear = CausalConv(*op.operands, silu=False)
        (y, _) = linear.run(*(self._array(v) for v in op.operands))
        linear.drop_operands()
        rows = y.reshape(-1, y.shape[-1]).astype(np.float64)
        lo, hi = self.convs.get(id(op), (np.zeros(rows.shape[1]), np.zeros(rows.shape[1])))
        self.convs[id(op)] = (np.minimum(lo, rows.min(axis=0)), np.maximum(hi, rows.max(axis=0)))


def floored(ranges: ScanRanges) -> ScanRanges:
    """The same with no magnitude below a millionth of the largest: what calibration saw as 0 gets a scale too."""

    def floor(a: Floats) -> Floats:
        out: Floats = np.maximum(a, max(float(a.max(initial=0.0)) * 1e-6, 1e-12))
        return out

    arrays = {name: floor(getattr(ranges, name)) for name in ("state", "drive", "b", "c")}
    return replace(ranges, **arrays, total=max(ranges.total, 1e-12))
