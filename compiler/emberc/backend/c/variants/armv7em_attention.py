"""q.attention on Armv7E-M: K and V as pairs of int16 (``kernels/armv7em/ember_attention_walk.h``)."""

from __future__ import annotations

from emberc.backend.c.context import EmitContext
from emberc.backend.c.emitters.attention import attention_call
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.registry import Call
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.arithmetic import wide
from emberc.ir.op import Op
from emberc.ir.ops.integer_attention import Attention

ISA = "armv7em"


def accepts(op: Op) -> bool:
    """int8 scores that are multiplied unshifted, and multipliers of a row that hold its shift to the left.

    A row's sum is at least table[0]: that bounds the shift to the left.
    """
    assert isinstance(op, Attention)
    shifted = op.bits == 8 and op.shift_score != 0  # sums of 64 bits are shifted to the right, as verify has it
    if shifted or op.table.const is None or min(op.q.shape[-2], op.k.shape[-2]) < 1:
        return False
    top = int(wide(op.table.const)[0])
    leading = 32 - top.bit_length()
    left = max(0, leading - op.bits + min(op.shift_out, 0)) + max(op.shift_out, 0)
    inverse = op.c_out // (1 << 15)
    return inverse << left < 1 << 31 and top <= 32767 and op.table.type.elements <= 1 << 15


def emit_attention(op: Op, ctx: EmitContext) -> Call:
    assert isinstance(op, Attention)
    name = f"{op.table.name or op.loc}_reversed"
    return attention_call(op, ctx, ctx.array(op.constant("table")[::-1], name, "tables"))


FEW, PACK = 4, 2048
"""Values of K or V that are widened together, where a row of them is no longer; half as many where rows are few."""


def chunk_rows(op: Op) -> int:
    """Query rows that go over K and V together."""
    assert isinstance(op, Attention)
    keys, dim = (-(-n // 4) * 4 for n in (op.k.shape[-2], op.head_dim))
    return max(2, min(16, max(2048 // keys, dim // 8), op.q.shape[-2] + 1) & ~1)


def in_place(op: Op) -> bool:
    """An odd last row runs with the row before it: that row of q must not be written before."""
    assert isinstance(op, Attention)
    rows = op.q.shape[-2]
    return rows % 2 == 0 or rows <= chunk_rows(op)


def scratch_bytes(op: Op) -> int:
    """A block of K or V of a head as int16, scores of a chunk of rows, two rows of masks, and two of q; few rows of q
    lie in the block of K."""
    assert isinstance(op, Attention)
    keys, dim = (-(-n // 4) * 4 for n in (op.k.shape[-2], op.head_dim))
    chunk = chunk_rows(op)
    few = chunk <= FEW
    pack, panels = (PACK // 2, chunk) if few else (PACK, 0)
    block = min(max(4, (pack - panels * dim) // dim & ~3), keys)
    columns = min(max(4 if few else 2, pack // keys & ~1), op.head_dim)
    values = max((block + panels) * dim, (columns + columns % 2) * keys)
    return 2 * values + 2 * chunk * keys + 4 * keys + (0 if few else 4 * dim)


for _types in ("s8", "s8_s16", "s16"):
    _name = f"ember_attention_{_types}"
    _kernel = Kernel(
        f"{_name}_{ISA}",
        kernel_source(ISA, f"{_name}_{ISA}"),
        scratch_bytes=scratch_bytes,
        in_place=in_place,
        emit=emit_attention,
    )
    VARIANTS[ISA, _name] = Variant(_kernel, accepts)
