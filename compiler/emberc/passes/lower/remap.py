"""f.remap to q.remap."""

from __future__ import annotations

import numpy as np

from emberc.ir.ops.remap import WORD, IntegerRemap, Remap
from emberc.ir.types import DType
from emberc.ir.values import Constant, Value
from emberc.passes.lower.context import Lowering, lowering


@lowering("f.remap")
def lower_remap(op: Remap, ctx: Lowering) -> Value:
    """The kept ids as bits, with a count before each word of them."""
    assert op.keep.const is not None
    words = -(-op.vocabulary // WORD)
    flags = np.zeros(words * WORD, np.uint8)
    flags[op.keep.const] = 1
    held = flags.reshape(words, WORD)
    bits = np.packbits(held, axis=1, bitorder="little").view("<u4").reshape(words).astype(np.uint32)
    below = np.concatenate([[0], np.cumsum(held.sum(axis=1))[:-1]])
    name = op.keep.name or "keep"
    return ctx.emit(
        IntegerRemap,
        ctx.get(op.ids),
        Constant(bits, f"{name}.bits"),
        ctx.const(below, DType.I32, f"{name}.counts"),
        type=ctx.type_of(op.y),
        vocabulary=op.vocabulary,
        other=op.other,
    )
