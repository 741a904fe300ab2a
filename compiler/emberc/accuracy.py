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
    model: str | Path | onnx.ModelProto, samples: Sequence[Mapping[str, Any]], fix: Mapping[str, Any]
) -> tuple[list[dict[str, Array]], str]:
    """onnxruntime's outputs by name for every sample, and the reference's name for the report.

    ``fix`` gives the inputs that were made constant, as numbers or arrays.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    source = model.SerializeToString() if isinstance(model, onnx.ModelProto) else str(model)
    session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    kinds = {i.name: np.dtype(_NUMPY[i.type]) for i in session.get_inputs() if i.type in _NUMPY}
    out: list[dict[str, Array]] = []
    names = [o.name for o in session.get_outputs()]
    for sample in samples:
        feed = {k: np.asarray(v, kinds.get(k)) for k, v in sample.items() if k in kinds}
        some = next(iter(feed.values()), np.zeros((1, 1)))
        for k, v in fix.items():
            feed[k] = np.broadcast_to(np.asarray(v, kinds.get(k)), np.shape(v) or some.shape)
        out.append(dict(zip(names, session.run(None, feed), strict=True)))
    return out, "onnxruntime"


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
