"""q.layer_norm on Helium: gamma and beta in the order of the lanes (``kernels/mve/ember_mve_norm*.h``)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.norm import norm_rows
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.mve_matmul import ISA
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.op import Op
from emberc.ir.ops.integer_norm import LayerNorm
from emberc.ir.types import Array, DType


def element_order(n: int, lanes: int) -> NDArray[np.intp]:
    """The elements in the order of the vectors, padded to a multiple of ``lanes`` by ``n``, which stands for "none".

    8 lanes: even, then odd elements of every sixteen; 4 lanes: those parted once more.
    """
    whole = n // 16 * 16
    order = np.arange(whole).reshape(-1, lanes, 16 // lanes).transpose(0, 2, 1)
    if lanes == 4:
        order = order[:, [0, 2, 1, 3]]
    return np.concatenate([order.reshape(-1), np.arange(whole, n), np.full(-n % lanes, n, np.intp)])


def gains(gamma: Array, beta: Array, lanes: int) -> Array:
    """gamma and beta [n] -> [2 * n padded]: a vector of one, a vector of the other, in turn."""
    order = element_order(len(gamma), lanes)
    both = [np.pad(v, (0, 1))[order].reshape(-1, 1, lanes) for v in (gamma, beta)]
    out: Array = np.concatenate(both, axis=1).reshape(-1)
    return out


def accepts(op: Op) -> bool:
    """Constant gamma and beta."""
    assert isinstance(op, LayerNorm)
    return op.gamma.const is not None and op.beta.const is not None


def emit_layer_norm(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, LayerNorm)
    narrow = op.y.type.dtype is DType.I8
    packed = gains(op.constant("gamma"), op.constant("beta"), 8 if narrow else 4)
    p = ctx.params(
        "ember_mve_norm_params" if narrow else "ember_mve_norm_wide_params",
        {"gains": ctx.array(packed, op.gamma.name or f"{op.loc}_gamma"), "shape": norm_rows(op)},
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)


for _types in ("s8", "s8_s16", "s16", "s16_s8"):
    _function = f"ember_layer_norm_{_types}_{ISA}"
    VARIANTS[ISA, f"ember_layer_norm_{_types}"] = Variant(
        Kernel(_function, kernel_source(ISA, _function), emit=emit_layer_norm), accepts
    )
