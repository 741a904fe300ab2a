"""Normalizations: layer, RMS, batch, instance, group."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.ir.ops import float_unary as fu
from emberc.ir.ops.float_norm import LayerNorm, RMSNorm
from emberc.ir.values import Constant, Value


@importer("LayerNormalization")
def layer_norm(node: NodeContext) -> list[Value | None]:
    """In ONNX since opset 17; onnxruntime's optimizer writes it into older models too."""
    x, scale, bias = node.input(0), node.input(1), node.optional(2)
    axis = node.axis(node.integer("axis", -1), x.type.rank)
    node.ignore("stash_type")
    eps = node.number("epsilon", 1e-5)
    y = node.emit(LayerNorm, x, scale, axis=axis, eps=eps, bias=bias)
    if not node.wants(1) and not node.wants(2):
        return [y]
    axes = list(range(axis, x.type.rank))
    mean = node.reduce(x, "mean", axes)
    d = node.sub(x, mean)
    variance = node.reduce(node.mul(d, d), "mean", axes)
    return [y, mean, inverse_root(node, variance, eps)]


@importer("RMSNormalization", since=23)
@importer("SimplifiedLayerNormalization")
def rms_norm(node: NodeContext) -> Value:
    """onnxruntime's optimizer writes SimplifiedLayerNormalization into the default domain."""
    x = node.input(0)
    node.ignore("stash_type")
    axis = node.axis(node.integer("axis", -1), x.type.rank)
    return node.emit(RMSNorm, x, node.input(1), axis=axis, eps=node.number("epsilon", 1e-5))


@importer("BatchNormalization")
def batch_norm(node: NodeContext) -> Value:
    """Inference: x * g + (b - mean * g) with g = scale / sqrt(var + eps), one number a channel."""
    node.ignore("momentum")
    if node.integer("training_mode"):
        raise node.refuse("training_mode=1", "inference")
    x, scale, bias, mean, variance = (node.input(i) for i in range(5))
    gain = node.mul(scale, inverse_root(node, variance, node.number("epsilon", 1e-5)))
    offset = node.sub(bias, node.mul(mean, gain))
    return node.add(node.mul(x, per_channel(node, gain, x)), per_channel(node, offset, x))


@importer("InstanceNormalization")
def instance_norm(node: NodeContext) -> Value:
    """Every channel of every sample by itself."""
    x = node.input(0)
    flat = node.reshape(x, [*x.shape[:2], prod(x.shape[2:])])
    y = node.reshape(normalized(node, flat, node.number("epsilon", 1e-5)), x.shape)
    return node.add(node.mul(y, per_channel(node, node.input(1), x)), per_channel(node, node.input(2), x))


@importer("GroupNormalization")
def group_norm(node: NodeContext) -> Value:
    """Groups of channels together; scale and bias a channel (opset 21 on) or a group (before)."""
    node.ignore("stash_type")
    x, groups = node.input(0), node.integer("num_groups", 1)
    channels = x.shape[1]
    flat = node.reshape(x, [x.shape[0], groups, x.type.elements // (x.shape[0] * groups)])
    y = node.reshape(normalized(node, flat, node.number("epsilon", 1e-5)), x.shape)

    def spread(v: Value) -> Value:
        if v.shape[0] == channels:
            return per_channel(node, v, x)
        wide = node.expand(node.reshape(v, [groups, 1]), [groups, channels // groups])
        return per_channel(node, node.reshape(wide, [channels]), x)

    return node.add(node.mul(y, spread(node.input(1))), spread(node.input(2)))


@importer("MeanVarianceNormalization")
def mean_variance_norm(node: NodeContext) -> Value:
    """(x - mean) / (sqrt(var) + 1e-9) over the axes."""
    x = node.input(0)
    axes = [node.axis(a, x.type.rank) for a in node.integers("axes") or [0, 2, 3]]
    d = node.sub(x, node.reduce(x, "mean", axes))
    deviation = node.emit(fu.Sqrt, node.reduce(node.mul(d, d), "mean", axes))
    return node.div(d, node.add(deviation, node.scalar(1e-9, x)))


def normalized(node: NodeContext, x: Value, eps: float) -> Value:
    """x with mean 0 and variance 1 along its last axis."""
    ones = node.constant(np.ones(x.shape[-1]), x.type.dtype)
    return node.emit(LayerNorm, x, ones, axis=x.type.rank - 1, eps=eps)


def inverse_root(node: NodeContext, x: Value, eps: float) -> Value:
    """1 / sqrt(x + eps)"""
    return node.emit(fu.Reciprocal, node.emit(fu.Sqrt, node.add(x, node.scalar(eps, x))))


def per_channel(node: NodeContext, v: Value, x: Value) -> Value:
    """[C] shaped to broadcast along axis 1 of x; a constant one stays one constant."""
    shape: Sequence[int] = [v.shape[0], *[1] * (x.type.rank - 2)]
    return node.constant(v.data.reshape(shape)) if isinstance(v, Constant) else node.reshape(v, shape)
