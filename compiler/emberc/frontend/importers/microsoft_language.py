"""Operators of com.microsoft that exports of small language models hold: packed weights and rotary embeddings."""

from __future__ import annotations

import numpy as np

from emberc.frontend.context import NodeContext
from emberc.frontend.importers.attention import merge_heads, rotate, split_heads
from emberc.frontend.importers.microsoft import MS
from emberc.frontend.registry import importer
from emberc.ir.ops.float_movement import Gather
from emberc.ir.types import Array
from emberc.ir.values import Value


@importer("RotaryEmbedding", domain=MS)
def rotary_embedding(node: NodeContext) -> Value:
    """x [B, L, H * D] or [B, H, L, D]; positions are given for each token, or as the one of the first."""
    x, ids, cos, sin = (node.input(i) for i in range(4))
    flat = x.type.rank == 3
    size = node.integer("rotary_embedding_dim") or 2 * cos.shape[1]
    if node.integer("is_packed_batching") or node.number("scale", 1.0) != 1.0:
        raise node.refuse("is_packed_batching, or a scale", "0, and 1.0")
    if flat:
        x = split_heads(node, x, node.integer("num_heads") or x.shape[2] // size)
    else:
        node.ignore("num_heads")
    length = x.shape[2]
    if ids.type.elements == 1 and length > 1:
        ids = node.add(node.reshape(ids, [1, 1]), node.constant(np.arange(length)[None], ids.type.dtype))
    cos, sin = (node.unsqueeze(node.emit(Gather, table, ids, axis=0), 1) for table in (cos, sin))
    y = rotate(node, x, cos, sin, size, bool(node.integer("interleaved")))
    return merge_heads(node, y) if flat else y


@importer("MatMulNBits", domain=MS)
def matmul_n_bits(node: NodeContext) -> Value:
    """x W^T with W [N, K] in 2, 4 or 8 bits, a scale and a zero point for every ``block_size`` columns of a row."""
    x, bits, block = node.input(0), node.integer("bits", 4), node.integer("block_size")
    rows, columns = node.integer("N"), node.integer("K")
    node.ignore("accuracy_level")
    blocks = -(-columns // block)
    if bits not in (2, 4, 8) or node.optional(4) is not None:
        raise node.refuse(f"{bits} bits, or an order of groups", "2, 4 or 8 bits, groups in order")
    q = _unpacked(node.array(1, "weight"), bits).reshape(rows, blocks, -1)[..., :block]
    scale = node.array(2, "scale").reshape(rows, blocks, 1)
    zero: Array = np.full((rows, blocks, 1), 1 << (bits - 1), np.float32)
    if node.optional(3) is not None:
        given = node.array(3, "zero point")
        flat = given if given.dtype.kind == "f" else _unpacked(given, bits)
        zero = flat.reshape(rows, -1)[:, :blocks, None]
    w = ((q.astype(np.float32) - zero.astype(np.float32)) * scale).reshape(rows, -1)[:, :columns]
    y = node.matmul(x, node.constant(np.ascontiguousarray(w.T), x.type.dtype))
    bias = node.optional(5)
    return y if bias is None else node.add(y, bias)


def _unpacked(packed: Array, bits: int) -> Array:
    """Bytes as their ``bits``-wide parts, lowest first."""
    parts = [(packed.astype(np.uint8) >> shift) & ((1 << bits) - 1) for shift in range(0, 8, bits)]
    return np.stack(parts, -1).reshape(*packed.shape[:-1], -1)
