"""Integer ops survive the text form: what the printer writes, the parser reads back as the same op."""

from __future__ import annotations

import numpy as np

from emberc.ir.arithmetic import exp2_table
from emberc.ir.graph import Function, Module
from emberc.ir.interpreter import run_function
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.integer_compare import Nonzero
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.ops.integer_movement import Reshape
from emberc.ir.ops.integer_norm import LayerNorm
from emberc.ir.parser import parse_module
from emberc.ir.printer import print_module, side_data
from emberc.ir.types import DType, TensorType
from emberc.ir.values import Value
from emberc.ir.verifier import verify
from tests.kernels.check import INT8, constant, tensor


def encoder() -> Module:
    """Embedding, masked attention over a packed projection, LayerNorm."""
    rng = np.random.default_rng(1)
    length, d = 5, 8
    ids = Value(TensorType(DType.I32, (1, length)), "ids")
    embed = Embed(
        constant(np.full(d, 1 << 9)),
        [constant(tensor(rng, INT8, (20, d)), np.int8), constant([900]), ids,
         constant(tensor(rng, INT8, (length, d)), np.int8), constant([300])],
        has_ids=[True, False], frac=10,
    )  # fmt: skip
    w = tensor(rng, INT8, (3 * d, d))
    qkv = Matmul(embed.y, constant(w, np.int8), constant([0] * (3 * d)), constant([1 << 22] * (3 * d)), shift=4)
    mask = Nonzero(ids)
    shaped = Reshape(mask.y, shape=[1, 1, 1, length])
    attention = Attention(
        qkv.y, qkv.y, qkv.y, constant(exp2_table(), np.int16), shaped.y,
        heads=2, head_dim=4, k_offset=d, v_offset=2 * d, m_score=1 << 20, shift_score=4, c_out=0xFFFFFFFF, shift_out=-7,
    )  # fmt: skip
    norm = LayerNorm(attention.y, constant([1 << 20] * d), constant([128] * d), eps=3, dtype="i16", out_shift=4)
    ops = [embed, qkv, mask, shaped, attention, norm]
    return Module("encoder", {"main": Function("main", [ids], list(ops), {"y": norm.y})})


def test_round_trip_and_equal_results() -> None:
    module = encoder()
    verify(module)
    text = print_module(module)
    again = parse_module(text, side_data(module))
    verify(again)
    assert print_module(again) == text
    ids = np.array([[3, 4, 0, 19, 0]], np.int32)
    first, second = (run_function(m.main, {"ids": ids})["y"] for m in (module, again))
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.int16 and len(np.unique(first)) > 8
