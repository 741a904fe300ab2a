"""Attention (opset 23) and rotary embeddings, spelled out in matrix products; passes fuse them again."""

from __future__ import annotations

import math

import numpy as np

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.ir.ops import float_binary as fb
from emberc.ir.ops import float_unary as fu
from emberc.ir.ops.float_movement import Gather, Pad
from emberc.ir.ops.float_norm import Softmax
from emberc.ir.types import DType
from emberc.ir.values import Value

HIDDEN = -np.inf


@importer("Attention", since=23)
def attention(node: NodeContext) -> list[Value | None]:
    """softmax(scale Q K^T + mask) V with grouped heads, softcap, causal masks and a key/value cache."""
    q, k, v = (node.input(i) for i in range(3))
    flat = q.type.rank == 3
    heads, kv_heads = node.integer("q_num_heads"), node.integer("kv_num_heads")
    if flat:
        if not heads or not kv_heads:
            raise node.invalid("3-D inputs need q_num_heads and kv_num_heads")
        q, k, v = split_heads(node, q, heads), split_heads(node, k, kv_heads), split_heads(node, v, kv_heads)
    new = k.shape[2]
    past_key, past_value = node.optional(4), node.optional(5)
    k = k if past_key is None else node.concat([past_key, k], 2)
    v = v if past_value is None else node.concat([past_value, v], 2)
    key, value = k, v
    heads, kv_heads = q.shape[1], k.shape[1]
    if heads % kv_heads:
        raise node.invalid(f"{heads} query heads can't share {kv_heads} key heads")
    if kv_heads != heads:
        k, v = repeat_heads(node, k, heads // kv_heads), repeat_heads(node, v, heads // kv_heads)
    node.ignore("softmax_precision")  # the reference computes in float32 whatever is asked
    scale = node.number("scale", 0.0) or 1 / math.sqrt(q.shape[-1])
    product = node.mul(node.matmul(q, node.swap_last(k)), node.scalar(scale, q))
    softcap = node.number("softcap", 0.0)
    capped = product
    if softcap:
        limit = node.scalar(softcap, q)
        capped = node.mul(node.emit(fu.Tanh, node.div(product, limit)), limit)
    left, right = node.integer("left_window_size", -1), node.integer("right_window_size", -1)
    right = 0 if node.integer("is_causal") else right
    bias = mask_bias(node, node.optional(3), capped, key.shape[2] - new, left, right, node.optional(6))
    masked = capped if bias is None else node.add(capped, bias)
    probabilities = node.emit(Softmax, masked, axis=3)
    if bias is not None:  # a row whose keys are all masked counts nothing
        empty = node.emit(fu.IsNaN, probabilities)
        probabilities = node.where(empty, node.scalar(0, probabilities), probabilities)
    y = node.matmul(probabilities, v)
    if flat:
        y = merge_heads(node, y)
    stage = [product, capped, masked, probabilities]
    return [y, key, value, stage[node.integer("qk_matmul_output_mode", 0)]]


@importer("RotaryEmbedding", since=23)
def rotary_embedding(node: NodeContext) -> Value:
    """Turns pairs of features by an angle that grows with the position (Su et al. 2021)."""
    x, cos, sin = node.input(0), node.input(1), node.input(2)
    ids = node.optional(3)
    flat = x.type.rank == 3
    heads = node.integer("num_heads")
    if flat:
        if not heads:
            raise node.invalid("a 3-D input needs num_heads")
        x = split_heads(node, x, heads)
    if ids is not None:
        cos, sin = (node.emit(Gather, t, ids, axis=0) for t in (cos, sin))
    size = node.integer("rotary_embedding_dim") or x.shape[3]
    y = rotate(node, x, node.unsqueeze(cos, 1), node.unsqueeze(sin, 1), size, bool(node.integer("interleaved")))
    return merge_heads(node, y) if flat else y


def rotate(node: NodeContext, x: Value, cos: Value, sin: Value, size: int, interleaved: bool) -> Value:
    """x [B, H, L, D], of whose D the first ``size`` turn; cos and sin [B, 1, L, size / 2]."""
    half = size // 2
    turning, still = node.slice(x, 3, 0, size), node.slice(x, 3, size, x.shape[3])
    lead = list(x.shape[:3])
    if interleaved:
        pairs = node.reshape(turning, [*lead, half, 2])
        a = node.reshape(node.slice(pairs, 4, 0, 1), [*lead, half])
        b = node.reshape(node.slice(pairs, 4, 1, 2), [*lead, half])
    else:
        a, b = node.slice(turning, 3, 0, half), node.slice(turning, 3, half, size)
    cos, sin = node.slice(cos, 3, 0, half), node.slice(sin, 3, 0, half)
    real = node.sub(node.mul(a, cos), node.mul(b, sin))
    imaginary = node.add(node.mul(a, sin), node.mul(b, cos))
    if interleaved:
        columns = [node.unsqueeze(t, 4) for t in (real, imaginary)]
        turned = node.reshape(node.concat(columns, 4), [*lead, size])
    else:
        turned = node.concat([real, imaginary], 3)
    return node.concat([turned, still], 3)


def split_heads(node: NodeContext, x: Value, heads: int) -> Value:
    """[B, L, H * D] -> [B, H, L, D]"""
    b, length, width = x.shape
    return node.transpose(node.reshape(x, [b, length, heads, width // heads]), [0, 2, 1, 3])


def merge_heads(node: NodeContext, x: Value) -> Value:
    """[B, H, L, D] -> [B, L, H * D]"""
    b, heads, length, width = x.shape
    return node.reshape(node.transpose(x, [0, 2, 1, 3]), [b, length, heads * width])


def repeat_heads(node: NodeContext, x: Value, times: int) -> Value:
    """Every head ``times`` times in a row: [B, H, L, D] -> [B, H * times, L, D]"""
    b, heads, length, width = x.shape
    wide = node.expand(node.unsqueeze(x, 2), [b, heads, times, length, width])
    return node.reshape(wide, [b, heads * times, length, width])


def mask_bias(
    node: NodeContext,
    mask: Value | None,
    scores: Value,
    past: int,
    left: int = -1,
    right: int = -1,
    lengths: Value | None = None,
) -> Value | None:
    """What is added to ``scores`` [B, H, Lq, Lk]: 0 where a key may be seen, -inf elsewhere.

    Query i stands at position i + ``past`` and sees ``left`` keys before and ``right`` after it, all for -1. With
    ``lengths`` [B] the keys behind the length do not exist, and the last query stands on the last key.
    """
    bias = mask
    if mask is not None and mask.type.dtype is DType.BOOL:
        bias = node.where(mask, node.scalar(0, scores), node.scalar(HIDDEN, scores))
    if bias is not None and bias.shape[-1] < scores.shape[-1]:
        pads = [0] * (2 * bias.type.rank - 1) + [scores.shape[-1] - bias.shape[-1]]
        bias = node.emit(Pad, bias, pads=pads, value=HIDDEN)
    for seen in _windows(node, scores, past, left, right, lengths):
        window = node.where(seen, node.scalar(0, scores), node.scalar(HIDDEN, scores))
        bias = window if bias is None else node.add(bias, window)
    return bias


def _windows(node: NodeContext, scores: Value, past: int, left: int, right: int, lengths: Value | None) -> list[Value]:
    """bool, each [.., Lq or 1, Lk]: keys up to ``right`` after the query, from ``left`` before it, and that exist."""
    keys = node.iota(scores.shape[3], 1, 2)
    position: Value = node.constant(np.arange(scores.shape[2])[:, None] + past)
    seen: list[Value] = []
    if lengths is not None:
        count = node.reshape(node.cast(lengths, DType.I64), [lengths.type.elements, 1, 1, 1])
        seen.append(node.emit(fb.Less, keys, count))
        position = node.add(position, node.sub(count, node.constant(scores.shape[2])))
    if right >= 0:
        seen.append(node.emit(fb.LessOrEqual, keys, node.add(position, node.constant(right))))
    if left >= 0:
        seen.append(node.emit(fb.GreaterOrEqual, keys, node.sub(position, node.constant(left))))
    return seen
