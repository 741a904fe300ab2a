"""The float model's answers, and how far the firmware's are from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from emberc.firmware import Reference, caller_sample, dequantized, integer_inputs
from emberc.ir.graph import Function
from emberc.ir.interpreter import run_function, run_steps
from emberc.ir.types import Array
from emberc.report import Accuracy, compare


def measure_accuracy(
    reference: Reference, samples: Sequence[Mapping[str, Any]], float_outputs: Sequence[dict[str, Array]]
) -> dict[str, Accuracy]:
    """Accuracy of an integer function on samples whose float answers are known, by output name."""
    return compare(float_outputs, [dequantized(reference.function, reference(s)) for s in samples])


def measure_rolled(
    step: Function, sequences: Sequence[Sequence[Mapping[str, Any]]], float_outputs: Sequence[dict[str, Array]]
) -> dict[str, Accuracy]:
    """Accuracy of a step with explicit state over sequences that begin anew, each rolled with its own integer states:
    errors have all the steps to add up. ``float_outputs`` are the floats' answers, sequence after sequence."""
    got: list[dict[str, Array]] = []
    for sequence in sequences:
        inputs = (integer_inputs(step, caller_sample(step, s)) for s in sequence)
        got += [dequantized(step, answer) for answer in run_steps(step, inputs)]
    return compare(float_outputs, got)


class FloatModel:
    """The float answers: onnxruntime on the model file.

    Where that can't run the file (custom ops), ``function``, the imported float IR, answers instead, and ``name``
    says so. ``fix`` gives the inputs that were made constant.
    """

    def __init__(self, model: str | Path | onnx.ModelProto, function: Function, fix: Mapping[str, Any]) -> None:
        self.function, self.fix = function, fix
        self.name = "onnxruntime"
        self._session: Any = None
        try:
            self._session = _session(model)
        except Exception as e:  # onnxruntime has no common base class for its errors
            self._give_up(e)

    def __call__(self, sample: Mapping[str, Any]) -> dict[str, Array]:
        """Outputs by name."""
        if self._session is not None:
            try:
                names = [o.name for o in self._session.get_outputs()]
                answers = self._session.run(None, _feed(self._session.get_inputs(), sample, self.fix))
                return dict(zip(names, answers, strict=True))
            except Exception as e:  # as above
                self._give_up(e)
        return run_function(self.function, sample)

    def _give_up(self, e: Exception) -> None:
        reason = str(e).strip().splitlines()[0][:100] if str(e).strip() else type(e).__name__
        self.name = f"the float IR (onnxruntime can't run the file: {reason})"
        self._session = None


def _session(model: str | Path | onnx.ModelProto) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    source = model.SerializeToString() if isinstance(model, onnx.ModelProto) else str(model)
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _feed(inputs: Sequence[Any], sample: Mapping[str, Any], fix: Mapping[str, Any]) -> dict[str, Array]:
    """Arrays for all of the session's inputs: the sample's, the fixed ones, and zeros for those that nothing reads."""
    sizes = {
        symbol: size
        for i in inputs
        if i.name in sample
        for symbol, size in zip(i.shape, np.shape(sample[i.name]), strict=False)
    }
    feed: dict[str, Array] = {}
    for i in inputs:
        kind = np.dtype(_NUMPY.get(i.type, "float32"))
        value = sample.get(i.name, fix.get(i.name, 0))
        shape = tuple(d if isinstance(d, int) else sizes.get(d, 1) for d in i.shape)
        array = np.asarray(value, kind)
        feed[i.name] = array if array.ndim == len(shape) else np.broadcast_to(array, shape)
    return feed


_NUMPY = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(int16)": "int16",
}
