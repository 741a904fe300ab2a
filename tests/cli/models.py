"""ONNX models made by hand: one that is right, and one for every way to be wrong."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WEIGHT = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)


@dataclass(frozen=True)
class Made:
    """A model that can be saved without being checked."""

    proto: onnx.ModelProto

    def save(self, path: Path) -> Path:
        path.write_bytes(self.proto.SerializeToString())
        return path


def make(
    nodes: list[onnx.NodeProto],
    initializers: list[onnx.TensorProto] | None = None,
    *,
    batch: int | str = 1,
    opset: int = 17,
    domains: tuple[str, ...] = (),
) -> Made:
    """A model x float [batch, 4] -> y float [batch, 3] of these nodes."""
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 3])],
        initializers if initializers is not None else [numpy_helper.from_array(WEIGHT, "w")],
    )
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    return Made(helper.make_model(graph, opset_imports=imports, ir_version=9))


def node(op: str, inputs: list[str], outputs: list[str], name: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(op, inputs, outputs, name=name, **attributes)


def linear_model(*, batch: int | str = 1, opset: int = 17, weight: np.ndarray = WEIGHT) -> Made:
    """y = relu(x w)."""
    nodes = [node("MatMul", ["x", "w"], ["xw"], "/dense"), node("Relu", ["xw"], ["y"], "/relu")]
    return make(nodes, [numpy_helper.from_array(weight, "w")], batch=batch, opset=opset)


def unsupported_model() -> Made:
    """Two operators that nobody knows, three nodes of them."""
    return make(
        [
            node("Warp", ["x"], ["a"], "/first/warp", domain="my.ops"),
            node("Warp", ["a"], ["b"], "/second/warp", domain="my.ops"),
            node("MatMul", ["b", "w"], ["c"], "/dense"),
            node("Weft", ["c"], ["y"], "/third/weft", domain="my.ops"),
        ],
        domains=("my.ops",),
    )


def cyclic_model() -> Made:
    """a needs b, b needs a."""
    return make(
        [
            node("Add", ["xw", "b"], ["a"], "/add_a"),
            node("Relu", ["a"], ["b"], "/relu_b"),
            node("MatMul", ["x", "w"], ["xw"], "/dense"),
            node("Relu", ["b"], ["y"], "/out"),
        ]
    )


def external_model(location: str) -> Made:
    """The weight is said to stand in the file `location`."""
    made = linear_model()
    weight = made.proto.graph.initializer[0]
    onnx.external_data_helper.set_external_data(weight, location, offset=0, length=48)
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    return made
