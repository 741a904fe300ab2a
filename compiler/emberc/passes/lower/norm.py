"""f.layer_norm, f.rms_norm and f.softmax."""

from __future__ import annotations

import numpy as np

from emberc.ir.arithmetic import norm_frac, softmax_table
from emberc.ir.ops import integer_norm
from emberc.ir.ops.float_norm import Norm
from emberc.ir.ops.float_norm import Softmax as FloatSoftmax
from emberc.ir.ops.integer_movement import Reshape, Transpose
from emberc.ir.types import Array, DType, Quant
from emberc.ir.values import Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.elementwise import requantized
from emberc.quant.precision import affine


@lowering("f.layer_norm", "f.rms_norm")
def lower_norm(op: Norm, ctx: Lowering) -> Value:
    """gamma and beta take the output's scale in; eps becomes n^2 eps / s_x^2. See ``q.layer_norm``."""
    x, out = ctx.get(op.x), ctx.type_of(op.result)
    assert x.type.quant is not None and out.quant is not None
    step = x.type.quant.scale[0]
    shape = op.x.shape
    n = int(np.prod(shape[op.axis :]))
    if op.axis != len(shape) - 1:  # several axes are normalised together: one long row
        x = ctx.emit(Reshape, x, type=x.type.with_shape((*shape[: op.axis], n)), shape=[*shape[: op.axis], n])
    bias = op.operands[2] if len(op.operands) > 2 else None
    g = np.broadcast_to(ctx.real(op.scale), shape[op.axis :]).reshape(n) / out.quant.scale[0]
    b = np.zeros(n) if bias is None else np.broadcast_to(ctx.real(bias), shape[op.axis :]).reshape(n)
    b = b / out.quant.scale[0] + out.quant.zero_point
    shift = _out_shift(g, b, norm_frac(n))
    y = ctx.emit(
        integer_norm.LayerNorm,
        x,
        ctx.const(np.rint(g * 2.0 ** (32 - norm_frac(n) + shift)), DType.I32, op.scale.name),
        ctx.const(np.rint(b * 2.0**shift + 2.0**shift / 2), DType.I32, bias.name if bias else None),
        type=out.with_shape(x.shape),
        eps=max(0, min(2**62 - 1, round(op.eps * (n / step) ** 2))),
        center=op.opcode == "f.layer_norm",
        out_shift=shift,
        dtype=out.dtype.value,
    )
    return y if y.shape == out.shape else ctx.emit(Reshape, y, type=out, shape=list(out.shape))


def _out_shift(g: Array, b: Array, frac: int) -> int:
    """The most fraction bits, up to 8, with which gamma and every sum stay inside 32 bits."""
    for shift in range(8, 0, -1):
        gamma = np.abs(g) * 2.0 ** (32 - frac + shift)
        if gamma.max() < 2**31 - 1 and (gamma / 15 + np.abs(b) * 2.0**shift).max() < 2**30:
            return shift
    return 0


@lowering("f.softmax")
def lower_softmax(op: FloatSoftmax, ctx: Lowering) -> Value:
    """Along the last axis (others are transposed there and back); the result's scale is always 1/256."""
    x = ctx.get(op.x)
    assert x.type.quant is not None
    if x.type.dtype is DType.I16:
        lo, hi = (float(v) for v in x.type.quant.dequantize(np.array([-32768, 32767], np.int16)))
        x = requantized(x, x.type.with_dtype(DType.I8).with_quant(affine(lo, hi, DType.I8, symmetric=True)), ctx)
    assert x.type.quant is not None
    rank = x.type.rank
    perm = [i for i in range(rank) if i != op.axis] + [op.axis]
    if op.axis != rank - 1:
        x = _transpose(x, perm, ctx)
    assert x.type.quant is not None
    table = softmax_table(x.type.quant.scale[0], x.shape[-1])
    out = x.type.with_quant(Quant.per_tensor(1 / 256, -128))
    y = ctx.emit(integer_norm.Softmax, x, ctx.const(table, DType.U16, "exp"), type=out)
    return y if op.axis == rank - 1 else _transpose(y, [perm.index(i) for i in range(rank)], ctx)


def _transpose(x: Value, perm: list[int], ctx: Lowering) -> Value:
    return ctx.emit(Transpose, x, type=x.type.with_shape([x.shape[p] for p in perm]), perm=perm)
