"""f.embed to q.embed."""

from __future__ import annotations

import numpy as np

from emberc.ir.ops import integer_embed
from emberc.ir.ops.float_fused import Embed
from emberc.ir.types import Array, DType
from emberc.ir.values import Value
from emberc.passes.lower.context import Lowering, lowering
from emberc.quant.grid import row_grids


@lowering("f.embed")
def lower_embed(op: Embed, ctx: Lowering) -> Value:
    """Tables int8 with a scale per column, or the sum of two such, summed before the one rounding.

    Constant ids need no look-up: ids that count up are the position, one row for all goes into the bias.
    """
    out = ctx.type_of(op.y)
    assert out.quant is not None
    step = out.quant.scale[0]
    length, d = out.shape[-2], out.shape[-1]
    bias = np.full(d, float(out.quant.zero_point))
    parts: list[tuple[Array, Value | None, Value]] = []
    for ids, table in zip(op.parts[: op.count], op.parts[op.count :], strict=True):
        rows = ctx.real(table)
        if ids.const is None:
            parts.append((rows, ctx.get(ids), table))
            continue
        picked = np.broadcast_to(rows[ids.const], out.shape).reshape(-1, length, d)[0]
        if len(np.unique(ids.const)) == 1:
            bias += picked[0] / step
        else:
            parts.append((picked, None, table))
    parts = [part for p in parts for part in ([p] if id(p[2]) not in ctx.wide else _halves(*p))]
    grids = [_columns(rows) for rows, _, _ in parts]
    for scale, center in grids:
        bias += scale * center / step
    frac = _frac([s / step for s, _ in grids], bias)
    operands: list[Value] = []
    for (rows, ids_value, table), (s, center) in zip(parts, grids, strict=True):
        operands.append(ctx.weights(rows / s - center, table))
        operands.append(ctx.const(np.rint(s / step * 2.0**frac), DType.I32))
        if ids_value is not None:
            operands.append(ids_value)
    return ctx.emit(
        integer_embed.Embed,
        ctx.const(np.rint(bias * 2.0**frac + 2.0**frac / 2), DType.I32),
        operands,
        type=out,
        has_ids=[ids_value is not None for _, ids_value, _ in parts],
        frac=frac,
        dtype=out.dtype.value,
    )


def _halves(rows: Array, ids: Value | None, table: Value) -> list[tuple[Array, Value | None, Value]]:
    """A table of 16 bits as the sum of two int8 ones, which the op adds before it rounds."""
    scale, center = _columns(rows)
    high = (np.rint(rows / scale - center) + center) * scale
    return [(high, ids, table), (rows - high, ids, table)]


def _columns(rows: Array) -> tuple[Array, Array]:
    """Scale and center of every column: row = scale * (int8 + center). A quantized model's table keeps its own."""
    grid, top = row_grids(rows.T), np.abs(rows).max(axis=0)
    return np.where(grid.step > 0, grid.step, np.where(top > 0, top, 1.0) / 127), grid.center


def _frac(factors: list[Array], bias: Array) -> int:
    """The most fraction bits, up to 14, with which no sum leaves 32 bits."""
    most = float((sum(128 * f for f in factors) + np.abs(bias) + 1).max())
    return max(0, min(14, int(np.floor(30 - np.log2(most)))))
