"""f.layer_norm, f.rms_norm and f.softmax."""

from __future__ import annotations

import numpy as np

from emberc.errors import UnsupportedError
from emberc.ir.arithmetic import exp2_table, softmax_table
from emberc.ir.ops import integer_norm
from emberc.ir.ops.float_norm import Norm
from emberc.ir.ops.float_norm import Softmax as FloatSoftmax
from emberc.ir.ops.integer_movement import Reshape, Transpose
from emberc.ir.types import Array, DType, Quant, TensorType
from emberc.ir.values import Value
from emberc.passes.lower.attention import LOG2_E, STEPS
from emberc.passes.lower.context import Lowering, lowering
from emberc.passes.lower.elementwise import narrowed, requantized
from emberc.passes.masks import mask_inside
from emberc.quant.norm import Gains, narrow_gains, wide_gains

MASKED = -1e4
"""Scores are not as low as that, masks are: those of BERT's first release, and all the others are lower."""

_FINE = 0.25
"""Scores this far apart make weights that are off by an eighth at most."""


@lowering("f.layer_norm", "f.rms_norm")
def lower_norm(op: Norm, ctx: Lowering) -> Value:
    """gamma and beta take the output's scale in; eps becomes n^2 eps / s_x^2. See ``q.layer_norm``.

    Rows so long, or gammas so far apart, that 16 bits leave int8 results too few fraction bits: int16 results, rounded
    to int8 afterwards.
    """
    x, out = ctx.get(op.x), ctx.type_of(op.result)
    assert x.type.quant is not None and out.quant is not None
    step = x.type.quant.scale[0]
    shape = op.x.shape
    n = int(np.prod(shape[op.axis :]))
    if op.axis != len(shape) - 1:  # several axes are normalised together: one long row
        x = ctx.emit(Reshape, x, type=x.type.with_shape((*shape[: op.axis], n)), shape=[*shape[: op.axis], n])
    bias = op.operands[2] if len(op.operands) > 2 else None
    g = np.broadcast_to(ctx.real(op.scale), shape[op.axis :]).reshape(n)
    b = np.zeros(n) if bias is None else np.broadcast_to(ctx.real(bias), shape[op.axis :]).reshape(n)
    center = op.opcode == "f.layer_norm"
    result = out.with_shape(x.shape)
    gains = _gains(g, b, result, center)
    if gains is None:
        result = result.with_dtype(DType.I16).with_quant(
            Quant.per_tensor(out.quant.scale[0] / 256, 256 * out.quant.zero_point)
        )
        gains = _gains(g, b, result, center)
    assert gains is not None
    y = ctx.emit(
        integer_norm.LayerNorm,
        x,
        ctx.const(gains.gamma, gains.dtype, op.scale.name),
        ctx.const(gains.beta, gains.dtype, bias.name if bias else None),
        type=result,
        eps=max(0, min(2**62 - 1, round(op.eps * (n / step) ** 2))),
        center=center,
        out_shift=gains.out_shift,
        dtype=result.dtype.value,
    )
    y = requantized(y, out, ctx)
    return y if y.shape == out.shape else ctx.emit(Reshape, y, type=out, shape=list(out.shape))


def _gains(g: Array, b: Array, y: TensorType, center: bool) -> Gains | None:
    """The integers that give y of that scale; None where 16 bits are too few."""
    assert y.quant is not None
    g, b = g / y.quant.scale[0], b / y.quant.scale[0] + y.quant.zero_point
    return narrow_gains(g, b, center=center) if y.dtype is DType.I8 else wide_gains(g, b)


@lowering("f.softmax")
def lower_softmax(op: FloatSoftmax, ctx: Lowering) -> Value:
    """Along the last axis (others are transposed there and back); int8 of scale 1/256, int16 of scale 2^-15."""
    x, wanted = ctx.get(op.x), ctx.type_of(op.result)
    _refuse_coarse(op, x)
    rank = x.type.rank
    perm = [i for i in range(rank) if i != op.axis] + [op.axis]
    if op.axis != rank - 1:
        x = _transpose(x, perm, ctx)
    y = _softmax16(x, ctx) if x.type.dtype is wanted.dtype is DType.I16 else _softmax(narrowed(x, ctx), ctx)
    return y if op.axis == rank - 1 else _transpose(y, [perm.index(i) for i in range(rank)], ctx)


def _refuse_coarse(op: FloatSoftmax, x: Value) -> None:
    """Scores that reach what only masks are would leave one or two integers to the real ones: noise, not an answer."""
    assert x.type.quant is not None
    ends = x.type.quant.dequantize(np.array(x.type.dtype.limits))
    step, bits = x.type.quant.scale[0], 8 * x.type.dtype.size
    if float(ends.min()) > MASKED or (bits == 16 and step <= _FINE):
        return
    mask = mask_inside(op.x)
    maker = f"node '{op.x.producer.loc}'" if op.x.producer is not None else f"input '{op.x.name}'"
    why = "the mask inside is not recognised" if mask else "the softmax could not tell them apart"
    raise UnsupportedError(
        f"softmax of scores as large as {np.abs(ends).max():.3g}, in {bits} bits {step:.2g} apart: {why}",
        at=op.loc,
        details=[f"the scores come from {maker}" + (f", the mask from {mask}" if mask else "")],
        hints=[
            "make the mask of an integer or boolean input: where(mask, scores, -inf), scores + (1 - mask) * -10000",
            "a float input can be the mask where each sample holds 0 and 1 alone, or 0 and one huge negative number",
            "or make that input a constant: --fix NAME=VALUE",
        ]
        if mask
        else ["scale the scores down before the softmax, or let the model end at the scores, or at their ArgMax"],
    )


def _softmax(x: Value, ctx: Lowering) -> Value:
    assert x.type.quant is not None
    table = softmax_table(x.type.quant.scale[0], x.shape[-1])
    out = x.type.with_quant(Quant.per_tensor(1 / 256, -128))
    return ctx.emit(integer_norm.Softmax, x, ctx.const(table, DType.U16, "exp"), type=out)


def _softmax16(x: Value, ctx: Lowering) -> Value:
    assert x.type.quant is not None
    n, factor = x.shape[-1], x.type.quant.scale[0] * LOG2_E * STEPS[DType.I16]
    table = exp2_table(top=min(32767, ((1 << 24) - 1) // n), steps=STEPS[DType.I16])
    shift = max(1, min(30, int(np.floor(np.log2(32767 / factor)))))
    out = x.type.with_quant(Quant.per_tensor(2.0**-15))
    m = min(32767, round(factor * 2.0**shift))
    return ctx.emit(integer_norm.Softmax16, x, ctx.const(table, DType.I16, f"exp2_{n}"), type=out, m=m, shift=shift)


def _transpose(x: Value, perm: list[int], ctx: Lowering) -> Value:
    return ctx.emit(Transpose, x, type=x.type.with_shape([x.shape[p] for p in perm]), perm=perm)
