"""A model for the fit tests: its weights are most of its firmware."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LENGTH, WORDS, WIDTH, INNER = 6, 500, 32, 64


def words_model(path: Path) -> Path:
    """ids [1, 6] -> words, relu(up), down, head; the file that it was saved to."""
    rng = np.random.default_rng(0)
    shapes = {"words": (WORDS, WIDTH), "up": (WIDTH, INNER), "down": (INNER, WIDTH), "head": (WIDTH, 3)}
    weights = [numpy_helper.from_array(rng.normal(size=s).astype(np.float32), n) for n, s in shapes.items()]
    nodes = [
        helper.make_node("Gather", ["words", "ids"], ["rows"]),
        helper.make_node("MatMul", ["rows", "up"], ["wide"]),
        helper.make_node("Relu", ["wide"], ["positive"]),
        helper.make_node("MatMul", ["positive", "down"], ["narrow"]),
        helper.make_node("MatMul", ["narrow", "head"], ["y"]),
    ]
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, [1, LENGTH])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, LENGTH, 3])
    graph = helper.make_graph(nodes, "words", [ids], [y], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path
