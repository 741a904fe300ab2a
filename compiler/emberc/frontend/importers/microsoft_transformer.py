"""Whole blocks of a transformer as onnxruntime's offline optimizer writes them, spelled out again."""

from __future__ import annotations

import math

from emberc.frontend.context import NodeContext
from emberc.frontend.importers.attention import mask_bias, merge_heads, split_heads
from emberc.frontend.importers.microsoft import MS
from emberc.frontend.registry import importer
from emberc.ir.ops import float_binary as fb
from emberc.ir.ops.float_movement import Gather
from emberc.ir.ops.float_norm import LayerNorm, Softmax
from emberc.ir.types import DType
from emberc.ir.values import Value

MASK_FORMS = "[batch] (lengths) or [batch, keys] (1 for a key that may be seen)"


@importer("EmbedLayerNormalization", domain=MS)
def embed_layer_norm(node: NodeContext) -> list[Value | None]:
    """layer_norm(word[ids] + position[0 ..] + segment[segment_ids]); the second output counts the real tokens."""
    ids, segment_ids, word, position, segment = (node.optional(i) for i in range(5))
    gamma, beta, mask, position_ids = (node.optional(i) for i in range(5, 9))
    if ids is None or word is None or position is None or gamma is None:
        raise node.invalid("it lacks its tables")
    length = ids.shape[1]
    total = node.emit(Gather, word, ids, axis=0)
    if position_ids is None:
        total = node.add(total, node.slice(position, 0, 0, length))
    else:
        total = node.add(total, node.emit(Gather, position, position_ids, axis=0))
    if segment_ids is not None and segment is not None:
        total = node.add(total, node.emit(Gather, segment, segment_ids, axis=0))
    node.ignore("mask_index_type")
    y = node.emit(LayerNorm, total, gamma, axis=2, eps=node.number("epsilon", 1e-12), bias=beta)
    count = None if mask is None else node.reduce(node.cast(mask, DType.I32), "sum", [1], keepdims=False)
    return [y, count, total]


@importer("Attention", domain=MS)
def attention(node: NodeContext) -> Value:
    """Projection to q, k and v side by side, then attention over heads."""
    x, weight, bias = node.input(0), node.input(1), node.optional(2)
    packed = node.matmul(x, weight)
    packed = packed if bias is None else node.add(packed, bias)
    return packed_attention(node, packed, node.optional(3), node.optional(5))


def packed_attention(node: NodeContext, packed: Value, mask: Value | None, extra: Value | None) -> Value:
    """Attention over q, k and v side by side; ``extra`` is added to the scores."""
    sizes = node.integers("qkv_hidden_sizes") or [packed.shape[2] // 3] * 3
    ends = [sum(sizes[: i + 1]) for i in range(3)]
    q, k, v = (node.slice(packed, 2, end - size, end) for size, end in zip(sizes, ends, strict=True))
    causal = bool(node.integer("unidirectional"))
    return _attend(node, q, k, v, mask, extra, causal)


@importer("MultiHeadAttention", domain=MS)
def multi_head_attention(node: NodeContext) -> Value:
    """Attention over q, k and v [batch, length, width] that are projected already."""
    q, k, v = node.input(0), node.input(1), node.input(2)
    if any(t.type.rank != 3 for t in (q, k, v)):
        raise node.refuse("packed or split heads", "query, key and value of 3 axes")
    bias = node.optional(3)
    if bias is not None:
        ends = [q.shape[2], q.shape[2] + k.shape[2], q.shape[2] + k.shape[2] + v.shape[2]]
        parts = [node.slice(bias, 0, end - t.shape[2], end) for t, end in zip((q, k, v), ends, strict=True)]
        q, k, v = (node.add(t, p) for t, p in zip((q, k, v), parts, strict=True))
    return _attend(node, q, k, v, node.optional(4), node.optional(5), bool(node.integer("unidirectional")))


def _attend(
    node: NodeContext, q: Value, k: Value, v: Value, mask: Value | None, extra: Value | None, causal: bool
) -> Value:
    heads = node.integer("num_heads")
    if not heads or node.wants(1):
        raise node.refuse("the output of past keys and values", "attention over the whole sequence")
    q, k, v = (split_heads(node, t, heads) for t in (q, k, v))
    scale = node.number("scale", 0.0) or 1 / math.sqrt(q.shape[3])
    scores = node.mul(node.matmul(q, node.swap_last(k)), node.scalar(scale, q))
    scores = scores if extra is None else node.add(scores, extra)
    hidden = node.number("mask_filter_value", -10000.0)
    if mask is not None:
        seen = _seen_keys(node, mask, k.shape[2])
        scores = node.add(scores, node.where(seen, node.scalar(0, scores), node.scalar(hidden, scores)))
    corner = mask_bias(node, None, scores, k.shape[2] - q.shape[2], right=0) if causal else None
    scores = scores if corner is None else node.add(scores, corner)
    return merge_heads(node, node.matmul(node.emit(Softmax, scores, axis=3), v))


def _seen_keys(node: NodeContext, mask: Value, keys: int) -> Value:
    """bool [batch, 1, 1, keys]"""
    if mask.type.rank == 1:
        lengths = node.reshape(node.cast(mask, DType.I64), [mask.shape[0], 1, 1, 1])
        return node.emit(fb.Less, node.iota(keys, 3, 4), lengths)
    if mask.type.rank != 2 or mask.shape[1] != keys:
        raise node.refuse(f"a mask of {list(mask.shape)}", MASK_FORMS)
    return node.cast(node.reshape(mask, [mask.shape[0], 1, 1, keys]), DType.BOOL)
