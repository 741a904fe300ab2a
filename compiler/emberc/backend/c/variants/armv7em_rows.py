"""q.layer_norm and q.add on Armv7E-M."""

from __future__ import annotations

import numpy as np

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.norm import layer_norm_call
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.arithmetic import fits32
from emberc.ir.op import Op
from emberc.ir.ops.integer_elementwise import Add
from emberc.ir.ops.integer_norm import LayerNorm

ISA = "armv7em"

FRAC = 6
"""The last shift of a sum, an immediate of the kernels; ``requantized_sum`` gives another only to extreme scales."""

OUT_SHIFT = 8
"""The last shift of a normalised element, likewise."""


def accepts_norm(op: Op) -> bool:
    assert isinstance(op, LayerNorm)
    return op.out_shift == OUT_SHIFT and op.gamma.const is not None and op.beta.const is not None


def emit_norm(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, LayerNorm)
    pairs = np.stack([op.constant("gamma"), op.constant("beta")], axis=1)
    return layer_norm_call(op, ctx, ctx.array(pairs, f"{op.gamma.name or op.loc}_beta"), "NULL")


def scaled(m: int, s: int) -> int:
    """The multiplier of SMLAW for (x * m) >> s."""
    return m << 16 >> s


def accepts_sum(op: Op) -> bool:
    """Operands of one shape; multipliers that an int32 holds after their shift by 16 - s."""
    assert isinstance(op, Add)
    same = op.x.shape == op.y.shape == op.z.shape
    fit = all(s <= 16 and fits32(m << 16 >> s, m << 16 >> s) for m, s in ((op.m1, op.s1), (op.m2, op.s2)))
    return same and fit and op.frac == FRAC


def emit_sum(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, Add)
    p = ctx.params(
        "ember_sum_params",
        {"count": op.z.type.elements, "m1": scaled(op.m1, op.s1), "m2": scaled(op.m2, op.s2), "c": op.c},
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.pointer(op.z), p)


for _name in ("s8", "s16_s8"):
    _function = f"ember_layer_norm_{_name}"
    VARIANTS[ISA, _function] = Variant(
        Kernel(f"{_function}_{ISA}", kernel_source(ISA, f"{_function}_{ISA}"), emit=emit_norm), accepts_norm
    )
for _name in ("s8", "s8_s16", "s16", "s16_s8", "s16s8", "s16s8_s8"):
    _function = f"ember_add_{_name}"
    VARIANTS[ISA, _function] = Variant(
        Kernel(f"{_function}_{ISA}", kernel_source(ISA, f"{_function}_{ISA}"), emit=emit_sum), accepts_sum
    )
