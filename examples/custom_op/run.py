"""Compiles a model with a custom op and proves the firmware on the host and an emulated Cortex-M4."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
import running_max  # noqa: F401 (registers the op)
from onnx import TensorProto, helper, numpy_helper

import emberc
from emberc.harness import test_build


def model() -> onnx.ModelProto:
    """y = running_max(x W1) W2 over 24 steps."""
    rng = np.random.default_rng(0)
    weights = {"w1": rng.normal(0, 0.5, (8, 16)), "w2": rng.normal(0, 0.3, (16, 4))}
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["a"], "first"),
        helper.make_node("RunningMax", ["a"], ["b"], "envelope", domain="my.ops"),
        helper.make_node("MatMul", ["b", "w2"], ["y"], "second"),
    ]
    graph = helper.make_graph(
        nodes,
        "envelope",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 24, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 24, 4])],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in weights.items()],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("my.ops", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def main() -> None:
    data = {"x": np.random.default_rng(1).normal(size=(16, 1, 24, 8)).astype(np.float32)}
    firmware = emberc.compile(model(), calibration=data, target="cortex-m4", name="envelope")
    print("ops       ", firmware.report.ops)
    print("accuracy  ", firmware.report.accuracy["y"], "against", firmware.report.accuracy_reference[:12])
    with tempfile.TemporaryDirectory() as folder:
        build = firmware.write(Path(folder) / "build")
        for run in test_build(build, ["host", "cortex-m4"]):
            print(f"{run.on:10} {run.error.message if run.error else f'{run.mismatches} mismatches'}")


if __name__ == "__main__":
    main()
