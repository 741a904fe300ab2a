"""q.add, q.mul and q.requantize on Helium.

In 32-bit lanes (``kernels/mve/ember_mve_sum.h``, ``ember_mve_product.h``), int8 in 16-bit lanes where the numbers allow
that (``ember_add_near_s8_mve.c``, ``ember_mul_halves_s8_mve.c``).
"""

from __future__ import annotations

from collections.abc import Callable

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.elementwise import shape_field
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call, Emit
from emberc.backend.c.variants.mve_matmul import ISA
from emberc.backend.c.variants.runtime import kernel_source, side_by_side
from emberc.ir.op import Op
from emberc.ir.ops.integer_elementwise import Add, Mul, Requantize, scaled_bounds
from emberc.ir.types import DType
from emberc.quant.multiplier import Halves, halves_of


def accepts_add(op: Op) -> bool:
    """Factors that a doubling multiplication applies in one step."""
    assert isinstance(op, Add)
    return side_by_side(op) and all(1 <= s <= 16 for s in (op.s1, op.s2))


def accepts_near(op: Op) -> bool:
    """Sums that stay inside 16 bits from term to term."""
    assert isinstance(op, Add)
    shifts = all(8 <= s <= 15 for s in (op.s1, op.s2)) and min(op.m1, op.m2) > -(1 << 15)
    least = most = op.c
    bounds = [(least, most)]
    for m, s in ((op.m1, op.s1), (op.m2, op.s2)):
        low, high = scaled_bounds(DType.I8, m, s)
        least, most = least + low, most + high
        bounds.append((least, most))
    low, high = DType.I16.limits
    return side_by_side(op) and shifts and all(low <= b[0] and b[1] <= high for b in bounds)


def accepts_mul(op: Op) -> bool:
    """Differences that fit 16 bits."""
    assert isinstance(op, Mul)
    zeros = ((op.x, op.zx), (op.y, op.zy))
    return side_by_side(op) and all(z == 0 or v.type.dtype is DType.I8 for v, z in zeros)


def halves_of_mul(op: Mul) -> Halves | None:
    """The two factors of an int8 product's multiplier."""
    spans = [max(127 - zero, zero + 128) for zero in (op.zx, op.zy)]
    narrow = op.shift == 0 and abs(op.zero_point) <= 128
    return halves_of(op.m, *spans) if narrow else None


def accepts_halves(op: Op) -> bool:
    """A multiplier of two factors."""
    assert isinstance(op, Mul)
    return side_by_side(op) and halves_of_mul(op) is not None


def emit_halves(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, Mul)
    pair = halves_of_mul(op)
    assert pair is not None
    p = ctx.params(
        "ember_mve_halves_params",
        {
            "shape": shape_field(op.z, op.x, op.y),
            "m1": pair.m1,
            "c1": -op.zx * pair.m1,
            "m2": pair.m2,
            "c2": -op.zy * pair.m2,
            "c": (2 * op.zero_point + 1) << (pair.frac - 1),
            "frac": pair.frac,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.pointer(op.z), p)


def accepts_requantize(op: Op) -> bool:
    """A factor that a doubling multiplication applies in one step."""
    assert isinstance(op, Requantize)
    return 1 <= op.s <= 16


def _variant(
    function: str, accepts: Callable[[Op], bool], otherwise: Variant | None = None, emit: Emit | None = None
) -> Variant:
    name = f"{function}_{ISA}"
    return Variant(Kernel(name, kernel_source(ISA, name), emit=emit), accepts, otherwise)


for _types in ("s8", "s8_s16", "s16", "s16_s8", "s16s8", "s16s8_s8"):
    _function = f"ember_add_{_types}"
    VARIANTS[ISA, _function] = _variant(_function, accepts_add)
    _function = f"ember_mul_{_types}"
    VARIANTS[ISA, _function] = _variant(_function, accepts_mul)
for _types in ("s8", "s8_s16", "s16", "s16_s8"):
    _function = f"ember_requantize_{_types}"
    VARIANTS[ISA, _function] = _variant(_function, accepts_requantize)
VARIANTS[ISA, "ember_add_s8"] = _variant("ember_add_near_s8", accepts_near, VARIANTS[ISA, "ember_add_s8"])
VARIANTS[ISA, "ember_mul_s8"] = _variant(
    "ember_mul_halves_s8", accepts_halves, VARIANTS[ISA, "ember_mul_s8"], emit_halves
)
