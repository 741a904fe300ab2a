"""The same loop over tiles of more rows."""

from __future__ import annotations

from emberc.ir.graph import Function
from emberc.ir.ops.row_tiles import RowTiles
from emberc.ir.values import Constant, Value


def larger_tiles(call: RowTiles, most: int) -> list[int]:
    """The rows that tiles of this loop could have instead, up to ``most``, largest first."""
    total = call.total()
    return [rows for rows in range(min(most, total // 2), call.rows, -1) if total % rows == 0]


def with_rows(call: RowTiles, rows: int) -> Function:
    """The body of ``call`` for tiles of ``rows`` rows: every value has its rows first, so types change and no op."""
    body = call.function
    values: dict[int, Value] = {}
    for _, v, tiled in call.ports():
        values[id(v)] = Value(v.type.with_shape((rows, *v.shape[1:])) if tiled else v.type, v.name)
    out = Function(body.name, list(values.values()))
    for op in body.ops:
        operands = [v if v is None or isinstance(v, Constant) else values[id(v)] for v in op.operands]
        types = [r.type.with_shape((rows, *r.shape[1:])) for r in op.results]
        new = type(op).from_parts(operands, dict(op.attrs), types, op.loc)
        for old, result in zip(op.results, new.results, strict=True):
            result.name = old.name
            values[id(old)] = result
        out.ops.append(new)
    out.outputs = {name: values[id(v)] for name, v in body.outputs.items()}
    return out
