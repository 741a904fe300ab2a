"""A small encoder as the passes leave it: integer IR with every structure that a BERT has."""

from __future__ import annotations

import numpy as np

from backend.support import Net
from emberc.ir.arithmetic import exp2_table
from emberc.ir.graph import Module
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.integer_compare import Nonzero
from emberc.ir.ops.integer_elementwise import Add
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.ops.integer_movement import Reshape, Slice
from emberc.ir.ops.integer_norm import LayerNorm
from emberc.ir.types import Array, DType, Quant
from emberc.ir.values import Value

D, FF, HEADS = 8, 17, 2


def encoder(length: int = 7, vocabulary: int = 129) -> Module:
    """Embeddings, attention, feed-forward with a table, residuals, and a head on row 0: ids and mask to logits."""
    net = Net(seed=7)
    ids = net.input("input_ids", DType.I32, 1, length)
    mask = net.input("attention_mask", DType.I32, 1, length)
    position = net.weights(length, D, name="position.weight")
    tables = [
        net.weights(vocabulary, D, name="word.weight"),
        net.words(D, 1, 4000),
        ids,
        position,
        net.words(1, 1, 4000),
    ]
    x = net.add(
        Embed, net.words(D, -99, 99), parts=tables, has_ids=[True, False], frac=4, dtype="i16", loc="/embeddings"
    )
    x = _norm(net, x, "/embeddings/LayerNorm", "i16")
    allowed = net.add(Reshape, net.add(Nonzero, mask, loc="/mask"), shape=[1, 1, 1, length], loc="/Unsqueeze")
    qkv = _linear(net, _norm(net, x, "/layer.0/pre", "i8"), 3 * D, "/layer.0/attention/qkv")
    attended = net.add(
        Attention, qkv, qkv, qkv, net.const(exp2_table(), np.int16, "exp2"), allowed,
        heads=HEADS, head_dim=D // HEADS, k_offset=D, v_offset=2 * D, m_score=1 << 22, shift_score=2, c_out=3 << 30,
        shift_out=0, loc="/layer.0/attention",
    )  # fmt: skip
    x = _residual(net, x, _linear(net, attended, D, "/layer.0/output"), "/layer.0/Add")
    x = net.add(Slice, x, starts=[0], ends=[1], axes=[1], steps=[1], loc="/Gather")
    inner = _norm(net, x, "/layer.0/post", "i8")
    gelu = net.weights(256, name="gelu")
    inner = _linear(net, _linear(net, inner, FF, "/layer.0/intermediate", gelu), D, "/layer.0/ffn")
    x = _norm(net, _residual(net, x, inner, "/layer.0/Add_1"), "/layer.0/final", "i8")
    head = [net.weights(2, D), net.words(2, -99, 99), net.words(2, 1 << 22, 1 << 24)]
    logits = net.builder.emit(Matmul, x, *head, None, shift=3, zero_point=-3, loc="/classifier")
    logits = net.add(Reshape, logits, shape=[1, 2], loc="/Squeeze")
    logits.type = logits.type.with_quant(Quant.per_tensor(0.0417, -3))
    net.outputs["logits"] = logits
    return net.module("spam")


def samples(length: int = 7, vocabulary: int = 129) -> list[dict[str, Array]]:
    """Full, padded, all padding, and the ends of the vocabulary."""
    rng = np.random.default_rng(11)
    ids = [rng.integers(0, vocabulary, (1, length)) for _ in range(3)] + [np.full((1, length), vocabulary - 1)]
    masks = [np.arange(length) < n for n in (length, length // 2, 0, 1)]
    return [
        {"input_ids": i.astype(np.int32), "attention_mask": m.astype(np.int32)[None]}
        for i, m in zip(ids, masks, strict=True)
    ]


def _norm(net: Net, x: Value, loc: str, dtype: str) -> Value:
    low, high, gains = (1 << 12, 1 << 15, np.int16) if dtype == "i8" else (1 << 20, 1 << 24, np.int32)
    gamma = net.const(net.random.integers(low, high, D), gains)
    beta = net.const(net.random.integers(-9000, 9000, D), gains)
    return net.add(LayerNorm, x, gamma, beta, eps=64, dtype=dtype, loc=loc)


def _linear(net: Net, x: Value, n: int, loc: str, table: Value | None = None) -> Value:
    k = x.shape[-1]
    bias, m = net.words(n, -999, 999), net.words(n, 1 << 22, 1 << 24)
    return net.add(Matmul, x, net.weights(n, k, name=f"{loc}.weight"), bias, m, table, shift=4, loc=loc)


def _residual(net: Net, x: Value, y: Value, loc: str) -> Value:
    return net.add(Add, x, y, m1=1 << 14, s1=4, m2=1 << 14, s2=2, c=512, frac=10, dtype="i16", loc=loc)
