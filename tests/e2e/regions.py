"""A model small enough to compile in a moment whose buffers are worth a choice of memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROWS, WIDTH, HIDDEN = 16, 32, 96


def two_layers(folder: Path) -> tuple[Path, dict[str, np.ndarray]]:
    """x [1, 16, 32] -> x + relu(x w1) w2 -> the same again -> y [1, 16, 32], and samples of x."""
    rng = np.random.default_rng(0)
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    x = "x"
    for layer in (1, 2):
        for name, shape in (("up", (WIDTH, HIDDEN)), ("down", (HIDDEN, WIDTH))):
            data = rng.normal(0, 0.2, shape).astype(np.float32)
            weights.append(numpy_helper.from_array(data, f"{name}{layer}"))
        y = "y" if layer == 2 else f"y{layer}"
        nodes += [
            helper.make_node("MatMul", [x, f"up{layer}"], [f"h{layer}"], name=f"/{layer}/up"),
            helper.make_node("Relu", [f"h{layer}"], [f"r{layer}"], name=f"/{layer}/relu"),
            helper.make_node("MatMul", [f"r{layer}", f"down{layer}"], [f"d{layer}"], name=f"/{layer}/down"),
            helper.make_node("Add", [f"d{layer}", x], [y], name=f"/{layer}/add"),
        ]
        x = y
    shape = [1, ROWS, WIDTH]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "two_layers", ends[:1], ends[1:], weights)
    path = folder / "two_layers.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path, {"x": rng.normal(0, 1, (16, *shape[1:])).astype(np.float32)}
