"""Convolution and pooling over time a frame a call: causal windows keep their rows, all others are refused.

A window is kept once, in the caller's context: the rows of earlier calls and this one's, which convolutions read there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from emberc.errors import UnsupportedError
from emberc.frontend import import_model
from emberc.ir.graph import Module
from emberc.passes.streaming import stream
from tests.passes.test_streaming import quantized, same_bits

LENGTH, WIDTH = 9, 6


def windows(
    *, groups: int = 1, pads: tuple[int, int] = (2, 0), pool: str = "", pool_pads: tuple[int, int] = (1, 0), **conv: Any
) -> Module:
    """x [1, L, 6], a convolution over time, ReLU, pooling over two steps if asked for, and a product."""
    rng = np.random.default_rng(3)
    made = 5 if groups == 1 else WIDTH
    arrays = {"w": rng.normal(size=(made, WIDTH // groups, 3)), "v": rng.normal(size=(made, 2))}
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
        helper.make_node("Conv", ["t", "w"], ["c"], name="/conv", group=groups, pads=pads, **conv),
        helper.make_node("Relu", ["c"], ["r"]),
    ]
    if pool:
        strides = [1] if pool_pads != (0, 0) else [2]
        nodes.append(
            helper.make_node(pool, ["r"], ["p"], name="/pool", kernel_shape=[2], pads=pool_pads, strides=strides)
        )
    nodes += [
        helper.make_node("Transpose", ["p" if pool else "r"], ["back"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["back", "v"], ["y"]),
    ]
    return _imported(nodes, arrays)


def gated() -> Module:
    """tanh(conv(x)) sigmoid(conv(x)), as in WaveNet: two filters over the same rows."""
    rng = np.random.default_rng(3)
    arrays = {"w": rng.normal(size=(5, WIDTH, 3)), "u": rng.normal(size=(5, WIDTH, 3)), "v": rng.normal(size=(5, 2))}
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
        helper.make_node("Conv", ["t", "w"], ["c"], name="/filter", pads=[2, 0]),
        helper.make_node("Conv", ["t", "u"], ["d"], name="/gate", pads=[2, 0]),
        helper.make_node("Tanh", ["c"], ["f"]),
        helper.make_node("Sigmoid", ["d"], ["g"]),
        helper.make_node("Mul", ["f", "g"], ["r"]),
        helper.make_node("Transpose", ["r"], ["back"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["back", "v"], ["y"]),
    ]
    return _imported(nodes, arrays)


def spectrogram() -> Module:
    """Time and frequency: windows of 3 x 3, causal along time, both ways along frequency, and pooled there."""
    rng = np.random.default_rng(3)
    arrays = {"w": rng.normal(size=(4, 1, 3, 3)), "v": rng.normal(size=(4 * WIDTH // 2, 2))}
    nodes = [
        helper.make_node("Unsqueeze", ["x", "one"], ["image"]),
        helper.make_node("Conv", ["image", "w"], ["c"], name="/conv", pads=[2, 1, 0, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("AveragePool", ["r"], ["p"], name="/pool", kernel_shape=[1, 2], strides=[1, 2]),
        helper.make_node("Transpose", ["p"], ["t"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["t", "rows"], ["flat"]),
        helper.make_node("MatMul", ["flat", "v"], ["y"]),
    ]
    return _imported(nodes, arrays, one=np.array([1]), rows=np.array([1, LENGTH, 4 * WIDTH // 2]))


def _imported(nodes: list[onnx.NodeProto], arrays: dict[str, np.ndarray], **integers: np.ndarray) -> Module:
    value, f32 = helper.make_tensor_value_info, TensorProto.FLOAT
    tensors = [numpy_helper.from_array(a.astype(np.float32), n) for n, a in arrays.items()]
    tensors += [numpy_helper.from_array(a, n) for n, a in integers.items()]
    x, y = value("x", f32, [1, LENGTH, WIDTH]), value("y", f32, [1, None, 2])
    model = helper.make_model(
        helper.make_graph(nodes, "windows", [x], [y], tensors),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    return import_model(model)


@pytest.mark.parametrize(
    ("module", "kept"),
    [
        (lambda: windows(), [(1, 3, WIDTH)]),
        (lambda: windows(groups=2), [(1, 3, WIDTH)]),
        (lambda: windows(dilations=[2], pads=(4, 0)), [(1, 5, WIDTH)]),
        (lambda: windows(pool="MaxPool"), [(1, 3, WIDTH), (1, 2, 5)]),
        (gated, [(1, 3, WIDTH)]),
        (spectrogram, [(1, 3, WIDTH, 1)]),
    ],
    ids=["conv", "groups", "dilated", "pool", "gated", "image"],
)
def test_causal_windows_keep_their_rows(module: Any, kept: list[tuple[int, ...]]) -> None:
    step = same_bits(module())
    shapes = {v.name: v.shape for v in step.inputs}
    assert [shapes[s.name] for s in step.states] == kept
    assert all(step.in_place(s) for s in step.states)


@pytest.mark.parametrize(
    ("module", "at", "problem"),
    [
        (lambda: windows(pads=(1, 1)), "/conv", "looks ahead"),
        (lambda: windows(pads=(0, 0)), "/conv", "answers fewer steps"),
        (lambda: windows(strides=[2]), "/conv", "2 steps apart"),
        (lambda: windows(strides=[2], groups=WIDTH), "/conv", "2 steps apart"),
        (lambda: windows(pool="MaxPool", pool_pads=(0, 0)), "/pool", "2 steps apart"),
        (lambda: windows(pool="AveragePool"), "/pool", "a mean over steps"),
    ],
    ids=["ahead", "unpadded", "stride", "depthwise stride", "pool", "mean"],
)
def test_other_windows_are_refused_with_the_way_out(module: Any, at: str, problem: str) -> None:
    with pytest.raises(UnsupportedError, match=problem) as raised:
        stream(quantized(module()))
    assert raised.value.at.startswith(at)
    assert len(raised.value.hints) == 2
