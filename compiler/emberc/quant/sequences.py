"""Calibration of a model with explicit state: sequences of steps, the states being what the steps before left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emberc.ir.graph import Function
from emberc.ir.types import Array
from emberc.quant.calibration import (
    CalibrationData,
    Sample,
    check_array,
    check_counts,
    check_names,
    read_arrays,
    synthetic_calibration,
)

#: made-up sequences, and the steps of each
SYNTHETIC_SEQUENCES, SYNTHETIC_STEPS = 4, 12

Run = Callable[[Sample], dict[str, Array]]
"""The float model: inputs and states of one step -> outputs and next states, by name."""


def load_sequences(
    source: str | Path | Mapping[str, Any] | None, function: Function, run: Run, *, ignore: Collection[str] = ()
) -> CalibrationData:
    """Reads an ``.npz`` or a dict of arrays and rolls the float model over them, every sequence from zero states.

    Arrays are [sequences, steps, *input shape], or [steps, *input shape] for one sequence; axes of 1 in the input's
    shape may be left out. Those of states are passed over: states come from the rolling. The last quarter of the
    sequences (of the steps, where there is one sequence) is held back. None makes sequences up.
    Raises CalibrationError naming the array and what was expected.
    """
    if source is None:
        made = synthetic_calibration(function, samples=SYNTHETIC_SEQUENCES * SYNTHETIC_STEPS)
        starts = range(0, len(made.samples), SYNTHETIC_STEPS)
        sequences: list[Sequence[Sample]] = [made.samples[i : i + SYNTHETIC_STEPS] for i in starts]
        used, held = sequences, sequences
    else:
        sequences = _read(source, function, ignore)
        used, held = _split(sequences)
    rolled, kept = ([list(roll(function, s, run)) for s in part] for part in (used, held))
    samples, back = (tuple(step for s in part for step in s) for part in (rolled, kept))
    return CalibrationData(samples, back, source is None, tuple(len(s) for s in kept))


def roll(function: Function, steps: Sequence[Sample], run: Run) -> Iterator[Sample]:
    """The inputs of every step of one sequence, with the states that the step begins with."""
    types = {v.name: v.type for v in function.inputs}
    kept = {s.name: np.zeros(types[s.name].shape, types[s.name].dtype.numpy) for s in function.states}
    for step in steps:
        sample = {**step, **kept}
        yield sample
        answer = run(sample)
        kept = {s.name: _last_rows(answer[s.after], types[s.name].shape) for s in function.states}


def _last_rows(after: Array, shape: tuple[int, ...]) -> Array:
    """A state as it goes in: of a cache that has grown, the rows at its end."""
    return after.reshape(shape) if after.size == np.prod(shape) else after[tuple(slice(-n, None) for n in shape)]


def _read(
    source: str | Path | Mapping[str, Any], function: Function, ignore: Collection[str]
) -> list[Sequence[Sample]]:
    states = {s.name for s in function.states}
    arrays = {k: a for k, a in read_arrays(source).items() if k not in ignore and k not in states}
    inputs = {v.name or "": v for v in function.caller_inputs()}
    check_names(arrays, inputs)
    flat: dict[str, Array] = {}
    counts: dict[str, Array] = {}
    for name, v in inputs.items():
        array = arrays[name] if _sequences(arrays[name].shape, v.shape) else arrays[name][None]
        flat[name] = check_array(name, array.reshape(-1, *array.shape[2:]), v)
        counts[name] = np.zeros(array.shape[:2])
    steps = check_counts({n: a.T for n, a in counts.items()})
    total = check_counts(counts)
    samples = [{n: a[i] for n, a in flat.items()} for i in range(total * steps)]
    return [samples[i * steps : (i + 1) * steps] for i in range(total)]


def _sequences(array: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether an array has axes of sequences and of steps before the input's own; else it is one sequence."""
    if array[1:] == shape or len(array) < 2:
        return False
    return array[2:] == shape or [n for n in array[2:] if n != 1] == [n for n in shape if n != 1]


def _split(sequences: list[Sequence[Sample]]) -> tuple[list[Sequence[Sample]], list[Sequence[Sample]]]:
    """What is calibrated on, and what is held back."""
    if len(sequences) > 1:
        keep = max(1, len(sequences) // 4)
        return sequences[:-keep], sequences[-keep:]
    (only,) = sequences
    keep = len(only) // 4
    return ([only[:-keep]], [only[-keep:]]) if keep else (sequences, sequences)
