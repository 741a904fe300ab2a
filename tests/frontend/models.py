"""Small ONNX models written as text, and their comparison with onnxruntime."""

from collections.abc import Mapping

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

import emberc
from emberc.frontend import import_model
from emberc.ir.interpreter import run_function
from emberc.ir.verifier import verify

Arrays = Mapping[str, NDArray[np.generic]]


def model(text: str, opset: int = 18, **weights: object) -> onnx.ModelProto:
    """`(float[2,3] x) => (float[2,3] y) { y = Relu (x) }` as a model; weights are initializers, ints as int64."""
    head = f'<ir_version: 8, opset_import: ["" : {opset}, "com.microsoft" : 1, "local" : 1]>'
    proto = onnx.parser.parse_model(f"{head} agraph {text}")
    for name, value in weights.items():
        array = np.asarray(value)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        proto.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    return proto


def run(proto: onnx.ModelProto, inputs: Arrays, **options: object) -> list[NDArray[np.generic]]:
    """The float module's outputs; the module must satisfy the verifier."""
    module = import_model(proto, **options)  # type: ignore[arg-type]
    verify(module)
    return list(run_function(module.main, inputs).values())


def opcodes(module: emberc.Module) -> list[str]:
    """The ops of a module, in order."""
    return [op.opcode for op in module.main.ops]


def check_against_onnxruntime(proto: onnx.ModelProto, inputs: Arrays, tolerance: float = 1e-5) -> None:
    """Same shapes, same types, values within `tolerance`: both compute in float32, in another order."""
    want = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, dict(inputs))
    got = run(proto, inputs)
    assert len(got) == len(want)
    for g, w in zip(got, want, strict=True):
        assert (g.shape, g.dtype) == (w.shape, w.dtype)
        np.testing.assert_allclose(g, w, rtol=tolerance, atol=tolerance)


def values(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    """Standard normal numbers."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
