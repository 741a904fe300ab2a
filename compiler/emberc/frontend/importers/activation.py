"""Activation functions."""

from __future__ import annotations

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.ir.op import Op
from emberc.ir.ops import float_binary as fb
from emberc.ir.ops import float_unary as fu
from emberc.ir.ops.float_norm import Softmax
from emberc.ir.ops.float_reduce import ArgMax
from emberc.ir.values import Value

SIMPLE: dict[str, type[Op]] = {
    "Relu": fu.Relu,
    "Sigmoid": fu.Sigmoid,
    "Softplus": fu.Softplus,
    "Tanh": fu.Tanh,
}


@importer(*SIMPLE)
def simple(node: NodeContext) -> Value:
    return node.emit(SIMPLE[node.op_type], node.input(0))


@importer("Gelu", since=20)
def gelu(node: NodeContext) -> Value:
    approximate = node.text("approximate", "none")
    if approximate not in ("none", "tanh"):
        raise node.refuse(f"approximate={approximate!r}", "'none', 'tanh'")
    return node.emit(fu.Gelu, node.input(0), approximate=approximate)


@importer("Swish", since=24)
def swish(node: NodeContext) -> Value:
    return swish_of(node, node.input(0), node.number("alpha", 1.0))


@importer("LeakyRelu", "PRelu", "ThresholdedRelu")
def sloped_relu(node: NodeContext) -> Value:
    """x where it is positive (above alpha for ThresholdedRelu), else slope * x."""
    x = node.input(0)
    if node.op_type == "ThresholdedRelu":
        bound = node.scalar(node.number("alpha", 1.0), x)
        return node.where(node.emit(fb.Greater, x, bound), x, node.scalar(0, x))
    slope = node.input(1) if node.op_type == "PRelu" else node.scalar(node.number("alpha", 0.01), x)
    return node.where(node.emit(fb.Less, x, node.scalar(0, x)), node.mul(x, slope), x)


@importer("Elu", "Celu", "Selu")
def elu(node: NodeContext) -> Value:
    """scale * (x where positive, else alpha * (e^(x / width) - 1))"""
    x = node.input(0)
    defaults = {"Elu": 1.0, "Celu": 1.0, "Selu": 1.67326319217681884765625}
    alpha = node.number("alpha", defaults[node.op_type])
    scale = node.number("gamma", 1.05070102214813232421875) if node.op_type == "Selu" else 1.0
    low = node.emit(fb.Min, x, node.scalar(0, x))  # keeps e^x finite where x is not taken anyway
    low = node.div(low, node.scalar(alpha, x)) if node.op_type == "Celu" else low
    curve = node.mul(node.sub(node.emit(fu.Exp, low), node.scalar(1, x)), node.scalar(alpha, x))
    y = node.add(node.emit(fu.Relu, x), curve)
    return y if scale == 1.0 else node.mul(y, node.scalar(scale, x))


@importer("HardSigmoid", "HardSwish")
def hard_sigmoid(node: NodeContext) -> Value:
    """clip(alpha * x + beta, 0, 1), times x for HardSwish."""
    x = node.input(0)
    swish = node.op_type == "HardSwish"
    alpha, beta = (1 / 6, 0.5) if swish else (node.number("alpha", 0.2), node.number("beta", 0.5))
    line = node.add(node.mul(x, node.scalar(alpha, x)), node.scalar(beta, x))
    gate = node.emit(fu.Clip, line, lo=0.0, hi=1.0)
    return node.mul(x, gate) if swish else gate


@importer("Mish")
def mish(node: NodeContext) -> Value:
    """x * tanh(softplus(x))"""
    x = node.input(0)
    return node.mul(x, node.emit(fu.Tanh, node.emit(fu.Softplus, x)))


@importer("Softsign")
def softsign(node: NodeContext) -> Value:
    """x / (1 + |x|)"""
    x = node.input(0)
    return node.div(x, node.add(node.emit(fu.Abs, x), node.scalar(1, x)))


@importer("Softmax", "LogSoftmax", "Hardmax", since=1)
def flat_softmax(node: NodeContext) -> Value:
    """Before opset 13 the axes from ``axis`` (1) on are one."""
    x = node.input(0)
    axis = node.axis(node.integer("axis", 1), x.type.rank)
    return node.reshape(_along(node, node.flatten(x, axis), 1), x.shape)


@importer("Softmax", "LogSoftmax", "Hardmax", since=13)
def softmax(node: NodeContext) -> Value:
    x = node.input(0)
    return _along(node, x, node.axis(node.integer("axis", -1), x.type.rank))


def _along(node: NodeContext, x: Value, axis: int) -> Value:
    if node.op_type == "Softmax":
        return node.emit(Softmax, x, axis=axis)
    if node.op_type == "Hardmax":
        first = node.emit(ArgMax, x, axis=axis)
        chosen = node.emit(fb.Equal, first, node.iota(x.shape[axis], axis, x.type.rank))
        return node.cast(chosen, x.type.dtype)
    d = node.sub(x, node.reduce(x, "max", [axis]))
    return node.sub(d, node.emit(fu.Log, node.reduce(node.emit(fu.Exp, d), "sum", [axis])))


@importer("SwiGLU")
def swiglu(node: NodeContext) -> Value:
    """swish(a) * b"""
    return node.mul(swish_of(node, node.input(0), node.number("alpha", 1.0)), node.input(1))


def swish_of(node: NodeContext, x: Value, alpha: float) -> Value:
    """x * sigmoid(alpha x)"""
    if alpha == 1.0:
        return node.emit(fu.Silu, x)
    return node.mul(x, node.emit(fu.Sigmoid, node.mul(x, node.scalar(alpha, x))))
