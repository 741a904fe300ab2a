"""Already quantized models keep the file's integers, and agree with onnxruntime's run within a step per operator."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnxruntime.quantization import QuantFormat, QuantType

from emberc.errors import EmberError
from emberc.ir.interpreter import run_function
from emberc.ir.types import DType, Quant
from tests.quant.quantized_files import (
    dynamic_file,
    firmware_answer,
    float_model,
    integer_module,
    onnxruntime_answer,
    quantized_file,
    samples,
    steps_apart,
)

#: One operator each: its inputs are exact integers of the file, so what is left is the operator's own rounding.
#: onnxruntime rounds half to even in float32, firmware half up in fixed point: neighbours at the ties, one step.
OPERATORS: dict[str, tuple[str, dict[str, tuple[int, ...]]]] = {
    "matmul": ("(float[4,16] x) => (float[4,8] y) { y = MatMul (x, w) }", {"w": (16, 8)}),
    "matmul and bias": (
        "(float[4,16] x) => (float[4,8] y) { a = MatMul (x, w) y = Add (a, b) }", {"w": (16, 8), "b": (8,)}),
    "gemm": ("(float[4,16] x) => (float[4,8] y) { y = Gemm <transB=1> (x, w, b) }", {"w": (8, 16), "b": (8,)}),
    "conv": (
        "(float[1,4,10] x) => (float[1,6,10] y) { y = Conv <pads=[1,1]> (x, w, b) }", {"w": (6, 4, 3), "b": (6,)}),
    "conv and relu": (
        "(float[1,3,6,6] x) => (float[1,4,4,4] y) { a = Conv (x, w, b) y = Relu (a) }",
        {"w": (4, 3, 3, 3), "b": (4,)}),
    "depthwise conv": (
        "(float[1,4,10] x) => (float[1,4,8] y) { y = Conv <group=4> (x, w, b) }", {"w": (4, 1, 3), "b": (4,)}),
    "product of activations": ("(float[2,4,6] x, float[2,6,5] z) => (float[2,4,5] y) { y = MatMul (x, z) }", {}),
    "add": ("(float[4,16] x, float[4,16] z) => (float[4,16] y) { y = Add (x, z) }", {}),
    "mul": ("(float[4,16] x, float[4,16] z) => (float[4,16] y) { y = Mul (x, z) }", {}),
    "mul by a row": ("(float[4,16] x) => (float[4,16] y) { y = Mul (x, w) }", {"w": (16,)}),
    "relu after matmul": ("(float[4,16] x) => (float[4,8] y) { a = MatMul (x, w) y = Relu (a) }", {"w": (16, 8)}),
    "sigmoid": ("(float[4,16] x) => (float[4,16] y) { y = Sigmoid (x) }", {}),
    "leaky relu": ("(float[4,16] x) => (float[4,16] y) { y = LeakyRelu <alpha=0.1> (x) }", {}),
    "softmax": ("(float[4,16] x) => (float[4,16] y) { y = Softmax (x) }", {}),
    "concat": ("(float[4,16] x, float[4,8] z) => (float[4,24] y) { y = Concat <axis=1> (x, z) }", {}),
    "gather": ("(int64[4] x) => (float[4,8] y) { y = Gather (w, x) }", {"w": (5, 8)}),
    "movement": (
        "(float[2,4,6] x) => (float[4,12] y) { r = Add (x, x) a = Transpose <perm=[1,0,2]> (r)"
        " s = Constant <value_ints=[4,12]> () y = Reshape (a, s) }", {}),
}  # fmt: skip
FORMS: dict[str, dict[str, Any]] = {
    "QDQ": {},
    "QDQ int8": {"activation_type": QuantType.QInt8},
    "QDQ per channel": {"per_channel": True},
    # 7-bit weights: without VNNI onnxruntime's uint8 x int8 kernels saturate their 16-bit sums, as its manual says
    "QOperator": {"quant_format": QuantFormat.QOperator, "reduce_range": True},
    "QOperator per channel int8": {
        "quant_format": QuantFormat.QOperator, "per_channel": True, "activation_type": QuantType.QInt8},
    "QDQ uint8 weights": {"weight_type": QuantType.QUInt8},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("operator", OPERATORS)
def test_one_step_per_operator(operator: str, form: str, tmp_path: Path) -> None:
    text, weights = OPERATORS[operator]
    proto = quantized_file(float_model(text, **weights), tmp_path, **FORMS[form])
    kinds = {n.op_type for n in proto.graph.node}
    assert any("quantize" in k.lower() or k.startswith(("QLinear", "QGemm")) for k in kinds), kinds
    assert steps_apart(proto) <= 1.001


def initializers(proto: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {t.name: onnx.numpy_helper.to_array(t) for t in proto.graph.initializer}


@pytest.mark.parametrize("form", ["QDQ", "QDQ int8", "QDQ per channel", "QOperator"])
def test_the_integers_are_those_of_the_file(form: str, tmp_path: Path) -> None:
    text, weights = OPERATORS["matmul and bias"]
    proto = quantized_file(float_model(text, **weights), tmp_path, **FORMS[form])
    file = initializers(proto)
    main = integer_module(proto, samples(proto)).main
    matmul = next(op for op in main.ops if op.opcode == "q.matmul")
    w = matmul.operands[1]
    assert w is not None and w.const is not None
    np.testing.assert_array_equal(w.const.T, next(a for n, a in file.items() if a.shape == (16, 8)))
    unsigned = file["x_zero_point"].dtype == np.uint8
    zero = int(file["x_zero_point"]) - (128 if unsigned else 0)
    assert main.inputs[0].type.quant == Quant.per_tensor(float(file["x_scale"]), zero)
    assert main.inputs[0].type.dtype is DType.I8


def test_a_relu_between_two_roundings_costs_nothing(tmp_path: Path) -> None:
    text, weights = OPERATORS["relu after matmul"]
    proto = quantized_file(float_model(text, **weights), tmp_path, quant_format=QuantFormat.QDQ)
    ops = [op.opcode for op in integer_module(proto, samples(proto)).main.ops]
    assert ops == ["q.matmul"]


BLOCK = """(float[1,8,16] x) => (float[1,8,4] y) {
    h = MatMul (x, w1) h1 = Add (h, b1) h2 = Relu (h1) h3 = MatMul (h2, w2) h4 = Add (h3, b2) r = Add (h4, x)
    n = LayerNormalization (r, g, b) s = Sigmoid (n) t = Mul (n, s) y = MatMul (t, w3) }"""
SHAPES = {"w1": (16, 32), "b1": (32,), "w2": (32, 16), "b2": (16,), "g": (16,), "b": (16,), "w3": (16, 4)}


@pytest.mark.parametrize("form", FORMS)
def test_a_block_of_eight_operators(form: str, tmp_path: Path) -> None:
    """A step per operator, carried to the output by gains below 1: 4 steps at most."""
    proto = quantized_file(float_model(BLOCK, **SHAPES), tmp_path, **FORMS[form])
    assert steps_apart(proto) <= 4.001


@pytest.mark.parametrize("weights", [QuantType.QInt8, QuantType.QUInt8])
@pytest.mark.parametrize("per_channel", [False, True])
def test_dynamic_quantization_becomes_static(weights: QuantType, per_channel: bool, tmp_path: Path) -> None:
    """The ranges of activations are then calibrated ones, wider than those of one inference: 25 dB, weights as in the
    file."""
    if per_channel and weights is QuantType.QUInt8:
        return  # one zero point per channel: refused, see below
    proto = dynamic_file(float_model(BLOCK, **SHAPES), tmp_path, weight_type=weights, per_channel=per_channel)
    assert "DynamicQuantizeLinear" in {n.op_type for n in proto.graph.node}
    module = integer_module(proto, samples(proto))
    float_proto = onnx.load(tmp_path / "float.onnx")
    for sample in samples(proto, 4, seed=2):
        want, got = onnxruntime_answer(float_proto, sample), firmware_answer(module, sample)
        assert 10 * np.log10((want**2).mean() / ((got - want) ** 2).mean()) > 25


REFUSED = {
    "dynamic": (
        "(float[4] x) => (uint8[4] q, float[4] y) { q, s, z = DynamicQuantizeLinear (x) f = Cast <to=1> (q)"
        " y = Mul (f, s) }",
        "DynamicQuantizeLinear whose integers go elsewhere"),
    "uint8 output": (
        "(float[4] x) => (uint8[4] y) { s = Constant <value_float=0.1> () y = QuantizeLinear (x, s) }",
        "an output of u8 elements"),
    "uint8 input": (
        "(uint8[4] x) => (float[4] y) { s = Constant <value_float=0.1> () y = DequantizeLinear (x, s) }",
        "integers of type u8 that no QuantizeLinear made"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_static_form_is_refused_with_a_way_out(name: str) -> None:
    text, says = REFUSED[name]
    proto = float_model(text)
    with pytest.raises(EmberError) as e:
        integer_module(proto, samples(proto))
    assert says in str(e.value) and e.value.hints


def test_integer_inputs_and_outputs_pass_as_they_are() -> None:
    proto = float_model(
        "(int8[4] x) => (int8[4] y) <float s = {0.1}, float t = {0.2}, int8 z = {3}>"
        " { a = DequantizeLinear (x, s, z) b = Relu (a) y = QuantizeLinear (b, t, z) }"
    )
    x = np.array([-128, 2, 3, 127], np.int8)
    main = integer_module(proto, [{"x": x}, {"x": x}]).main
    np.testing.assert_array_equal(run_function(main, {"x": x})["y"], [3, 3, 3, 65])


@pytest.mark.slow
@pytest.mark.parametrize("dynamo", [False, True])
def test_torch_exports_fake_quantization_as_qdq(dynamo: bool, tmp_path: Path) -> None:
    """Weights per channel and per tensor, signed and unsigned activations, as quantization-aware training leaves them.
    Two products and a ReLU between them: two steps of the output."""
    torch = pytest.importorskip("torch")
    tensor, channel = torch.fake_quantize_per_tensor_affine, torch.fake_quantize_per_channel_affine
    torch.manual_seed(0)
    first, second = torch.nn.Linear(16, 8), torch.nn.Linear(8, 4)
    scales = (first.weight.abs().amax(1) / 127).detach()

    class Trained(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = first, second

        def forward(self, x):  # type: ignore[no-untyped-def]
            w = channel(self.first.weight, scales, torch.zeros(8, dtype=torch.int32), 0, -128, 127)
            h = torch.nn.functional.linear(tensor(x, 0.05, 10, -128, 127), w, self.first.bias)
            h = tensor(torch.relu(tensor(h, 0.03, 128, 0, 255)), 0.02, 0, 0, 255)
            w = tensor(self.second.weight, 0.003, 0, -128, 127)
            return tensor(torch.nn.functional.linear(h, w, self.second.bias), 0.01, 0, -128, 127)

    options = {"dynamo": True, "verbose": False} if dynamo else {"dynamo": False, "opset_version": 17}
    names = {"input_names": ["x"], "output_names": ["y"]}
    torch.onnx.export(Trained(), (torch.zeros(4, 16),), tmp_path / "t.onnx", **options, **names)
    proto = onnx.load(tmp_path / "t.onnx")
    assert [n.op_type for n in proto.graph.node].count("DequantizeLinear") == 6
    assert [op.opcode for op in integer_module(proto, samples(proto)).main.ops] == ["q.matmul", "q.matmul"]
    assert steps_apart(proto) <= 2.001


@pytest.mark.slow
def test_torch_exports_what_pt2e_quantized_as_qdq(tmp_path: Path) -> None:
    """``quantized_decomposed`` ops around weights that are integers already, as ``convert_pt2e`` of torchao leaves
    them, through the dynamo exporter, the only one that takes them: the file's integers, one step of the output."""
    torch = pytest.importorskip("torch")
    importlib.import_module("torch.ao.quantization.fx._decomposed")  # registers them
    ops, int8 = torch.ops.quantized_decomposed, torch.int8
    generator = torch.Generator().manual_seed(0)

    def rounded(x, scale, zero):  # type: ignore[no-untyped-def]
        span = (scale, zero, -128, 127, int8)
        return ops.dequantize_per_tensor(ops.quantize_per_tensor(x, *span), *span)

    class Converted(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            for name, shape in (("first", (8, 16)), ("second", (4, 8))):
                self.register_buffer(name, torch.randint(-127, 128, shape, generator=generator, dtype=int8))
            self.register_buffer("scales", torch.rand(8, generator=generator) / 200 + 0.001)
            self.register_buffer("zeros", torch.zeros(8, dtype=torch.int64))
            self.bias = torch.nn.Parameter(torch.randn(8, generator=generator))

        def forward(self, x):  # type: ignore[no-untyped-def]
            w = ops.dequantize_per_channel(self.first, self.scales, self.zeros, 0, -127, 127, int8)
            h = torch.nn.functional.linear(rounded(x, 0.05, 10), w, self.bias)
            w = ops.dequantize_per_tensor(self.second, 0.004, 0, -127, 127, int8)
            return rounded(torch.nn.functional.linear(rounded(torch.relu(h), 0.02, -128), w), 0.03, 0)

    names = {"input_names": ["x"], "output_names": ["y"]}
    torch.onnx.export(Converted(), (torch.zeros(4, 16),), tmp_path / "t.onnx", dynamo=True, verbose=False, **names)
    proto = onnx.load(tmp_path / "t.onnx")
    assert [n.op_type for n in proto.graph.node].count("DequantizeLinear") == 5
    main = integer_module(proto, samples(proto)).main
    assert [op.opcode for op in main.ops] == ["q.matmul", "q.matmul"]
    weights = [op.operands[1].const for op in main.ops]
    for name, weight in zip(("first", "second"), weights, strict=True):
        np.testing.assert_array_equal(weight, initializers(proto)[name])
    assert steps_apart(proto) <= 1.001
