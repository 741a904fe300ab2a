"""f.magnitude to q.magnitude."""

from __future__ import annotations

import numpy as np

from emberc.ir.ops import float_magnitude, integer_magnitude
from emberc.ir.types import DType, Quant, TensorType
from emberc.ir.values import Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.elementwise import requantized
from emberc.quant.multiplier import multiplier

#: the largest length in 2^-15 steps, 32768 * sqrt 2, rounded up
REACH = 46341 << 15


@lowering("f.magnitude")
def lower_magnitude(op: float_magnitude.Magnitude, ctx: Lowering) -> Value:
    """Both parts as int16 of one scale, that of the longer one."""
    out = ctx.type_of(op.z)
    assert out.quant is not None
    reach = max(_reach(ctx.get(v)) for v in (op.x, op.y))
    part = TensorType(DType.I16, op.x.shape, Quant.per_tensor(reach / DType.I16.limits[1]))
    quants = [ctx.quant(v) for v in (op.x, op.y)]
    first = ctx.get(op.x).type
    if quants[0] == quants[1] and first.dtype is DType.I16 and quants[0].zero_point == 0:
        part = first
    assert part.quant is not None
    x, y = (requantized(ctx.get(v), part, ctx) for v in (op.x, op.y))
    mult = multiplier(part.quant.scale[0] / out.quant.scale[0] / (1 << 15), REACH, at=op.loc)
    return ctx.emit(
        integer_magnitude.Magnitude,
        x,
        y,
        type=out,
        m=int(mult.m[0]),
        zero_point=out.quant.zero_point,
        dtype=out.dtype.value,
    )


def _reach(v: Value) -> float:
    assert v.type.quant is not None
    return float(np.abs(v.type.quant.dequantize(np.array(v.type.dtype.limits))).max())
