"""q.matmul on packed weights on Armv7E-M: unpacked into dual-column words (``kernels/armv7em/ember_packed_dual.h``)."""

from __future__ import annotations

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.packed import packed_struct
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.armv7em_matmul import ISA, M7, accepts, dual_params
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.op import Op
from emberc.ir.ops.integer_matmul import Matmul


def emit_packed_matmul(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, Matmul) and op.w.packed is not None
    p = ctx.params(
        "ember_packed_dual_params",
        {
            "w": packed_struct(op.w.packed, op.w.name or f"{op.loc}_w", ctx),
            "bias": ctx.pointer(op.bias),
            "m": ctx.pointer(op.m),
            "dual": ctx.params("ember_dual_params", dual_params(op, ctx, None)),
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.scratch, p)


def scratch_bytes(op: Op) -> int:
    """A panel of three rows of pairs, then the stream of eight columns."""
    assert isinstance(op, Matmul)
    return 28 * -(-op.w.shape[1] // 2) + 320


for _types in ("s8", "s8_s16"):
    for _isa, _suffix in ((ISA, ""), (M7, "_m7")):
        _name = f"ember_packed_matmul_{_types}_{ISA}{_suffix}"
        _kernel = Kernel(_name, kernel_source(ISA, _name), scratch_bytes=scratch_bytes, emit=emit_packed_matmul)
        VARIANTS[_isa, f"ember_packed_matmul_{_types}"] = Variant(_kernel, accepts)
