"""What rounding in one place costs at the outputs: measured on the calibration samples, one place at a time.

Rounding errors of different places are all but independent, so that their powers add up at the outputs: measuring
each place alone predicts any combination (Zhou et al., 2018, "Adaptive Quantization for Deep Neural Networks").

What is measured on the samples that ranges were taken from flatters: no element of theirs is clipped, and a handful of
samples may happen to have large outputs. So every sample is rounded over ranges that it had no say in (leave-one-out
cross-validation), and a combination is judged by what it may do to other samples, ``Meter.together``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from emberc.ir.graph import Function
from emberc.ir.interpreter import run_function
from emberc.ir.op import Op
from emberc.ir.types import Array

#: multiply-accumulates that all measurements together may take: about ten seconds of one core
WORK = 40e9
#: bytes of values that are kept of the samples
KEPT_BYTES = 512e6
#: samples are enough to tell one place from another
SAMPLES = 8
#: an element of a result takes about as long as so many multiply-accumulates
ELEMENT = 64

#: so many standard deviations above what was measured, only one in twenty normal numbers lies
LIKELY = 1.645

#: an array and the index of the sample that it is of -> as it is after rounding
Rounding = Callable[[Array, int], Array]


@dataclass(frozen=True)
class Place:
    """What is rounded together: ``id(value)`` -> its rounding; constants or results of ops."""

    roundings: Mapping[int, Rounding]


@dataclass
class Meter:
    """Runs what lies behind a place again, on values that are kept of one float run a sample.

    The work is bounded, and the same on every machine: fewer samples are taken, then places that follow each other are
    measured together and share what they cost.
    """

    function: Function
    samples: Sequence[Mapping[str, Array]]
    _runs: list[dict[int, Array]] = field(default_factory=list)
    _used: int = SAMPLES

    def measure(self, places: Sequence[Place]) -> list[float]:
        """For every place noise to signal, sum (y' - y)^2 / sum y^2, of the output where it is largest."""
        work = sum(self._work(p) for p in places) or 1.0
        self._keep()
        self._used = int(max(1, min(len(self._runs), WORK // work)))
        together = max(1, int(np.ceil(work / WORK)))
        found: list[float] = []
        for i in range(0, len(places), together):
            group = places[i : i + together]
            powers = self._powers({k: r for p in group for k, r in p.roundings.items()}).values()
            ratio = max((_ratio(p) for p in powers), default=0.0)
            found += [ratio / len(group)] * len(group)
        return found

    def together(self, places: Sequence[Place]) -> float:
        """The same with all places rounded at once, as it is likely to be at most on as many other samples."""
        self._keep()
        powers = self._powers({k: r for p in places for k, r in p.roundings.items()}).values()
        return max((at_most(p) for p in powers), default=0.0)

    def _keep(self) -> None:
        if self._runs:
            return
        once = sum(_work(op) for op in self.function.ops) or 1.0
        bytes_ = sum(r.type.nbytes for op in self.function.ops for r in op.results) or 1
        count = int(max(1, min(SAMPLES, WORK // once, KEPT_BYTES // bytes_)))
        self._runs = [self._kept(s) for s in self.samples[:count]]

    def _behind(self, place: Place) -> Iterator[Op]:
        """The ops that run again."""
        touched = set(place.roundings)
        for op in self.function.ops:
            if any(id(v) in touched for v in op.operands):
                touched.update(id(r) for r in op.results)
                yield op

    def _work(self, place: Place) -> float:
        return sum(_work(op) for op in self._behind(place))

    def _kept(self, sample: Mapping[str, Array]) -> dict[int, Array]:
        kept: dict[int, Array] = {}
        run_function(self.function, sample, observe=lambda v, a: kept.__setitem__(id(v), a))
        return kept

    def _powers(self, roundings: Mapping[int, Rounding]) -> dict[str, Array]:
        """[samples, 2] of every float output: the powers of its noise and of its signal."""
        constants = {id(v): v.const for op in self.function.ops for v in op.operands if v is not None}
        rounded = {k: r(c, 0) for k, r in roundings.items() if (c := constants.get(k)) is not None}
        powers: dict[str, list[tuple[float, float]]] = {}
        for i, kept in enumerate(self._runs[: self._used]):
            new = self._again(kept, {k: r for k, r in roundings.items() if k not in rounded}, rounded, i)
            for name, v in self.function.outputs.items():
                if id(v) in kept and v.type.dtype.is_float:
                    want = kept[id(v)].astype(np.float64)
                    noise = float(((new.get(id(v), want) - want) ** 2).sum())
                    powers.setdefault(name, []).append((noise, float((want**2).sum())))
        return {name: np.array(p) for name, p in powers.items() if sum(signal for _, signal in p)}

    def _again(
        self, kept: Mapping[int, Array], roundings: Mapping[int, Rounding], rounded: Mapping[int, Array], i: int
    ) -> dict[int, Array]:
        """The values of sample ``i`` that change when constants are as ``rounded`` and values as ``roundings`` say, by
        ``id(value)``."""
        new = dict(rounded)
        new.update({k: r(kept[k], i) for k, r in roundings.items() if k in kept})
        with np.errstate(all="ignore"):
            for op in self.function.ops:
                if not any(id(v) in new for v in op.operands):
                    continue
                arrays = [None if v is None else new.get(id(v), kept.get(id(v), v.const)) for v in op.operands]
                for r, a in zip(op.results, op.run(*arrays), strict=True):
                    new[id(r)] = roundings[id(r)](a, i) if id(r) in roundings else a
        return new


def _work(op: Op) -> float:
    return op.cost().macs + ELEMENT * sum(r.type.elements for r in op.results)


def _ratio(powers: Array) -> float:
    noise, signal = powers.sum(axis=0)
    return float(noise / signal)


def at_most(powers: Array) -> float:
    """What noise to signal of as many other samples is in nineteen of twenty cases at most.

    Its standard deviation follows from those of the samples (Cochran, 1977, "Sampling Techniques", section 2.11, the
    ratio estimate); twice the variance, for these samples and for the others.
    """
    ratio = _ratio(powers)
    count = len(powers)
    if count < 2:
        return ratio
    residue = powers[:, 0] - ratio * powers[:, 1]
    deviation = np.sqrt(2 * (residue**2).sum() / (count * (count - 1))) / powers[:, 1].mean()
    return float(ratio + LIKELY * deviation)
