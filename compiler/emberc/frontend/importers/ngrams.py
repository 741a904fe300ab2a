"""TfIdfVectorizer: how often given word sequences occur."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.ir.ops import float_binary as fb
from emberc.ir.types import DType
from emberc.ir.values import Value


@importer("TfIdfVectorizer")
def tfidf(node: NodeContext) -> Value:
    """Counts of n-grams whose words stand 1 .. max_skip_count + 1 apart; one product puts them into their columns."""
    x = node.input(0)
    if node.has("pool_strings"):
        raise node.refuse("pool_strings", "pool_int64s: tokens as numbers")
    pool, starts = node.integers("pool_int64s") or [], node.integers("ngram_counts") or []
    columns = node.integers("ngram_indexes") or []
    weights = node.numbers("weights") or [1.0] * len(columns)
    mode = node.text("mode", "TF")
    rows = node.reshape(x, [prod(x.shape[:-1]), x.shape[-1]])
    counts: list[Value] = []
    taken: list[int] = []  # the n-grams counted
    k = 0
    for n, start in enumerate(starts, 1):
        end = starts[n] if n < len(starts) else len(pool)
        grams = np.asarray(pool[start:end], np.int64).reshape(-1, n)
        if len(grams) and node.integer("min_gram_length") <= n <= node.integer("max_gram_length"):
            counts.append(_occurrences(node, rows, grams, node.integer("max_skip_count") if n > 1 else 0))
            taken += range(k, k + len(grams))
        k += len(grams)
    width = max(columns) + 1
    if not counts:
        return node.constant(np.zeros((*x.shape[:-1], width)), DType.F32)
    total = node.concat(counts, 1)
    if mode == "IDF":
        total = node.cast(node.emit(fb.Greater, total, node.scalar(0, total)), DType.F32)
    places = np.zeros((len(taken), width))
    for row, gram in enumerate(taken):
        places[row, columns[gram]] = 1.0 if mode == "TF" else weights[gram]
    return node.reshape(node.matmul(total, node.constant(places, DType.F32)), [*x.shape[:-1], width])


def _occurrences(node: NodeContext, rows: Value, grams: NDArray[np.int64], skips: int) -> Value:
    """[B, L] and [G, n] -> f32 [B, G]"""
    batch, length = rows.shape
    count, n = grams.shape
    total: Value = node.constant(np.zeros((batch, count)), DType.F32)
    for step in range(1, skips + 2):
        places = length - (n - 1) * step
        if places <= 0:
            break
        hit: Value | None = None
        for k in range(n):
            word = node.unsqueeze(node.slice(rows, 1, k * step, k * step + places), 2)
            same = node.emit(fb.Equal, word, node.constant(grams[:, k].copy(), rows.type.dtype))
            hit = same if hit is None else node.emit(fb.And, hit, same)
        assert hit is not None
        total = node.add(total, node.reduce(node.cast(hit, DType.F32), "sum", [1], keepdims=False))
    return total
