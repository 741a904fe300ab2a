"""Accuracy value by value: the layer that is ruined comes first, and clipping is counted."""

import numpy as np
import pytest

from emberc.ir.builder import Builder
from emberc.ir.graph import Function
from emberc.ir.ops.float_unary import Relu, Tanh
from emberc.ir.ops.integer_table import Table
from emberc.ir.types import DType, Quant, TensorType
from emberc.ir.values import Constant, Value
from emberc.quant.layers import measure_layers

X = np.linspace(-2, 2, 17, dtype=np.float32)


def table(f: object, quant_in: Quant, quant_out: Quant) -> Constant:
    reals = quant_in.dequantize(np.arange(-128, 128))
    return Constant(quant_out.quantize(f(reals), DType.I8))  # type: ignore[operator]


def pair(out: Quant) -> tuple[Function, Function, dict[int, Value]]:
    """relu then tanh in floats, and the same by tables; tanh's output has the quantization ``out``."""
    fine = Quant.per_tensor(2 / 127)
    floats, integers = Function("main"), Function("main")
    x, q = Value(TensorType(DType.F32, (17,)), "x"), Value(TensorType(DType.I8, (17,), fine), "x")
    floats.inputs, integers.inputs = [x], [q]
    f, g = Builder(fold=False), Builder(fold=False)
    f.loc = "/relu"
    relu = f.emit(Relu, x)
    f.loc = "/tanh"
    tanh = f.emit(Tanh, relu)
    positive = g.emit(Table, q, table(lambda r: np.maximum(r, 0), fine, fine), types=[q.type])
    squashed = g.emit(Table, positive, table(np.tanh, fine, out), types=[TensorType(DType.I8, (17,), out)])
    floats.ops, integers.ops = f.ops, g.ops
    floats.outputs, integers.outputs = {"y": tanh}, {"y": squashed}
    return floats, integers, {id(x): q, id(relu): positive, id(tanh): squashed}


def test_the_worst_layer_comes_first_with_its_node() -> None:
    rows = measure_layers(*pair(Quant.per_tensor(0.5)), [{"x": X}])
    assert [r.node for r in rows] == ["/tanh", "/relu"]
    assert rows[0].sqnr_db is not None and rows[0].sqnr_db < 20 < (rows[1].sqnr_db or 0)
    assert [(r.op, r.dtype, r.clipped) for r in rows] == [("f.tanh", "i8", 0.0), ("f.relu", "i8", 0.0)]


def test_elements_out_of_range_are_counted() -> None:
    rows = measure_layers(*pair(Quant.per_tensor(0.5 / 127)), [{"x": X}])
    beyond = float(np.mean(np.tanh(np.maximum(X, 0)) > 127.5 * 0.5 / 127))
    assert rows[0].node == "/tanh"
    assert rows[0].clipped == pytest.approx(beyond, abs=1e-6)
    assert beyond > 0.2
