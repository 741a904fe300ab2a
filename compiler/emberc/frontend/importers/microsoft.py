"""Fused operators of the com.microsoft domain, as onnxruntime's optimizer writes them."""

from __future__ import annotations

from emberc.frontend.context import NodeContext
from emberc.frontend.importers.activation import swish_of
from emberc.frontend.registry import importer
from emberc.ir.ops import float_unary as fu
from emberc.ir.ops.float_norm import LayerNorm, RMSNorm
from emberc.ir.values import Value

MS = "com.microsoft"


@importer("Gelu", "FastGelu", "BiasGelu", domain=MS)
def gelu(node: NodeContext) -> Value:
    x, bias = node.input(0), node.optional(1)
    x = x if bias is None else node.add(x, bias)
    return node.emit(fu.Gelu, x, approximate="tanh" if node.op_type == "FastGelu" else "none")


@importer("QuickGelu", domain=MS)
def quick(node: NodeContext) -> Value:
    return swish_of(node, node.input(0), node.number("alpha", 1.702))


@importer("SkipLayerNormalization", domain=MS)
def skip_layer_norm(node: NodeContext) -> list[Value | None]:
    """layer_norm(x + skip + bias) * gamma + beta; the sum itself is the fourth output."""
    total = _skip_sum(node, 4)
    axis = total.type.rank - 1
    eps = node.number("epsilon", 1e-12)
    y = node.emit(LayerNorm, total, node.input(2), axis=axis, eps=eps, bias=node.optional(3))
    return [y, None, None, total]


@importer("SkipSimplifiedLayerNormalization", domain=MS)
def skip_rms_norm(node: NodeContext) -> list[Value | None]:
    total = _skip_sum(node, 3)
    y = node.emit(RMSNorm, total, node.input(2), axis=total.type.rank - 1, eps=node.number("epsilon", 1e-12))
    return [y, None, None, total]


def _skip_sum(node: NodeContext, bias_index: int) -> Value:
    total = node.add(node.input(0), node.input(1))
    bias = node.optional(bias_index)
    return total if bias is None else node.add(total, bias)


@importer("FusedMatMul", domain=MS)
def fused_matmul(node: NodeContext) -> Value:
    """alpha * A' B', A' and B' with their last two axes exchanged on demand."""
    a, b = node.input(0), node.input(1)
    if node.integer("transBatchA") or node.integer("transBatchB"):
        raise node.refuse("transBatchA or transBatchB", "transA, transB, alpha")
    a = node.swap_last(a) if node.integer("transA") else a
    b = node.swap_last(b) if node.integer("transB") else b
    y = node.matmul(a, b)
    alpha = node.number("alpha", 1.0)
    return y if alpha == 1.0 else node.mul(y, node.scalar(alpha, y))
