"""How much a weight's form costs: the model's outputs with that one weight squeezed, against those without."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from emberc.ir.graph import Function
from emberc.ir.interpreter import run_function
from emberc.ir.types import Array
from emberc.ir.values import Constant
from emberc.passes.squeezable import Weight, squeezable
from emberc.quant.forms import Form, candidates, squeezed

#: samples that the losses are measured on
SAMPLES = 32
#: smaller weights are left alone: they save less than the kernels that unpack them take
SMALLEST = 1024

Outputs = list[dict[str, Array]]


@dataclass(frozen=True)
class Option:
    """A form that a weight could take. ``before`` and ``after`` are bytes in flash (int8, and this form). ``loss``:
    noise to signal, the mean over the outputs of sum (y' - y)^2 / sum y^2."""

    tensor: str
    form: Form
    before: int
    after: int
    loss: float

    @property
    def saved(self) -> int:
        return self.before - self.after


def measure_forms(
    function: Function,
    samples: Sequence[Mapping[str, Any]],
    progress: Callable[[str, Form], None] | None = None,
) -> list[list[Option]]:
    """For every weight of the float ``function`` what each form costs on at most ``SAMPLES`` of the samples.

    One weight at a time is replaced by itself after a round trip; the other weights stay in float, so that the losses
    are those of the forms alone. Weights below ``SMALLEST`` bytes, or without a form that saves any, are left out.
    """
    chosen = list(samples)[:SAMPLES]
    want = _outputs(function, chosen)
    found: list[list[Option]] = []
    for weight in squeezable(function):
        options: list[Option] = []
        for form in candidates(weight.rows, weight.columns) if weight.nbytes >= SMALLEST else []:
            if progress:
                progress(weight.name, form)
            with _replaced(function, [(weight, form)]):
                loss = _loss(want, _outputs(function, chosen))
            after = form.stored_bytes(weight.rows, weight.columns)
            options.append(Option(weight.name, form, weight.nbytes, after, loss))
        if options:
            found.append(options)
    return found


def together(function: Function, samples: Sequence[Mapping[str, Any]], forms: Mapping[str, Form]) -> float:
    """The loss with all weights in their forms at once."""
    chosen = list(samples)[:SAMPLES]
    want = _outputs(function, chosen)
    pairs = [(w, forms[w.name]) for w in squeezable(function) if w.name in forms]
    with _replaced(function, pairs):
        return _loss(want, _outputs(function, chosen))


@contextmanager
def _replaced(function: Function, pairs: Iterable[tuple[Weight, Form]]) -> Iterator[None]:
    """The function with some weights replaced by what their forms make of them."""
    swaps: list[tuple[Weight, Constant]] = []
    for weight, form in pairs:
        assert weight.value.const is not None
        stand_in = Constant(squeezed(weight.value.const, form, weight.axis).astype(weight.value.const.dtype))
        weight.value.replace_by(stand_in)
        swaps.append((weight, stand_in))
    try:
        yield
    finally:
        for weight, stand_in in swaps:
            stand_in.replace_by(weight.value)


def _outputs(function: Function, samples: Sequence[Mapping[str, Any]]) -> Outputs:
    return [run_function(function, s) for s in samples]


def _loss(want: Outputs, got: Outputs) -> float:
    ratios = []
    for name in want[0]:
        noise = sum(float(((g[name].astype(np.float64) - w[name]) ** 2).sum()) for w, g in zip(want, got, strict=True))
        signal = sum(float((w[name].astype(np.float64) ** 2).sum()) for w in want)
        ratios.append(noise / signal if signal else noise)
    return float(np.mean(ratios)) if ratios else 0.0
