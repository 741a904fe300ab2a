"""The float model's answers, and how far the firmware's are from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from emberc.firmware import dequantized, integer_inputs
from emberc.ir.graph import Function
from emberc.ir.interpreter import run_function
from emberc.ir.types import Array
from emberc.report import Accuracy, compare


def measure_accuracy(
    function: Function, samples: Sequence[Mapping[str, Any]], float_outputs: Sequence[dict[str, Array]]
) -> dict[str, Accuracy]:
    """Accuracy of the integer ``function`` on samples whose float answers are known, by output name."""
    got = [dequantized(function, run_function(function, integer_inputs(function, s))) for s in samples]
    return compare(float_outputs, got)


def float_outputs(
    model: str | Path | onnx.ModelProto,
    function: Function,
    samples: Sequence[Mapping[str, Any]],
    fix: Mapping[str, Any],
) -> tuple[list[dict[str, Array]], str]:
    """The float model's outputs by name for every sample, and the name of what computed them.

    That is onnxruntime on the model file. Where it can't run the file (custom ops), ``function``, the imported float
    IR, answers instead, and the name says so. ``fix`` gives the inputs that were made constant.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    source = model.SerializeToString() if isinstance(model, onnx.ModelProto) else str(model)
    try:
        session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        names = [o.name for o in session.get_outputs()]
        answers = [session.run(None, _feed(session.get_inputs(), s, fix)) for s in samples]
    except Exception as e:  # onnxruntime has no common base class for its errors
        reason = str(e).strip().splitlines()[0][:100] if str(e).strip() else type(e).__name__
        return [run_function(function, s) for s in samples], f"the float IR (onnxruntime can't run the file: {reason})"
    return [dict(zip(names, a, strict=True)) for a in answers], "onnxruntime"


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
