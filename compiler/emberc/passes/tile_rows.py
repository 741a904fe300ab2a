"""tile-rows: chains of row-wise ops run a few rows at a time, so that what is wide in them is never whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.graph import Function, Module
from emberc.ir.op import Op
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.integer_base import rows_of
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.ops.integer_movement import Concat
from emberc.ir.ops.row_tiles import RowTiles
from emberc.ir.types import DType, TensorType
from emberc.ir.values import Constant, Value
from emberc.passes.manager import Pass
from emberc.passes.row_chains import by_query, row_chains, tiled, whole
from emberc.passes.split_heads import split_heads
from emberc.passes.split_query import split_queries

#: fewer rows a tile than this and the kernels read the weights too often
FEWEST_ROWS = 4


@dataclass(frozen=True)
class TileRows(Pass):
    """norm(add(matmul(gelu(matmul(x))), x))  -->  row_tiles(x) { the same on ``rows`` rows }
    norm(embed(ids))                       -->  row_tiles(ids) { the same }
    matmul(attention(matmul(x), k, v))     -->  row_tiles(x; k, v) { the same }          with ``queries``

    A feed-forward block is four times as wide inside as outside: done in tiles, that width exists for one tile only.
    The same ops in the same order for every row, so the same bits. ``rows`` is the largest tile; the largest divisor
    of the row count up to it is taken. 0: never. ``queries``: attention joins its neighbours, a tile being query
    rows: of Q and of what attention makes, a tile is all there ever is; K and V stay whole. ``heads``: attention runs
    one head after the other, so only the K and V of one head are there (``split_heads``). ``recompute``: what cheap
    ops make of little (the first rows, of ids) is made again in every loop that reads it, and is never whole.
    """

    name: ClassVar[str] = "tile-rows"
    rows: int = 32
    queries: bool = False
    heads: bool = False
    recompute: bool = False

    def run(self, module: Module) -> bool:
        changed = False
        for function in list(module.functions.values()):
            if self.heads and self.rows:
                changed |= split_heads(function)
            if self.queries:
                split_queries(function, lambda op: by_query(op) and self._fits(op.q))
            for chain in row_chains(function, self.queries, lambda op: self.recompute and self._fits(op.result)):
                if self._fits(chain.ops[-1].result) and (chain.again or _pays(chain.ops)):
                    _outline(module, function, chain.ops, largest_tile(rows_of(chain.ops[-1].result), self.rows))
                    changed = True
        return changed

    def _fits(self, value: Value) -> bool:
        return largest_tile(rows_of(value), self.rows) > 0


def largest_tile(total: int, most: int) -> int:
    """The largest divisor of ``total`` up to ``most``; 0 when there is none worth while, or nothing to divide."""
    best = max((d for d in range(1, most + 1) if total % d == 0), default=0)
    return best if FEWEST_ROWS <= best < total else 0


def _pays(chain: list[Op]) -> bool:
    """Whether something inside is wider than what comes out, or is Q, of which no more than a tile is then there."""
    exit_bytes = chain[-1].result.type.nbytes
    return any(op.result.type.nbytes > exit_bytes or isinstance(op, Attention) for op in chain)


def _outline(module: Module, function: Function, chain: list[Op], rows: int) -> None:
    """Moves the chain into a function of its own and calls it where the chain's last op stood."""
    chain = [_numbered(function, op) for op in chain]
    name = f"tile_{sum(f.startswith('tile_') for f in module.functions)}"
    body, mapped = Function(name), dict[int, Value]()
    inside = {id(op.result) for op in chain}
    rows_in = _outside(inside, [v for op in chain for v in tiled(op)])
    whole_in = _outside(inside, [v for op in chain for v in whole(op)])
    for v in rows_in:
        mapped[id(v)] = Value(_tile_type(v, rows), f"x{len(mapped)}")
    body.inputs = list(mapped.values())
    # A value that comes in tiles and whole (keys that are a projection's input as well) is two inputs.
    entire: dict[int, Value] = {}
    for v in whole_in:
        entire[id(v)] = Value(_tile_type(v, rows_of(v)) if v.type.rank == 3 else v.type, f"w{len(entire)}")
    body.inputs += entire.values()
    for op in chain:
        sources = {**mapped, **(entire if isinstance(op, Attention) else {})}
        sources.update({id(v): mapped[id(v)] for v in tiled(op)})
        operands = [None if v is None else sources.get(id(v), v) for v in op.operands]
        attrs = {**op.attrs, "axis": 1} if isinstance(op, Concat) else op.attrs
        new = type(op).from_parts(operands, attrs, [_tile_type(op.result, rows)], op.loc)
        new.result.name = op.result.name
        mapped[id(op.result)] = new.result
        body.ops.append(new)
    last = chain[-1]
    body.outputs = {"y": mapped[id(last.result)]}
    module.functions[name] = body
    loc = " .. ".join(dict.fromkeys(filter(None, [chain[0].loc, last.loc])))
    call_attrs = {"body": name, "rows": rows, "whole": len(whole_in)}
    call = RowTiles.from_parts([*rows_in, *whole_in], call_attrs, [last.result.type], loc)
    call.callee = body
    call.result.name = last.result.name
    function.replace(last.result, call.result)
    function.ops[function.ops.index(last)] = call
    for op in chain:
        op.drop_operands()
    gone = {id(op) for op in chain}
    function.ops = [op for op in function.ops if id(op) not in gone]


def _outside(inside: set[int], values: list[Value]) -> list[Value]:
    """``values``, each once, that nothing inside makes."""
    return list({id(v): v for v in values if id(v) not in inside}.values())


def _numbered(function: Function, op: Op) -> Op:
    """A table without ids is read at the row's position in the sequence: in tiles, that number comes as ids."""
    if not isinstance(op, Embed) or all(op.has_ids):
        return op
    length = op.result.shape[-2]
    numbers = Constant(np.arange(length, dtype=np.int32).reshape(op.result.shape[:-1]), f"positions_{length}")
    parts = [v for p in op.tables() for v in (p.table, p.m, p.ids or numbers)]
    new = Embed.from_parts([op.bias, *parts], {**op.attrs, "has_ids": [True] * len(op.has_ids)}, [op.y.type], op.loc)
    new.result.name = op.result.name
    function.replace(op.result, new.result)
    function.ops[function.ops.index(op)] = new
    op.drop_operands()
    return new


def _tile_type(v: Value, rows: int) -> TensorType:
    """[rows, columns], [rows] for ids; a quantization per column stays one."""
    t = v.type.with_shape((rows,) if v.type.dtype is DType.I32 else (rows, v.shape[-1]))
    if t.quant is not None and t.quant.axis is not None:
        return t.with_quant(type(t.quant)(t.quant.scale, t.quant.zero_point, 1))
    return t
