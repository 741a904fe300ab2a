"""What rounding in one place costs at the outputs: measured on the calibration samples, one place at a time.

Rounding errors of different places are all but independent, so that their powers add up at the outputs: measuring
each place alone predicts any combination (Zhou et al., 2018, "Adaptive Quantization for Deep Neural Networks").
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

Rounding = Callable[[Array], Array]


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

    def measure(self, places: Sequence[Place]) -> list[float]:
        """For every place noise to signal, sum (y' - y)^2 / sum y^2, of the output where it is largest."""
        work = sum(self._work(p) for p in places) or 1.0
        count = int(max(1, min(SAMPLES, WORK // work, KEPT_BYTES // max(1, self._bytes()))))
        self._runs = [self._kept(s) for s in self.samples[:count]]
        together = max(1, int(np.ceil(work / WORK)))
        found: list[float] = []
        for i in range(0, len(places), together):
            group = places[i : i + together]
            ratio = self._ratio({k: r for p in group for k, r in p.roundings.items()})
            found += [ratio / len(group)] * len(group)
        return found

    def together(self, places: Sequence[Place]) -> float:
        """The same with all places rounded at once. Only after ``measure``, on its samples."""
        return self._ratio({k: r for p in places for k, r in p.roundings.items()})

    def _bytes(self) -> int:
        return sum(r.type.nbytes for op in self.function.ops for r in op.results)

    def _behind(self, place: Place) -> Iterator[Op]:
        """The ops that run again."""
        touched = set(place.roundings)
        for op in self.function.ops:
            if any(id(v) in touched for v in op.operands):
                touched.update(id(r) for r in op.results)
                yield op

    def _work(self, place: Place) -> float:
        return sum(op.cost().macs + ELEMENT * sum(r.type.elements for r in op.results) for op in self._behind(place))

    def _kept(self, sample: Mapping[str, Array]) -> dict[int, Array]:
        kept: dict[int, Array] = {}
        run_function(self.function, sample, observe=lambda v, a: kept.__setitem__(id(v), a))
        return kept

    def _ratio(self, roundings: Mapping[int, Rounding]) -> float:
        noise: dict[str, float] = dict.fromkeys(self.function.outputs, 0.0)
        signal = dict(noise)
        constants = {id(v): v.const for op in self.function.ops for v in op.operands if v is not None}
        for kept in self._runs:
            new = self._again(kept, roundings, constants)
            for name, v in self.function.outputs.items():
                if id(v) not in kept:
                    continue
                want = kept[id(v)].astype(np.float64)
                signal[name] += float((want**2).sum())
                noise[name] += float(((new.get(id(v), want) - want) ** 2).sum())
        return max((noise[n] / signal[n] for n in noise if signal[n]), default=0.0)

    def _again(
        self, kept: Mapping[int, Array], roundings: Mapping[int, Rounding], constants: Mapping[int, Array | None]
    ) -> dict[int, Array]:
        """The values that change when what ``roundings`` names is rounded, by ``id(value)``."""
        new: dict[int, Array] = {}
        for key, rounding in roundings.items():
            constant = constants.get(key)
            array = kept.get(key) if constant is None else constant
            if array is not None:
                new[key] = rounding(array)
        with np.errstate(all="ignore"):
            for op in self.function.ops:
                if not any(id(v) in new for v in op.operands):
                    continue
                arrays = [None if v is None else new.get(id(v), kept.get(id(v), v.const)) for v in op.operands]
                for r, a in zip(op.results, op.run(*arrays), strict=True):
                    new[id(r)] = roundings[id(r)](a) if id(r) in roundings else a
        return new
