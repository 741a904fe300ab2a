"""LSTM and GRU a frame a call: the bits of the whole sequence, from the states that the model begins with."""

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

LENGTH, WIDTH, SIZE = 7, 5, 6


def stacked(kinds: list[str], *, begun: bool = False, direction: str = "forward") -> onnx.ModelProto:
    """x [1, L, 5] through layers of cells, and a product; ``begun``: from states that are not zero."""
    rng = np.random.default_rng(11)
    arrays: dict[str, np.ndarray] = {"head": rng.normal(size=(SIZE, 2))}
    nodes = [helper.make_node("Transpose", ["x"], ["t0"], perm=[1, 0, 2])]
    for k, kind in enumerate(kinds):
        gates, width = (4 if kind == "LSTM" else 3), (WIDTH if k == 0 else SIZE)
        sizes = {"W": (gates * SIZE, width), "R": (gates * SIZE, SIZE), "B": (2 * gates * SIZE,)}
        arrays |= {f"{n}{k}": rng.normal(0, 0.6, (1, *s)) for n, s in sizes.items()}
        states = [f"{s}{k}" for s in ("h", "c")[: 2 if kind == "LSTM" else 1]]
        arrays |= {s: rng.normal(0, 0.5, (1, 1, SIZE)) for s in states} if begun else {}
        given = ["", *states] if begun else []
        inputs = [f"t{k}", f"W{k}", f"R{k}", f"B{k}", *given]
        more = {"linear_before_reset": 1} if kind == "GRU" else {}
        nodes += [
            helper.make_node(
                kind, inputs, [f"y{k}"], name=f"/{kind}{k}", hidden_size=SIZE, direction=direction, **more
            ),
            helper.make_node("Squeeze", [f"y{k}", "axes"], [f"t{k + 1}"]),
        ]
    nodes += [
        helper.make_node("Transpose", [f"t{len(kinds)}"], ["back"], perm=[1, 0, 2]),
        helper.make_node("MatMul", ["back", "head"], ["y"]),
    ]
    tensors = [numpy_helper.from_array(a.astype(np.float32), n) for n, a in arrays.items()]
    tensors.append(numpy_helper.from_array(np.array([1]), "axes"))
    value, f32 = helper.make_tensor_value_info, TensorProto.FLOAT
    graph = helper.make_graph(
        nodes, "cells", [value("x", f32, [1, LENGTH, WIDTH])], [value("y", f32, [1, LENGTH, 2])], tensors
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def imported(*args: Any, **more: Any) -> Module:
    return import_model(stacked(*args, **more))


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("kinds", [["LSTM", "LSTM"], ["GRU"], ["LSTM", "GRU", "GRU"]])
def test_layers_keep_their_states(kinds: list[str], begun: bool) -> None:
    step = same_bits(imported(kinds, begun=begun))
    want = [s for kind in kinds for s in (["h", "c"] if kind == "LSTM" else ["h"])]
    assert [s.name.partition("_")[0] for s in step.states] == want
    assert all(step.in_place(s) for s in step.states)
    assert all((s.start is not None) == begun for s in step.states)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_cells_from_the_end_are_refused(kind: str) -> None:
    module = quantized(imported([kind], direction="reverse"))
    with pytest.raises(UnsupportedError, match="begins at the last step") as raised:
        stream(module)
    assert raised.value.at == f"/{kind}0"
    assert "direction=forward" in raised.value.hints[0]
