"""Model-local functions, branches with a constant condition, and operators that ONNX defines by a body."""

import numpy as np
import onnx
import pytest

from emberc.errors import ModelError
from emberc.frontend import import_model
from tests.frontend.models import check_against_onnxruntime, model, opcodes, run, values

HEAD = '<ir_version: 8, opset_import: ["" : 18, "local" : 1]> agraph '


def test_function_with_attributes_defaults_and_an_inner_call() -> None:
    proto = onnx.parser.parse_model(
        HEAD
        + """(float[2,3] x) => (float[2,3] y, float[2,3] z) {
            [outer] y = local.Scaled <by = 3.0> (x)  z = local.Scaled (x) }
        <opset_import: ["" : 18, "local" : 1], domain: "local"> Scaled <by: float = 0.5> (a) => (b) {
            f = Constant <value_float: float = @by> ()  m = Mul (a, f)  b = local.Shifted (m) }
        <opset_import: ["" : 18], domain: "local"> Shifted (a) => (b) {
            one = Constant <value_float = 1.0> ()  b = Add (a, one) }"""
    )
    check_against_onnxruntime(proto, {"x": values(2, 3)})
    module = import_model(proto)
    assert module.main.ops[0].loc == "outer/Mul_1"


def test_function_with_an_input_left_out() -> None:
    proto = onnx.parser.parse_model(
        HEAD
        + """(float[2,3] x) => (float[2,3] y) { y = local.Bounded (x) }
        <opset_import: ["" : 18], domain: "local"> Bounded (a, top) => (b) { b = Clip (a, , top) }"""
    )
    (y,) = run(proto, {"x": values(2, 3)})
    np.testing.assert_array_equal(y, values(2, 3))


def test_functions_without_end() -> None:
    proto = onnx.parser.parse_model(
        HEAD
        + """(float[2] x) => (float[2] y) { y = local.Again (x) }
        <opset_import: ["" : 18, "local" : 1], domain: "local"> Again (a) => (b) { b = local.Again (a) }"""
    )
    with pytest.raises(ModelError):
        import_model(proto)


@pytest.mark.parametrize(("size", "op"), [(3, "f.neg"), (4, "f.relu")])
def test_if_on_a_shape_takes_one_branch(size: int, op: str) -> None:
    proto = model(
        """(float[n] x) => (float[n] y) { s = Size (x)  c = Equal (s, three)  y = If (c) <
            then_branch = t () => (float[n] a) { a = Neg (x) },
            else_branch = e () => (float[n] b) { b = Relu (x) } > }""",
        three=3,
    )
    assert opcodes(import_model(proto, shapes={"x": (size,)})) == [op]


def test_branch_may_use_what_it_makes_itself_and_what_is_around() -> None:
    proto = model(
        """(float[2] x) => (float[2] y) { k = Neg (x)  y = If (c) <
            then_branch = t () => (float[2] a) { m = Mul (x, k)  a = Add (m, k) },
            else_branch = e () => (float[2] b) { b = Relu (x) } > }""",
        c=np.array(True),
    )
    check_against_onnxruntime(proto, {"x": values(2)})


def test_operator_without_importer_is_spelled_out_by_its_schema() -> None:
    check_against_onnxruntime(
        model("(float[2,3] x) => (float[2,3] y) { y = Shrink <lambd = 0.4> (x) }"), {"x": values(2, 3)}
    )
    proto = model(
        '(float[3,5] x, int64[3] t) => (float y) { y = SoftmaxCrossEntropyLoss <reduction = "mean"> (x, t) }', 13
    )
    check_against_onnxruntime(proto, {"x": values(3, 5), "t": np.array([0, 4, 2])})
