"""Golden vectors: what the integer reference answers, for the test program to compare bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from emberc.backend.c import GoldenVector
from emberc.errors import InternalError, UsageError
from emberc.firmware import Reference, caller_sample, integer_inputs
from emberc.ir.graph import Function, Module
from emberc.ir.interpreter import run_steps
from emberc.ir.types import Array
from emberc.passes.steps import sequence_length, time_axis
from emberc.quant.calibration import CalibrationData

#: golden vectors written into a build
GOLDEN_VECTORS = 4
#: of a model that runs step by step: sequences, and the steps of each
GOLDEN_SEQUENCES, GOLDEN_STEPS = 2, 24


def golden_vectors(
    module: Module, data: CalibrationData, chosen: Mapping[str, Any] | None, reference: Reference | None = None
) -> list[GoldenVector]:
    """Reference runs on the ``chosen`` inputs, else on held-back samples, or on as many as there are.

    Of a module that is one step, the first steps of some sequences. ``reference`` knows answers already. Raises
    UsageError for arrays of different lengths.
    """
    reference = reference or Reference(module.main)
    if module.main.states and module.whole is None:
        return list(_stateful(module.main, data, chosen))
    if chosen is not None:
        samples = _samples(chosen)
    else:
        count = GOLDEN_VECTORS if module.whole is None else GOLDEN_SEQUENCES
        samples = (list(data.held) + [s for s in data.samples if not any(s is h for h in data.held)])[:count]
    if not samples:
        raise InternalError("there is no sample to make golden vectors from")
    if module.whole is not None:
        whole = module.whole.main
        cut = [list(step_inputs(whole, integer_inputs(whole, s)))[:GOLDEN_STEPS] for s in samples]
        return [v for steps in cut for v in _sequence(module.main, steps)]
    return [GoldenVector(integer_inputs(module.main, s), reference(s)) for s in samples]


def step_inputs(whole: Function, inputs: Mapping[str, Array]) -> Iterator[dict[str, Array]]:
    """The inputs of every step, cut from those of the whole sequence."""
    axes = {v.name or "": time_axis(v, whole) for v in whole.inputs}
    for t in range(sequence_length(whole)):
        yield {name: inputs[name] if axis is None else np.take(inputs[name], [t], axis) for name, axis in axes.items()}


def _stateful(step: Function, data: CalibrationData, chosen: Mapping[str, Any] | None) -> Iterator[GoldenVector]:
    """Of a model with explicit state: ``chosen`` as the steps of a sequence, else the first steps of held-back ones."""
    if chosen is not None:
        sequences = [_samples(chosen)]
    else:
        sequences = [list(s[:GOLDEN_STEPS]) for s in data.held_sequences()[:GOLDEN_SEQUENCES]]
    for sequence in sequences:
        yield from _sequence(step, [integer_inputs(step, caller_sample(step, s)) for s in sequence])


def _sequence(step: Function, steps: Sequence[dict[str, Array]]) -> Iterator[GoldenVector]:
    for t, answer in enumerate(run_steps(step, steps)):
        yield GoldenVector(steps[t], answer, first=t == 0)


def _samples(arrays: Mapping[str, Any]) -> list[dict[str, Any]]:
    """{"ids": [n, ...]} --> n times {"ids": [...]}. Raises UsageError when the arrays differ in n, or n is 0."""
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise UsageError(f"vectors: arrays hold different numbers of samples, or none: {counts}")
    return [{name: array[i] for name, array in arrays.items()} for i in range(next(iter(counts.values())))]
