"""Each rule of the IR, broken once: the verifier says which, in which op, after which pass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emberc.errors import VerifyError
from emberc.ir.graph import Module
from emberc.ir.ops.float_binary import Add
from emberc.ir.ops.float_unary import Relu
from emberc.ir.parser import parse_module
from emberc.ir.types import Quant
from emberc.ir.values import Constant, Value
from emberc.ir.verifier import verify

TEXT = """module @m {
  const %w : f32[2, 3] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
  func @main(%x : f32[4, 3], %i : i8[3] q(0.5)) {
    %a = f.relu %x : f32[4, 3] loc "/relu"
    %b = f.linear %a, %w, _ : f32[4, 2] loc "/dense"
    %c = f.tanh %b : f32[4, 2] loc "/tanh"
    %q = q.reshape %i {shape = [1, 3]} : i8[1, 3] q(0.5) loc "/shape"
    return %c as "y", %q as "q"
  }
}
"""


def good() -> Module:
    return parse_module(TEXT)


def test_a_good_module_passes() -> None:
    verify(good())


def swap(m: Module) -> None:
    m.main.ops[0], m.main.ops[1] = m.main.ops[1], m.main.ops[0]


def twice(m: Module) -> None:
    m.main.ops.insert(1, m.main.ops[0])


def wrong_type(m: Module) -> None:
    m.main.ops[0].result.type = m.main.ops[0].result.type.with_shape((4, 2))


def wrong_dtype(m: Module) -> None:
    m.main.ops[1].set_operand(1, Constant(np.ones((2, 3), np.int32)))


def missing_operand(m: Module) -> None:
    m.main.ops[0].set_operand(0, None)


def missing_attribute(m: Module) -> None:
    del m.main.ops[3].attrs["shape"]


def impossible_shape(m: Module) -> None:
    m.main.ops[1].set_operand(1, Constant(np.ones(3, np.float32)))


def own_rule(m: Module) -> None:
    m.main.ops[3].attrs["shape"] = [7]


def forgotten_user(m: Module) -> None:
    m.main.inputs[0].users.clear()


def stale_user(m: Module) -> None:
    Relu(m.main.ops[1].result, loc="/nowhere")


def other_producer(m: Module) -> None:
    m.main.ops[0].result.producer = m.main.ops[1]


def lost_output(m: Module) -> None:
    m.main.outputs["z"] = Value(m.main.inputs[0].type)


def from_another_function(m: Module) -> None:
    m.main.ops[2].set_operand(0, good().main.ops[1].result)


def scale_count(m: Module) -> None:
    r = m.main.ops[3].result
    r.type = r.type.with_quant(Quant((0.5, 0.5), 0, 1))


def scale_axis(m: Module) -> None:
    r = m.main.ops[3].result
    r.type = r.type.with_quant(Quant((0.5,), 0, 2))


def scale_zero(m: Module) -> None:
    r = m.main.ops[3].result
    r.type = r.type.with_quant(Quant.per_tensor(0.0))


def zero_point(m: Module) -> None:
    r = m.main.ops[3].result
    r.type = r.type.with_quant(Quant.per_tensor(0.5, 200))


def quantized_float(m: Module) -> None:
    r = m.main.ops[2].result
    r.type = r.type.with_quant(Quant.per_tensor(0.5))


@pytest.mark.parametrize(
    ("harm", "says", "at"),
    [
        (swap, "operand 'x' is used before it is defined", "op f.linear (/dense)"),
        (twice, "a result is defined twice", "op f.relu (/relu)"),
        (wrong_type, "result 'y' is f32[4, 2], its operands make f32[4, 3]", "op f.relu (/relu)"),
        (wrong_dtype, "operand 'weight' is i32, allowed: f32, f64", "op f.linear (/dense)"),
        (missing_operand, "operand 'x' is missing", "op f.relu (/relu)"),
        (missing_attribute, "operands and attributes do not fit: KeyError: 'shape'", "op q.reshape (/shape)"),
        (impossible_shape, "operands and attributes do not fit: ValueError", "op f.linear (/dense)"),
        (own_rule, "reshape of [3] to [7] changes the size", "op q.reshape (/shape)"),
        (forgotten_user, "operand 'x' does not list the op among its users", "op f.relu (/relu)"),
        (stale_user, "lists a user that is not in the function: <f.relu /nowhere>", "function @main"),
        (other_producer, "a result does not point back at its op", "op f.relu (/relu)"),
        (lost_output, "output 'z' is never defined", "function @main"),
        (from_another_function, "operand 'x' is used before it is defined", "op f.tanh (/tanh)"),
        (scale_count, "result 'y' has 2 scales on axis 1 of [1, 3]", "op q.reshape (/shape)"),
        (scale_axis, "result 'y' has 1 scales on axis 2 of [1, 3]", "op q.reshape (/shape)"),
        (scale_zero, "result 'y' has a scale that is no positive number", "op q.reshape (/shape)"),
        (zero_point, "result 'y' has zero point 200, outside i8", "op q.reshape (/shape)"),
        (quantized_float, "result 'y' is f32 and has a quantization", "op f.tanh (/tanh)"),
    ],
)
def test_a_broken_rule_is_named_with_op_and_pass(harm: Callable[[Module], None], says: str, at: str) -> None:
    module = good()
    harm(module)
    with pytest.raises(VerifyError) as e:
        verify(module, after="my-pass")
    assert says in e.value.message and "after pass 'my-pass'" in e.value.message and e.value.at == at


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda x: Add(x), "f.add lacks its operand 'b'"),
        (lambda x: Add(x, x, x), "f.add takes 2 operands, got 3"),
        (lambda x: Relu(x, slope=1), "f.relu has no field 'slope'"),
    ],
)
def test_an_op_is_not_built_from_the_wrong_parts(build: Callable[[Value], object], says: str) -> None:
    with pytest.raises(VerifyError, match=says):
        build(good().main.inputs[0])
