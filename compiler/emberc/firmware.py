"""Firmware: a compiled model. Runs as the board will, bit for bit, and writes the build directory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from emberc.backend import FunctionPlan
from emberc.backend.c import manifest, write_files
from emberc.backend.c.build import Files
from emberc.errors import UsageError
from emberc.ir.graph import Function, Module
from emberc.ir.interpreter import run_function, run_steps
from emberc.ir.types import Array
from emberc.memory import certificate_text, seal
from emberc.report import Report, render_html


@dataclass(frozen=True)
class Firmware:
    """``module`` is the integer IR, ``plan`` its memory, ``files`` the build directory's content by path."""

    module: Module
    plan: FunctionPlan
    files: Files
    report: Report

    @property
    def whole(self) -> Module:
        """The module over whole sequences; ``module`` itself unless that is a single step of it."""
        return self.module.whole or self.module

    def run(self, inputs: Mapping[str, Any]) -> dict[str, Array]:
        """What the board will answer, as floats: outputs by name, dequantized.

        ``inputs`` are arrays as the ONNX model takes them (floats are quantized). Raises UsageError for a missing
        or misshapen input, or a token id outside its table.
        """
        return dequantized(self.whole.main, self.run_integer(inputs))

    def run_steps(self, steps: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Array]]:
        """What a streaming board will answer call by call after a reset, as floats: the outputs of every step.

        ``steps`` are the inputs of each call, without states. Raises UsageError as :meth:`run` does, and for firmware
        that has no steps.
        """
        if not self.module.is_step:
            raise UsageError("this firmware runs whole inputs", hints=["compile with streaming=True"])
        step = self.module.main
        answers = run_steps(step, (integer_inputs(step, inputs) for inputs in steps))
        yield from (dequantized(step, answer) for answer in answers)

    def run_integer(self, inputs: Mapping[str, Any]) -> dict[str, Array]:
        """The integers that the firmware writes, by output name; of a model with explicit state, in its first step."""
        main = self.whole.main
        (answer,) = run_steps(main, [integer_inputs(main, inputs)])
        return answer

    @property
    def certificate(self) -> dict[str, Any]:
        """The content of ``memory_plan.json``: every plan with what is proved, the model's hash and a digest."""
        return seal(self.plan.to_json(), manifest(self.files)["model_hash"])

    def write(self, folder: str | Path) -> Path:
        """Writes the build directory, whole or not at all; returns it. Raises UsageError when it can't be written."""
        report = json.dumps(self.report.to_json(timings=False), indent=1) + "\n"
        page = render_html(self.report, self.certificate)
        extra = {"report.json": report, "report.html": page, "memory_plan.json": certificate_text(self.certificate)}
        write_files({**self.files, **extra}, Path(folder))
        return Path(folder)


@dataclass(frozen=True)
class Reference:
    """The integer answers of ``function``, each sample's computed once: golden vectors and accuracy ask for the same.

    Tiles change no bit, and running them one by one takes longer: give it the function as it was before.
    """

    function: Function
    _known: dict[int, tuple[Mapping[str, Any], dict[str, Array]]] = field(default_factory=dict)

    def __call__(self, sample: Mapping[str, Any]) -> dict[str, Array]:
        """Outputs by name for inputs as the ONNX model takes them; raises as :func:`integer_inputs` does."""
        if id(sample) not in self._known:  # the sample is kept, so no other one can get its id
            answer = run_function(self.function, integer_inputs(self.function, sample))
            self._known[id(sample)] = (sample, answer)
        return self._known[id(sample)][1]


def integer_inputs(function: Function, inputs: Mapping[str, Any]) -> dict[str, Array]:
    """Arrays as the firmware takes them: floats quantized, indices cast. Raises UsageError naming the input."""
    known = {v.name or "": v for v in function.caller_inputs()}
    unknown = sorted(set(inputs) - set(known))
    missing = sorted(set(known) - set(inputs))
    if unknown or missing:
        problem = [f"unknown {', '.join(unknown)}"] * bool(unknown) + [f"missing {', '.join(missing)}"] * bool(missing)
        raise UsageError(
            f"inputs: {' and '.join(problem)}",
            hints=["the firmware takes: " + ", ".join(f"{n} {list(v.shape)}" for n, v in known.items())],
        )
    out: dict[str, Array] = {}
    for name, v in known.items():
        array = np.asarray(inputs[name])
        if array.size != v.type.elements:
            raise UsageError(f"input '{name}' has shape {list(array.shape)}, the firmware takes {list(v.shape)}")
        array = array.reshape(v.shape)
        out[name] = v.type.quant.quantize(array, v.type.dtype) if v.type.quant else array.astype(v.type.dtype.numpy)
    return out


def caller_sample(function: Function, sample: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a sample that the caller gives."""
    names = {v.name for v in function.caller_inputs()}
    return {name: array for name, array in sample.items() if name in names}


def dequantized(function: Function, outputs: Mapping[str, Array]) -> dict[str, Array]:
    """Float arrays of a function's integer outputs; outputs that stand for no real pass through."""
    return {
        name: v.type.quant.dequantize(outputs[name]) if v.type.quant else outputs[name]
        for name, v in function.caller_outputs().items()
    }
