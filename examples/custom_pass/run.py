"""A pass of your own: a few patterns, inserted into the default pipeline, without touching emberc."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import emberc
from emberc.ir.op import op_class
from emberc.ir.rewrite import Rule, any_value, op, scalar


@dataclass(frozen=True)
class MergeClamps(emberc.RewritePass):
    """relu(relu(x))               -->  relu(x)
    min(max(x, 0), limit)       -->  clip(x) {lo = 0, hi = limit}
    """

    name: ClassVar[str] = "merge-clamps"
    limit: float = 6.0

    def rules(self) -> Sequence[Rule]:
        x = any_value("x")
        bounded = op("f.min", op("f.max", x, scalar(0.0)), scalar(self.limit))
        return [
            (op("f.relu", op("f.relu", x)), lambda m, b: b.emit(op_class("f.relu"), m["x"])),
            (bounded, lambda m, b: b.emit(op_class("f.clip"), m["x"], lo=0.0, hi=self.limit)),
        ]


def model() -> onnx.ModelProto:
    """y = min(max(relu(relu(x W1)), 0), 6) W2, clumsily."""
    rng = np.random.default_rng(0)
    weights = {"w1": rng.normal(0, 0.5, (16, 32)), "w2": rng.normal(0, 0.3, (32, 4))}
    constants = {**weights, "zero": np.zeros(()), "six": np.full((), 6.0)}
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["a"], "first"),
        helper.make_node("Relu", ["a"], ["b"], "relu"),
        helper.make_node("Relu", ["b"], ["c"], "relu_again"),
        helper.make_node("Max", ["c", "zero"], ["d"], "max"),
        helper.make_node("Min", ["d", "six"], ["e"], "min"),
        helper.make_node("MatMul", ["e", "w2"], ["y"], "second"),
    ]
    graph = helper.make_graph(
        nodes,
        "clumsy",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [8, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [8, 4])],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def main() -> None:
    data = {"x": np.random.default_rng(1).normal(0, 2, (32, 8, 16)).astype(np.float32)}
    pipeline = emberc.default_pipeline().insert_before("fuse-functions", MergeClamps())
    firmware = emberc.compile(model(), calibration=data, target="cortex-m4", pipeline=pipeline)
    print("pipeline  ", ", ".join(pipeline.names()))
    print("ops       ", firmware.report.ops)
    print("accuracy  ", firmware.report.accuracy["y"])


if __name__ == "__main__":
    main()
