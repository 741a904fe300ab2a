"""q.layer_norm on Helium: gamma and beta in the order of the lanes (``kernels/mve/ember_mve_norm.h``)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emberc.backend.c.context import EmitContext
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.mve_matmul import ISA
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.op import Op
from emberc.ir.ops.integer_base import rows_of
from emberc.ir.ops.integer_norm import LayerNorm
from emberc.ir.types import Array, DType

SHIFT = 8
"""Largest shift of an int8 result that may follow saturating to int16."""


def element_order(n: int) -> NDArray[np.intp]:
    """The elements in the order of the vectors, padded to a multiple of 4 by ``n``, which stands for "none"."""
    whole = n // 16 * 16
    order = np.arange(whole).reshape(-1, 4, 4).transpose(0, 2, 1)[:, [0, 2, 1, 3]].reshape(-1)
    return np.concatenate([order, np.arange(whole, n), np.full(-n % 4, n, np.intp)])


def affine(gamma: Array, beta: Array) -> NDArray[np.int32]:
    """gamma and beta [n] -> int32 [2 * n padded to 4]: four of one, four of the other, in turn."""
    order = element_order(len(gamma))
    both = [np.pad(v, (0, 1))[order].reshape(-1, 1, 4) for v in (gamma, beta)]
    return np.concatenate(both, axis=1).reshape(-1).astype(np.int32)


def accepts(op: Op) -> bool:
    """Constant gamma and beta, and a shift of an int8 result that saturating to int16 does not spoil."""
    assert isinstance(op, LayerNorm)
    known = op.gamma.const is not None and op.beta.const is not None
    return known and (op.y.type.dtype is DType.I16 or op.out_shift <= SHIFT)


def emit_layer_norm(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, LayerNorm)
    name = op.gamma.name or f"{op.loc}_gamma"
    p = ctx.params(
        "ember_mve_norm_params",
        {
            "affine": ctx.array(affine(op.constant("gamma"), op.constant("beta")), name),
            "eps": f"UINT64_C({op.eps})",
            "rows": rows_of(op.x),
            "n": op.x.shape[-1],
            "frac": op.frac(),
            "out_shift": op.out_shift,
            "center": op.center,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)


for _types in ("s8", "s8_s16", "s16", "s16_s8"):
    _function = f"ember_layer_norm_{_types}_{ISA}"
    VARIANTS[ISA, f"ember_layer_norm_{_types}"] = Variant(
        Kernel(_function, kernel_source(ISA, _function), emit=emit_layer_norm), accepts
    )
