"""Fused operators of the com.microsoft domain, as onnxruntime's optimizer writes them."""

from __future__ import annotations

from emberc.frontend.context import NodeContext
from emberc.frontend.importers.activation import swish_of
from emberc.frontend.importers.math import general_product
from emberc.frontend.importers.window import convolution
from emberc.frontend.registry import importer
from emberc.ir.op import Op
from emberc.ir.ops import float_unary as fu
from emberc.ir.ops.float_norm import LayerNorm, RMSNorm
from emberc.ir.values import Value

MS = "com.microsoft"
ACTIVATIONS: dict[str, type[Op]] = {"Relu": fu.Relu, "Tanh": fu.Tanh, "Sigmoid": fu.Sigmoid}


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
    """alpha * A' B'; transA exchanges the last two axes, transBatchA brings axis 0 to the last but one before that."""
    a = _turned(node, node.input(0), bool(node.integer("transBatchA")), bool(node.integer("transA")))
    b = _turned(node, node.input(1), bool(node.integer("transBatchB")), bool(node.integer("transB")))
    y = node.matmul(a, b)
    alpha = node.number("alpha", 1.0)
    return y if alpha == 1.0 else node.mul(y, node.scalar(alpha, y))


def _turned(node: NodeContext, x: Value, batch: bool, last: bool) -> Value:
    rank = x.type.rank
    x = node.transpose(x, [*range(1, rank - 1), 0, rank - 1]) if batch else x
    return node.swap_last(x) if last else x


@importer("FusedGemm", domain=MS)
def fused_gemm(node: NodeContext) -> Value:
    """Gemm, then an activation."""
    return _activated(node, general_product(node))


@importer("FusedConv", domain=MS)
def fused_conv(node: NodeContext) -> Value:
    """Conv, plus an optional fourth input, then an activation."""
    y, z = convolution(node), node.optional(3)
    return _activated(node, y if z is None else node.add(y, z))


def _activated(node: NodeContext, x: Value) -> Value:
    activation = node.text("activation")
    if activation and activation not in ACTIVATIONS:
        raise node.refuse(f"activation={activation!r}", ", ".join(ACTIVATIONS))
    return node.emit(ACTIVATIONS[activation], x) if activation else x
