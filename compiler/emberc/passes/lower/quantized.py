"""What the model file quantizes itself: its roundings, and the forms of quantization that have no static twin."""

from __future__ import annotations

from emberc.errors import UnsupportedError
from emberc.ir.op import Op
from emberc.ir.ops.float_quant import Dequantize, FakeQuant, Quantize, Scaled
from emberc.ir.ops.integer_movement import Reshape
from emberc.ir.types import DType, Quant
from emberc.ir.values import Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.elementwise import requantized

STATIC = (
    "export with static quantization, one scale for an activation (onnxruntime.quantization.quantize_static), "
    "or compile the float model: emberc calibrates it itself"
)


@lowering("f.fake_quant")
def lower_rounding(op: FakeQuant, ctx: Lowering) -> Value:
    """A change of scale, or nothing: whatever computes x writes the prescribed integers where it can."""
    return requantized(ctx.get(op.x), op.integer_type(), ctx)


@lowering("f.quantize")
def lower_quantize(op: Quantize, ctx: Lowering) -> Value:
    """int8 and int16 results that leave the model: the integers without their scale."""
    quant = _static(op)
    dtype = op.result.type.dtype
    if dtype not in (DType.I8, DType.I16):
        raise UnsupportedError(
            f"an output of {dtype.value} elements", at=op.loc, hints=["leave the last DequantizeLinear in the model"]
        )
    plain = op.result.type
    y = requantized(ctx.get(op.x), plain.with_quant(quant), ctx)
    return ctx.emit(Reshape, y, type=plain, shape=list(plain.shape))


@lowering("f.dequantize")
def lower_dequantize(op: Dequantize, ctx: Lowering) -> Value:
    """int8 and int16 inputs of the model: the integers get their scale."""
    if op.x.type.dtype not in (DType.I8, DType.I16) or ctx.get(op.x).type.quant is not None:
        raise UnsupportedError(
            f"integers of type {op.x.type.dtype.value} that no QuantizeLinear made",
            at=op.loc,
            hints=["leave the first QuantizeLinear in the model, so that it takes floats; or " + STATIC],
        )
    quant = _static(op)
    x = ctx.get(op.x)
    return ctx.emit(Reshape, x, type=x.type.with_quant(quant), shape=list(x.shape))


@lowering("f.dynamic_quantize")
def refuse_dynamic(op: Op, ctx: Lowering) -> Value:
    """Only products whose scale is put back at once have a static form (static-quantization)."""
    raise UnsupportedError(
        "DynamicQuantizeLinear whose integers go elsewhere than into MatMulInteger or ConvInteger and a product with "
        "its scale",
        at=op.loc,
        hints=[STATIC],
    )


def _static(op: Scaled) -> Quant:
    """Scale and zero point. Raises UnsupportedError where they are computed, or more than one."""
    scale, zero = op.scale.const, op.zero_point.const if op.zero_point else None
    if scale is None or scale.size != 1 or (op.zero_point is not None and zero is None):
        raise UnsupportedError(
            f"{op.opcode}: a scale that is computed, or one per row of an activation", at=op.loc, hints=[STATIC]
        )
    return Quant.per_tensor(float(scale.reshape(-1)[0]), 0 if zero is None else int(zero.reshape(-1)[0]))
