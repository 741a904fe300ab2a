"""The largest of every step, a step a call: a language model that answers with tokens, not with scores."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import numpy_helper, parser

from emberc.errors import UnsupportedError
from emberc.frontend import import_model
from emberc.ir.builder import Builder
from emberc.ir.graph import Module
from emberc.ir.op import op_class
from emberc.passes.streaming import stream
from tests.passes.test_streaming import decoder, quantized, same_bits


def ranks(*nodes: str, outputs: str) -> Module:
    """x [1, 9, 6] through a product to five classes ``y``, and the nodes."""
    body = "\n".join(["y = MatMul (x, w)", *nodes])
    signature = f"g (float[1, 9, 6] x) => ({outputs}) <int64[1] two = {{2}}>"
    model = parser.parse_model(f'<ir_version: 9, opset_import: ["" : 17]> {signature} {{{body}}}')
    w = np.random.default_rng(5).normal(size=(6, 5)).astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(w, "w"))
    return import_model(model)


def every_rank() -> Module:
    return ranks(
        "best = ArgMax <axis = -1, keepdims = 0> (y)",
        "worst = ArgMin <axis = 2, select_last_index = 1> (y)",
        "values, at = TopK <axis = -1> (y, two)",
        "hot = Hardmax <axis = -1> (y)",
        outputs="int64[1, 9] best, int64[1, 9, 1] worst, float[1, 9, 2] values, int64[1, 9, 2] at, float[1, 9, 5] hot",
    )


def test_ranks_over_what_each_step_has() -> None:
    step = same_bits(every_rank())
    assert "q.top_k" in {op.opcode for op in step.ops}
    assert {n: v.shape for n, v in step.outputs.items()} == {
        "best": (1, 1),
        "worst": (1, 1, 1),
        "values": (1, 1, 2),
        "at": (1, 1, 2),
        "hot": (1, 1, 5),
    }


def test_a_decoder_that_ends_with_its_token() -> None:
    module = decoder()
    (scores,) = module.main.outputs.values()
    b = Builder(fold=False)
    module.main.outputs = {"token": b.emit(op_class("f.argmax"), scores, axis=2, keepdims=False)}
    module.main.ops += b.ops
    assert same_bits(module).outputs["token"].shape == (1, 1)


def test_ranks_over_time_are_refused() -> None:
    module = ranks("best = ArgMax <axis = 1> (y)", outputs="int64[1, 1, 5] best")
    with pytest.raises(UnsupportedError, match="ranks the steps of the sequence") as raised:
        stream(quantized(module))
    assert "rank what each step has" in raised.value.hints
