"""q.layer_norm where gamma and beta lie side by side, two words a channel, prepared for the kernels' shifts.

Armv7E-M (``kernels/armv7em/ember_norm_armv7em.h``) shifts by an immediate, so gamma and beta take the rest of the op's
shift; RV32 (``kernels/rv32/ember_rv32_norm.h``) has the roundings in beta.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.norm import norm_rows
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.arithmetic import INT32_MAX, Ints, fits32, wide
from emberc.ir.op import Op
from emberc.ir.ops.integer_norm import LayerNorm
from emberc.ir.types import DType

WIDE_SHIFT = 9
"""The last shift of a normalised element of int16 on Armv7E-M, once gamma and beta are multiplied for it."""

NARROW_SHIFT = 8
"""That of int8, likewise."""

Pairs = Callable[[LayerNorm], tuple[Ints, Ints]]


def armv7em_pairs(op: LayerNorm) -> tuple[Ints, Ints]:
    """gamma and beta [n] for an immediate shift: SMLAWB takes 16 of the 15 + out_shift bits of int8 results; SMMLA
    rounds int16 ones by the half in beta."""
    gamma, beta = wide(op.constant("gamma")), wide(op.constant("beta"))
    if op.y.type.dtype is DType.I8:
        more = NARROW_SHIFT - op.out_shift
        return gamma << more + 1, (beta << more) + (1 << NARROW_SHIFT - 1)
    factor = 1 << (WIDE_SHIFT - op.out_shift)
    return gamma * factor, beta * factor + factor // 2


def rv32_pairs(op: LayerNorm) -> tuple[Ints, Ints]:
    """gamma and beta [n], beta with the half of the last shift (int8), or doubled with that of the high product."""
    gamma, beta = wide(op.constant("gamma")), wide(op.constant("beta"))
    if op.y.type.dtype is DType.I8:
        return gamma, (beta << 15) + (1 << 14 + op.out_shift)
    return gamma, 2 * beta + 1


def _known(op: LayerNorm) -> bool:
    return op.gamma.const is not None and op.beta.const is not None


def fits_armv7em(op: Op) -> bool:
    """int16 y: room for the factor in 32 bits, of gamma and of the largest element as ``LayerNorm.verify`` has it."""
    assert isinstance(op, LayerNorm)
    if not _known(op) or op.y.type.dtype is DType.I8:
        return _known(op)
    if op.out_shift >= WIDE_SHIFT:
        return False
    gamma, beta = (np.abs(part) for part in armv7em_pairs(op))
    return int(gamma.max()) <= INT32_MAX and int(((gamma >> 4) + (gamma >> 18) + beta + 2).max()) <= INT32_MAX


def fits_rv32(op: Op) -> bool:
    """int16 y: a doubled product plus a doubled beta in 32 bits, and a shift that has room for one more."""
    assert isinstance(op, LayerNorm)
    if not _known(op) or op.y.type.dtype is DType.I8:
        return _known(op)
    gamma, beta = (np.abs(part) for part in rv32_pairs(op))
    top = int(((gamma >> 3) + (gamma >> 17) + beta + 2).max())
    return op.out_shift < 31 and fits32(-top, top)


def _emit(pairs: Pairs) -> Callable[[Op, EmitContext], Call]:
    def emit(op: Op, ctx: EmitContext) -> Call:
        assert isinstance(op, LayerNorm)
        gains = np.stack(pairs(op), axis=1).astype(np.int32)
        name = f"{op.gamma.name or op.loc}_beta"
        p = ctx.params("ember_norm_gains_params", {"gains": ctx.array(gains, name), "shape": norm_rows(op)})
        return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)

    return emit


for _isa, _pairs, _accepts in (("armv7em", armv7em_pairs, fits_armv7em), ("rv32", rv32_pairs, fits_rv32)):
    for _types in ("s8", "s8_s16", "s16", "s16_s8"):
        _function = f"ember_layer_norm_{_types}_{_isa}"
        _kernel = Kernel(_function, kernel_source(_isa, _function), emit=_emit(_pairs))
        VARIANTS[_isa, f"ember_layer_norm_{_types}"] = Variant(_kernel, _accepts)
