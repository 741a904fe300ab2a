"""What can't be compiled is listed at once: operators with counts and nodes, forms with what is allowed."""

import numpy as np
import pytest

from emberc.errors import UnsupportedError
from emberc.frontend import NodeContext, import_model, importer
from emberc.frontend.registry import REGISTRY
from emberc.ir.op import op_class
from emberc.ir.values import Value
from tests.frontend.models import model, run


def refusal(text: str, **weights: object) -> UnsupportedError:
    with pytest.raises(UnsupportedError) as e:
        import_model(model(text, **weights), name="m.onnx")
    assert e.value.code == "E-UNSUPPORTED"
    return e.value


def test_all_operators_at_once() -> None:
    error = refusal(
        """(float[4] x) => (int64[1,n] y, float[4] z) {
            [a_det] d = Det (x)  [b_odd] o = local.Odd (x)  [c_odd] p = local.Odd (o)
            [d_odd] q = local.Odd (p)  [e_odd] z = local.Odd (q)  [f_nz] y = Unique (o)
            [dead] unread = local.Never (x) }"""
    )
    assert str(error) == (
        "error[E-UNSUPPORTED]: 2 unsupported operators in 5 nodes: local::Odd, Unique\n"
        "  at   m.onnx\n"
        "  local::Odd: 4 nodes: b_odd, c_odd, d_odd, ...\n"
        "  Unique: 1 node: f_nz (the size of its output depends on the data)\n"
        "  try  register an importer from your own code: @emberc.importer(op_type, domain=...)"
    )


def test_a_form_names_node_attribute_and_what_is_allowed() -> None:
    error = refusal(
        "(float[1,1,4,4] x) => (float[1,1,2,2] y, int64[1,1,2,2] i) { [p] y, i = MaxPool <kernel_shape = [3, 3]> (x) }"
    )
    assert str(error) == (
        "error[E-UNSUPPORTED]: MaxPool: the output 'Indices' is not supported\n"
        "  at   m.onnx: node 'p'\n"
        "  allowed: the values only"
    )


def test_size_that_depends_on_data_names_the_node() -> None:
    error = refusal("(int64[1] n, float[1] x) => (float[k] y) { [grow] y = Expand (x, n) }")
    assert "its shape depends on the model's input data" in error.message
    assert error.at == "m.onnx: node 'grow'"


def test_if_with_a_computed_condition() -> None:
    error = refusal(
        """(bool[1] c, float[2] x) => (float[2] y) { [pick] y = If (c) <
            then_branch = t () => (float[2] a) { a = Neg (x) },
            else_branch = e () => (float[2] b) { b = Relu (x) } > }"""
    )
    assert error.message == "If: its condition depends on the model's input data"
    assert error.at == "m.onnx: node 'pick'"
    assert any("--fix" in h for h in error.hints)


def test_element_type() -> None:
    error = refusal("(string[2] x) => (string[2] y) { y = Identity (x) }")
    assert "element type string" in error.message
    assert "float32" in error.details[0]


def test_what_an_importer_does_not_read_is_refused() -> None:
    @importer("Lazy", domain="local")
    def lazy(node: NodeContext) -> Value:
        return node.input(0)

    try:
        error = refusal("(float[2] x) => (float[2] y) { y = local.Lazy <power = 2> (x) }")
        assert "attribute 'power'" in error.message
        error = refusal("(float[2] x) => (float[2] y) { y = local.Lazy (x, x) }")
        assert "input number 1" in error.message
    finally:
        del REGISTRY.versions["local", "Lazy"]


def test_importers_from_outside() -> None:
    proto = model("(float[2] x) => (float[2] y) { y = local.Twice (x) }")
    x = np.array([1, -2], np.float32)

    def twice(node: NodeContext) -> Value:
        return node.emit(op_class("f.add"), node.input(0), node.input(0))

    (y,) = run(proto, {"x": x}, custom={"local::Twice": twice})
    np.testing.assert_array_equal(y, 2 * x)
    importer("Twice", domain="local")(twice)
    try:
        (y,) = run(proto, {"x": x})
        np.testing.assert_array_equal(y, 2 * x)
    finally:
        del REGISTRY.versions["local", "Twice"]


def test_the_newest_importer_that_the_opset_reaches() -> None:
    for since in (5, 13):
        importer("Versioned", since=since)(lambda node, since=since: node.constant(since))
    try:
        found = [REGISTRY.find("Versioned", "ai.onnx", opset) for opset in (4, 5, 12, 13, 20)]
        assert found[0] is None
        assert found[1] is found[2] is not found[3] is found[4]
    finally:
        del REGISTRY.versions["", "Versioned"]
