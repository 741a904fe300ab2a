"""Small float models, quantized by onnxruntime's own quantizer, and what firmware and onnxruntime make of the file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

from emberc.firmware import dequantized, integer_inputs
from emberc.frontend import import_model
from emberc.ir.graph import Module
from emberc.ir.interpreter import run_function
from emberc.ir.types import Array
from emberc.passes import PassManager, default_pipeline
from emberc.quant.calibration import load_calibration

SAMPLES = 12


def float_model(text: str, seed: int = 0, **shapes: tuple[int, ...]) -> onnx.ModelProto:
    """A graph in ONNX's text form; ``shapes`` are weights, drawn with a spread of 1 / sqrt(rows)."""
    rng = np.random.default_rng(seed)
    proto = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> agraph {text}')
    for name, shape in shapes.items():
        array = rng.standard_normal(shape) / np.sqrt(shape[0])
        proto.graph.initializer.append(onnx.numpy_helper.from_array(array.astype(np.float32), name))
    return proto


def samples(proto: onnx.ModelProto, count: int = SAMPLES, seed: int = 1) -> list[dict[str, Array]]:
    """Inputs: normal reals, integers 0 .. 4, coin tosses."""
    rng = np.random.default_rng(seed)
    constant = {t.name for t in proto.graph.initializer}
    out: list[dict[str, Array]] = []
    for _ in range(count):
        sample: dict[str, Array] = {}
        for i in (i for i in proto.graph.input if i.name not in constant):
            shape = [d.dim_value for d in i.type.tensor_type.shape.dim]
            kind = i.type.tensor_type.elem_type
            if kind == onnx.TensorProto.FLOAT:
                sample[i.name] = rng.standard_normal(shape).astype(np.float32)
            elif kind == onnx.TensorProto.BOOL:
                sample[i.name] = rng.random(shape) < 0.5
            else:
                sample[i.name] = rng.integers(0, 5, shape)
        out.append(sample)
    return out


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, data: list[dict[str, Array]]) -> None:
        self.data: Iterator[dict[str, Array]] = iter(data)

    def get_next(self) -> dict[str, Array] | None:
        return next(self.data, None)


def quantized_file(proto: onnx.ModelProto, folder: Path, **options: Any) -> onnx.ModelProto:
    """The file of onnxruntime's static quantizer; ``options`` are its own."""
    logging.disable(logging.WARNING)
    onnx.save(proto, folder / "float.onnx")
    options = {"quant_format": QuantFormat.QDQ, "activation_type": QuantType.QUInt8, **options}
    options = {"weight_type": QuantType.QInt8, **options}
    quantize_static(folder / "float.onnx", folder / "quantized.onnx", _Reader(samples(proto)), **options)
    return onnx.load(folder / "quantized.onnx")


def dynamic_file(proto: onnx.ModelProto, folder: Path, **options: Any) -> onnx.ModelProto:
    """The file of onnxruntime's dynamic quantizer."""
    logging.disable(logging.WARNING)
    onnx.save(proto, folder / "float.onnx")
    quantize_dynamic(folder / "float.onnx", folder / "dynamic.onnx", **options)
    return onnx.load(folder / "dynamic.onnx")


def integer_module(proto: onnx.ModelProto, data: list[dict[str, Array]]) -> Module:
    """The integer module that a build of the file is made of."""
    module = import_model(proto)
    arrays = {name: np.stack([s[name] for s in data]) for name in data[0]}
    module.calibration = load_calibration(arrays, module.main)
    PassManager(default_pipeline()).run(module)
    return module


def onnxruntime_answer(proto: onnx.ModelProto, sample: dict[str, Array]) -> Array:
    """Without graph optimizations: on processors without VNNI the fused uint8 x int8 kernels saturate their 16-bit
    sums, which is no part of the file's meaning."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    return np.asarray(session.run(None, sample)[0])


def firmware_answer(module: Module, sample: dict[str, Array]) -> Array:
    """The integer module's first output as reals."""
    outputs = run_function(module.main, integer_inputs(module.main, sample))
    return next(iter(dequantized(module.main, outputs).values()))


def steps_apart(proto: onnx.ModelProto, step: float | None = None) -> float:
    """The largest difference between firmware and onnxruntime on new samples, in steps of the output."""
    module = integer_module(proto, samples(proto))
    out = next(iter(module.main.outputs.values())).type
    assert out.quant is not None
    worst = 0.0
    for sample in samples(proto, 4, seed=2):
        difference = firmware_answer(module, sample) - onnxruntime_answer(proto, sample)
        worst = max(worst, float(np.abs(difference).max()) / (step or out.quant.scale[0]))
    return worst
