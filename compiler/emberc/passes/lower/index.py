"""Arithmetic on indices: positions counted from the ids (RoBERTa), segments derived from them (EmbBERT)."""

from __future__ import annotations

import numpy as np

from emberc.errors import UnsupportedError
from emberc.ir.op import Op
from emberc.ir.ops.float_unary import Clip
from emberc.ir.ops.integer_index import KINDS, Cumsum, Index, Widen
from emberc.ir.types import DType
from emberc.ir.values import Value
from emberc.passes.lower.context import Lowering, lowering


def as_index(x: Value, ctx: Lowering) -> Value:
    """A truth value as int32; an int32 as it is. Raises UnsupportedError for anything else."""
    if x.type.dtype is DType.I32 and x.type.quant is None:
        return x
    if x.type.dtype is DType.BOOL:
        return ctx.emit(Widen, x, type=x.type.with_dtype(DType.I32))
    raise UnsupportedError(f"arithmetic on {x.type.dtype.value} indices is not compiled", at=ctx.at())


def lower_index(op: Op, ctx: Lowering) -> Value:
    """f.add, f.sub, f.mul, f.min and f.max of indices."""
    kind = op.opcode[2:]
    if kind not in KINDS:
        raise UnsupportedError(f"{op.opcode} on {op.result.type.dtype.value} values is not compiled", at=op.loc)
    x, y = (as_index(ctx.get(v), ctx) for v in op.operands if v is not None)
    return ctx.emit(Index, x, y, type=ctx.type_of(op.result).with_dtype(DType.I32), kind=kind)


def clip_index(op: Clip, ctx: Lowering) -> Value:
    """min(max(x, lo), hi) of indices."""
    x = as_index(ctx.get(op.x), ctx)
    for kind, end in (("max", op.lo), ("min", op.hi)):
        if end is not None:
            lo, hi = DType.I32.limits
            x = ctx.emit(Index, x, ctx.const(np.array(min(max(int(end), lo), hi)), DType.I32), type=x.type, kind=kind)
    return x


@lowering("f.cumsum")
def lower_cumsum(op: Op, ctx: Lowering) -> Value:
    """Running sums of indices. Raises UnsupportedError for activations, of which there is no integer form."""
    (x,) = op.operands
    assert x is not None
    held = ctx.get(x)
    if held.type.quant is not None:
        raise UnsupportedError(
            "a running sum of activations has no integer form (a chunked Mamba-2 computes its decays so)",
            at=op.loc,
            hints=["export the scan as a loop over time, or as torch's scan: either becomes one selective scan"],
        )
    return ctx.emit(Cumsum, as_index(held, ctx), type=ctx.type_of(op.result).with_dtype(DType.I32), **op.attrs)
