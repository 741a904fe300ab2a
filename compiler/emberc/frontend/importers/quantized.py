"""Quantized models in QDQ form: QuantizeLinear and DequantizeLinear become a rounding that firmware keeps exactly.

A pair of the two is one ``f.fake_quant``, whose scale and zero point the integers of the firmware take over. What
stands between them and only moves elements is moved to the float side, so that no integer arithmetic is left.
"""

from __future__ import annotations

import numpy as np

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.frontend.tensors import element_type
from emberc.ir.ops import float_movement as fm
from emberc.ir.ops.float_linear import Pool
from emberc.ir.ops.float_quant import Dequantize, DynamicQuantize, FakeQuant, Quantize
from emberc.ir.types import Array, DType
from emberc.ir.values import Constant, Value

MOVES = (fm.Reshape, fm.Transpose, fm.Slice, fm.Expand, fm.Gather, fm.GatherND, fm.Concat)
ACTIVATIONS = (DType.I8, DType.U8, DType.I16, DType.U16)


@importer("QuantizeLinear", since=10)
@importer("QuantizeLinear", domain="com.microsoft")
def quantize_linear(node: NodeContext) -> Value:
    """The zero point's element type says what comes out; without one ``output_dtype`` does, or it is uint8."""
    zero = node.optional(2)
    asked = node.integer("output_dtype")
    to = zero.type.dtype if zero is not None else element_type(asked, node.place) if asked else DType.U8
    node.ignore("saturate", "precision")
    return quantized(node, node.input(0), node.input(1), zero, to)


@importer("DequantizeLinear", since=10)
@importer("DequantizeLinear", domain="com.microsoft")
def dequantize_linear(node: NodeContext) -> Value:
    node.ignore("output_dtype")
    return dequantized(node, node.input(0), node.input(1), node.optional(2))


def quantized(node: NodeContext, x: Value, scale: Value, zero: Value | None, to: DType) -> Value:
    """clamp(round(x / scale) + zero) as ``to``."""
    axis, block = _axis(node, x, scale)
    x = node.cast(x, scale.type.dtype)
    return node.emit(Quantize, x, scale, zero, axis=axis, block=block, to=to.value)


def dequantized(node: NodeContext, x: Value, scale: Value, zero: Value | None) -> Value:
    """(x - zero) * scale; of something just quantized that way, its rounding."""
    found = _unquantized(node, x, scale, zero)
    if found is not None:
        return found
    axis, block = _axis(node, x, scale)
    if x.const is not None and zero is not None and zero.const is not None and zero.type.elements > 1:
        _check_rows(node, x.const, zero.const, axis)
    return node.emit(Dequantize, x, scale, zero, axis=axis, block=block)


def _check_rows(node: NodeContext, q: Array, zero: Array, axis: int) -> None:
    """A zero point per channel must leave int8 room for q - zero: firmware has none per channel."""
    if zero.any() and zero.ndim == 1 and zero.size == q.shape[axis]:
        column = zero.astype(np.int64).reshape([-1 if k == axis else 1 for k in range(q.ndim)])
        difference = q.astype(np.int64) - column
        if q.dtype.itemsize == 1 and (difference.min() < -128 or difference.max() > 127):
            raise node.refuse(
                "a zero point per channel",
                "zero points of 0, or one for the whole tensor: quantize weights per channel as QInt8",
            )


def _axis(node: NodeContext, x: Value, scale: Value) -> tuple[int, int]:
    block = node.integer("block_size") if node.op_type in ("QuantizeLinear", "DequantizeLinear") else 0
    if scale.type.elements == 1 and not block:
        node.ignore("axis")
        return 0, 0
    return node.axis(node.integer("axis", 1), x.type.rank), block


def _unquantized(node: NodeContext, q: Value, scale: Value, zero: Value | None) -> Value | None:
    """The float value behind ``q`` (through movement), rounded to the grid; None where there is none."""
    op = q.producer
    if isinstance(q, Constant) and scale.type.elements == 1:
        return node.emit(Dequantize, q, scale, zero)
    if isinstance(op, DynamicQuantize) and q is op.y and scale is op.scale and zero is op.zero_point:
        return op.x  # its static form: firmware takes the range that calibration finds
    if isinstance(op, Quantize):
        same = op.block == 0 and _equal(op.scale, scale) and _equal_zero(op.zero_point, zero)
        if not same or scale.const is None or scale.type.elements != 1 or q.type.dtype not in ACTIVATIONS:
            return None
        zero_point = 0 if zero is None or zero.const is None else int(zero.const.reshape(-1)[0])
        step = float(scale.const.reshape(-1)[0])
        return node.emit(FakeQuant, op.x, scale=step, zero_point=zero_point, dtype=q.type.dtype.value)
    if isinstance(op, MOVES) or (isinstance(op, Pool) and op.kind == "max"):
        data = list(op.operands) if isinstance(op, fm.Concat) else op.operands[:1]
        real = [None if v is None else _unquantized(node, v, scale, zero) for v in data]
        found = [v for v in real if v is not None]
        if len(found) == len(data):
            first = [found] if isinstance(op, fm.Concat) else found
            return node.emit(type(op), *first, *op.operands[len(data) :], **op.attrs)
    return None


def _equal(a: Value, b: Value) -> bool:
    return a is b or (isinstance(a, Constant) and isinstance(b, Constant) and np.array_equal(a.data, b.data))


def _equal_zero(a: Value | None, b: Value | None) -> bool:
    if a is None or b is None:
        other = a if b is None else b
        return other is None or (other.const is not None and not other.const.any())
    return _equal(a, b)
