"""Quantization that a model file prescribes: the two ONNX operators, and their pair as one op."""

from __future__ import annotations

from typing import Any

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.op import Op, attribute, operand, optional, result
from emberc.ir.ops.float_unary import FLOATS, FloatUnary
from emberc.ir.types import Array, DType, Quant, TensorType


class Scaled(Op):
    """Base of the two conversions: a scale and a zero point each, or one for every index of ``axis``; with ``block``
    one for every ``block`` elements along it."""

    x = operand()
    scale = operand(*FLOATS)
    zero_point = optional()
    axis = attribute[int](0)
    block = attribute[int](0)
    y = result()

    def spread(self, v: Any) -> Any:
        """A scale or zero point, shaped to broadcast against x."""
        if self.block:
            return np.repeat(v, self.block, self.axis)[tuple(slice(n) for n in self.x.shape)]
        if v.size == 1:
            return v.reshape(())
        if not 0 <= self.axis < self.x.type.rank or v.size != self.x.shape[self.axis]:
            raise VerifyError(f"{v.size} scales do not fit axis {self.axis} of {list(self.x.shape)}", at=self.loc)
        return v.reshape([-1 if i == self.axis else 1 for i in range(self.x.type.rank)])


class Quantize(Scaled):
    """y = clamp(round(x / scale) + zero_point) as element type ``to``, ties to even. Source: ONNX QuantizeLinear."""

    opcode = "f.quantize"
    x = operand(*FLOATS)
    to = attribute[str]()

    def infer(self) -> list[TensorType]:
        return [TensorType(DType(self.to), self.x.shape)]

    def reference(self, x: Any, scale: Any, zero_point: Any) -> Any:
        lo, hi = DType(self.to).limits
        zero = 0 if zero_point is None else self.spread(zero_point).astype(np.int64)
        q = np.rint(x / self.spread(scale).astype(x.dtype)) + zero
        return np.clip(q, lo, hi).astype(DType(self.to).numpy)


class Dequantize(Scaled):
    """y = (x - zero_point) * scale. Source: ONNX DequantizeLinear."""

    opcode = "f.dequantize"

    def infer(self) -> list[TensorType]:
        return [TensorType(self.scale.type.dtype, self.x.shape)]

    def reference(self, x: Any, scale: Any, zero_point: Any) -> Any:
        zero = 0 if zero_point is None else self.spread(zero_point).astype(np.int64)
        return ((x.astype(np.int64) - zero) * self.spread(scale)).astype(scale.dtype)


class DynamicQuantize(Op):
    """y = x as uint8 under a ``scale`` and ``zero_point`` that span x and 0: scale = (max - min) / 255,
    zero_point = round(-min / scale). Source: ONNX DynamicQuantizeLinear."""

    opcode = "f.dynamic_quantize"
    x = operand(DType.F32)
    y = result()
    scale = result()
    zero_point = result()

    def infer(self) -> list[TensorType]:
        return [TensorType(DType.U8, self.x.shape), TensorType(DType.F32, ()), TensorType(DType.U8, ())]

    def reference(self, x: Array) -> Any:
        lo, hi = min(0.0, float(x.min(initial=0))), max(0.0, float(x.max(initial=0)))
        scale = np.float32((hi - lo) / 255) if hi > lo else np.float32(1)
        zero = np.clip(np.rint(-lo / scale), 0, 255)
        return np.clip(np.rint(x / scale) + zero, 0, 255).astype(np.uint8), np.asarray(scale), np.uint8(zero)


class FakeQuant(FloatUnary):
    """y = (clamp(round(x / scale) + zero_point) - zero_point) * scale: what QuantizeLinear and DequantizeLinear make
    of x together. In firmware y has just these integers. ``dtype`` is i8, u8, i16 or u16.
    Source: Jacob et al. 2018, section 3."""

    opcode = "f.fake_quant"
    scale = attribute[float]()
    zero_point = attribute[int](0)
    dtype = attribute[str]("i8")

    def verify(self) -> None:
        if DType(self.dtype) not in (DType.I8, DType.U8, DType.I16, DType.U16):
            raise VerifyError(f"values quantized to {self.dtype}", at=self.loc)
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise VerifyError(f"the scale {self.scale} is not a positive number", at=self.loc)

    def reference(self, x: Array) -> Any:
        lo, hi = DType(self.dtype).limits
        step = np.asarray(self.scale, x.dtype)
        q = np.clip(np.rint(x / step) + self.zero_point, lo, hi)
        return (q - self.zero_point) * step

    def integer_type(self) -> TensorType:
        """The type of y in firmware, whose integers are signed: uint8 q stands there as q - 128."""
        dtype = DType(self.dtype)
        signed = {DType.U8: DType.I8, DType.U16: DType.I16}.get(dtype, dtype)
        shift = signed.limits[0] - dtype.limits[0]
        return TensorType(signed, self.x.shape, Quant.per_tensor(self.scale, self.zero_point + shift))
