"""Quantized models in operator form: QLinear* and *Integer, spelled out as dequantize, the float op, quantize.

The float op between the two has the file's scales on both sides, so its integer form has the file's multiplier.
"""

from __future__ import annotations

from collections.abc import Callable

from emberc.frontend.context import NodeContext
from emberc.frontend.importers.microsoft import MS
from emberc.frontend.importers.microsoft_transformer import packed_attention
from emberc.frontend.importers.quantized import dequantized, quantized
from emberc.frontend.importers.window import convolution_of, pooled
from emberc.frontend.registry import importer
from emberc.ir.ops import float_binary as fb
from emberc.ir.ops import float_unary as fu
from emberc.ir.ops.float_norm import Softmax
from emberc.ir.ops.float_quant import DynamicQuantize
from emberc.ir.types import DType
from emberc.ir.values import Value


def real(node: NodeContext, first: int) -> Value:
    """Inputs ``first``, + 1 and + 2 as value, scale and zero point."""
    return dequantized(node, node.input(first), node.input(first + 1), node.optional(first + 2))


def rounded(node: NodeContext, y: Value, first: int) -> Value:
    """y under the scale and zero point of inputs ``first`` and + 1."""
    zero = node.optional(first + 1)
    to = node.input(0).type.dtype if zero is None else zero.type.dtype
    return quantized(node, y, node.input(first), zero, to)


# --- products


@importer("QLinearMatMul", since=10)
def qlinear_matmul(node: NodeContext) -> Value:
    """B's scale may be one per column."""
    return rounded(node, node.matmul(real(node, 0), _columns(node, 3, -1)), 6)


@importer("QGemm", domain=MS)
def qgemm(node: NodeContext) -> Value:
    """alpha * A' B' + C with C in steps of alpha * a_scale * b_scale; float where no output scale is given."""
    a, b = real(node, 0), _columns(node, 3, 0 if node.integer("transB") else -1)
    alpha = node.number("alpha", 1.0)
    a = node.swap_last(a) if node.integer("transA") else a
    b = node.swap_last(b) if node.integer("transB") else b
    b = b if alpha == 1.0 else node.mul(b, node.scalar(alpha, b))
    y, c = node.matmul(a, b), node.optional(6)
    if c is not None:
        step = node.mul(node.mul(node.input(1), node.input(4)), node.scalar(alpha, y))
        y = node.add(y, node.mul(node.cast(c, y.type.dtype), step))
    return y if node.optional(7) is None else rounded(node, y, 7)


@importer("QLinearConv", since=10)
def qlinear_conv(node: NodeContext) -> Value:
    """The bias is int32 in steps of x_scale * w_scale."""
    w, bias = _columns(node, 3, 0), node.optional(8)
    if bias is not None:
        bias = node.mul(node.cast(bias, DType.F32), node.mul(node.input(1), node.input(4)))
    return rounded(node, convolution_of(node, real(node, 0), w, bias), 6)


def _columns(node: NodeContext, first: int, axis: int) -> Value:
    """A weight with one scale, or one per index of ``axis``."""
    w, scale, zero = node.input(first), node.input(first + 1), node.optional(first + 2)
    if scale.type.elements == 1:
        return dequantized(node, w, scale, zero)
    shape = [w.shape[k] if k == axis % w.type.rank else 1 for k in range(w.type.rank)]
    wide = node.cast(w, DType.F32)
    if zero is not None:
        flat = zero if zero.type.elements == 1 else node.reshape(zero, shape)
        wide = node.sub(wide, node.cast(flat, DType.F32))
    return node.mul(wide, node.reshape(scale, shape))


# --- sums of integers: what dynamic quantization writes


@importer("DynamicQuantizeLinear", since=11)
def dynamic_quantize(node: NodeContext) -> list[Value]:
    return node.emit_all(DynamicQuantize, node.input(0))


@importer("MatMulInteger", since=10)
def matmul_integer(node: NodeContext) -> Value:
    """(A - a_zero) (B - b_zero) in int32; a zero point may be one per row of A, or per column of B."""
    return node.matmul(_centered(node, 0, 2, -2), _centered(node, 1, 3, -1))


@importer("ConvInteger", since=10)
def conv_integer(node: NodeContext) -> Value:
    """The same for a convolution; padding is A's zero point."""
    return convolution_of(node, _centered(node, 0, 2, 0), _centered(node, 1, 3, 0), None)


def _centered(node: NodeContext, index: int, zero_index: int, axis: int) -> Value:
    x, zero = node.cast(node.input(index), DType.I32), node.optional(zero_index)
    if zero is None or (zero.const is not None and not zero.const.any()):
        return x
    if zero.type.elements == 1:
        zero = node.reshape(zero, [])
    elif zero.type.rank == 1:
        zero = node.reshape(zero, [zero.shape[0] if k == axis % x.type.rank else 1 for k in range(x.type.rank)])
    return node.sub(x, node.cast(zero, DType.I32))


@importer("MatMulIntegerToFloat", domain=MS)
def matmul_integer_to_float(node: NodeContext) -> Value:
    """(A - a_zero) a_scale (B - b_zero) b_scale + bias"""
    x = dequantized(node, node.input(0), node.input(2), node.optional(4))
    return _product(node, x, node.input(1), node.input(3), node.optional(5), node.optional(6))


@importer("DynamicQuantizeMatMul", domain=MS)
def dynamic_quantize_matmul(node: NodeContext) -> Value:
    """The activation keeps its reals: firmware quantizes it with the range that calibration finds."""
    return _product(node, node.input(0), node.input(1), node.input(2), node.optional(3), node.optional(4))


def _product(node: NodeContext, x: Value, b: Value, scale: Value, zero: Value | None, bias: Value | None) -> Value:
    centered = node.cast(b, DType.F32)
    if zero is not None:
        centered = node.sub(centered, node.cast(zero, DType.F32))
    y = node.matmul(x, node.mul(centered, scale))
    return y if bias is None else node.add(y, bias)


@importer("QAttention", domain=MS)
def qattention(node: NodeContext) -> Value:
    """Attention whose input and projection weights are integers; everything inside is float."""
    x = dequantized(node, node.input(0), node.input(3), node.optional(6))
    bias = node.optional(2)
    packed = _product(node, x, node.input(1), node.input(4), node.optional(7), bias)
    if node.optional(8) is not None:
        raise node.refuse("past keys and values", "attention over the whole sequence")
    return packed_attention(node, packed, node.optional(5), None)


# --- the other operators of com.microsoft

BINARY: dict[str, type[fb.Binary]] = {"QLinearAdd": fb.Add, "QLinearMul": fb.Mul}


@importer(*BINARY, domain=MS)
def qlinear_binary(node: NodeContext) -> Value:
    return rounded(node, node.emit(BINARY[node.op_type], real(node, 0), real(node, 3)), 6)


def _sigmoid(node: NodeContext, x: Value) -> Value:
    return node.emit(fu.Sigmoid, x)


def _leaky_relu(node: NodeContext, x: Value) -> Value:
    slope = node.scalar(node.number("alpha", 0.01), x)
    return node.where(node.emit(fb.Less, x, node.scalar(0, x)), node.mul(x, slope), x)


def _softmax(node: NodeContext, x: Value) -> Value:
    """``opset`` is that of the Softmax which it replaces: before 13 the axes from ``axis`` on are one."""
    axis = node.axis(node.integer("axis", -1), x.type.rank)
    if node.integer("opset", 13) >= 13:
        return node.emit(Softmax, x, axis=axis)
    return node.reshape(node.emit(Softmax, node.flatten(x, axis), axis=1), x.shape)


def _global_mean(node: NodeContext, x: Value) -> Value:
    last = bool(node.integer("channels_last"))
    return node.reduce(x, "mean", list(range(1 if last else 2, x.type.rank - last)))


def _mean_pool(node: NodeContext, x: Value) -> Value:
    if node.integer("channels_last"):
        raise node.refuse("channels_last=1", "0")
    return pooled(node, x, "mean")


def _mean(node: NodeContext, x: Value) -> Value:
    axes = sorted(node.axis(a, x.type.rank) for a in node.integers("axes") or range(x.type.rank))
    return node.reduce(x, "mean", axes, bool(node.integer("keepdims", 1)))


UNARY: dict[str, Callable[[NodeContext, Value], Value]] = {
    "QLinearSigmoid": _sigmoid,
    "QLinearLeakyRelu": _leaky_relu,
    "QLinearSoftmax": _softmax,
    "QLinearGlobalAveragePool": _global_mean,
    "QLinearAveragePool": _mean_pool,
    "QLinearReduceMean": _mean,
}


@importer(*UNARY, domain=MS)
def qlinear_unary(node: NodeContext) -> Value:
    return rounded(node, UNARY[node.op_type](node, real(node, 0)), 3)


@importer("QLinearConcat", domain=MS)
def qlinear_concat(node: NodeContext) -> Value:
    """Scale and zero point of the result, then value, scale and zero point of every part."""
    parts = [real(node, i) for i in range(2, len(node.inputs), 3)]
    y = node.concat(parts, node.axis(node.integer("axis"), parts[0].type.rank))
    zero = node.input(1)
    return quantized(node, y, node.input(0), zero, zero.type.dtype)


@importer("QLinearWhere", domain=MS)
def qlinear_where(node: NodeContext) -> Value:
    return rounded(node, node.where(node.input(0), real(node, 1), real(node, 4)), 7)
