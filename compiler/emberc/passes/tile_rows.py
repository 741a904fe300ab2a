"""tile-rows: chains of row-wise ops run a few rows at a time, so that what is wide in them is never whole."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from emberc.ir.graph import Function, Module
from emberc.ir.op import Op
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.integer_base import rows_of
from emberc.ir.ops.integer_elementwise import Add, Mul, Requantize
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.ops.integer_norm import LayerNorm
from emberc.ir.ops.integer_table import Table, Table16
from emberc.ir.ops.row_tiles import RowTiles
from emberc.ir.types import DType, TensorType
from emberc.ir.values import Constant, Value
from emberc.passes.manager import Pass
from emberc.passes.split_query import split_queries

#: ops whose rows (all axes but the last) do not mix
ROW_WISE = (Matmul, LayerNorm, Add, Mul, Requantize, Table, Table16)
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
    rows: of Q and of what attention makes, a tile is all there ever is; K and V stay whole.
    """

    name: ClassVar[str] = "tile-rows"
    rows: int = 32
    queries: bool = False

    def run(self, module: Module) -> bool:
        changed = False
        for function in list(module.functions.values()):
            if self.queries:
                split_queries(function, lambda op: _by_query(op) and largest_tile(rows_of(op.q), self.rows) > 0)
            for chain in _chains(function, self.queries):
                rows = largest_tile(rows_of(chain[-1].result), self.rows)
                if rows and _pays(chain):
                    _outline(module, function, chain, rows)
                    changed = True
        return changed


def largest_tile(total: int, most: int) -> int:
    """The largest divisor of ``total`` up to ``most``; 0 when there is none worth while, or nothing to divide."""
    best = max((d for d in range(1, most + 1) if total % d == 0), default=0)
    return best if FEWEST_ROWS <= best < total else 0


def _by_query(op: Attention) -> bool:
    """Whether a query row needs nothing but its row of q: one batch, and no mask that is different for every row."""
    mask = op.mask
    one_mask = mask is None or (mask.shape[0] == 1 and mask.shape[2] == 1)
    return type(op) is Attention and one_mask and not op.causal and prod(op.q.shape[:-2]) == 1


def _tiled(op: Op) -> list[Value]:
    """The operands that are cut into tiles; ids of a table may be constants."""
    if isinstance(op, Attention):
        return [op.q]
    if isinstance(op, Embed):
        return [p.ids for p in op.tables() if p.ids is not None]
    return [v for v in op.operands if v is not None and (not isinstance(v, Constant) or _has_rows(op, v))]


def _has_rows(op: Op, v: Value) -> bool:
    """A constant that is different for every row (positions that are added): it is cut like any other operand."""
    return isinstance(op, Add | Mul) and rows_of(v) > 1


def _whole(op: Op) -> list[Value]:
    """The operands that every tile reads whole, constants apart."""
    if not isinstance(op, Attention):
        return []
    return [v for v in (op.k, op.v, op.mask) if v is not None and not isinstance(v, Constant)]


def _row_wise(op: Op, queries: bool) -> bool:
    """Every operand has the result's rows, constants of one row apart."""
    if isinstance(op, Attention):
        return queries and _by_query(op) and all(op.q is not v for v in _whole(op))
    if isinstance(op, Embed):
        return op.result.type.rank >= 2 and rows_of(op.result) == op.result.shape[-2]
    if not isinstance(op, ROW_WISE) or op.result.type.rank < 2:
        return False
    rows = op.result.shape[:-1]
    same = all(v.shape[:-1] == rows or (isinstance(v, Constant) and rows_of(v) == prod(rows)) for v in _tiled(op))
    constants = [v for v in op.operands if isinstance(v, Constant) and not _has_rows(op, v)]
    return same and all(rows_of(v) <= 1 or isinstance(op, Matmul) for v in constants)


def _chains(function: Function, queries: bool) -> list[list[Op]]:
    """Largest groups of row-wise ops with one exit, each in execution order.

    Backwards, an op joins the group that all its readers are in; otherwise it is the exit of a new one.
    """
    group_of: dict[int, int] = {}
    groups: list[list[Op]] = []
    for op in reversed(function.ops):
        if not _row_wise(op, queries):
            continue
        y = op.result
        readers = {None if any(v is y for v in _whole(u)) else group_of.get(id(u)) for u in y.users}
        only = readers.pop() if len(readers) == 1 and not function.is_output(y) else None
        if only is None:
            only = len(groups)
            groups.append([])
        group_of[id(op)] = only
        groups[only].append(op)
    parts = [part for group in groups for part in _cut(group[::-1])]
    return [part for part in parts if len(part) > 1]


def _cut(chain: list[Op]) -> list[list[Op]]:
    """The chain in two after its attention, where one value no wider than the exit is all that the rest reads of it.

    K and V live as long as the loop that reads them: the feed-forward block is better off in a loop of its own, and
    the value between the two may lie where the first loop's input was.
    """
    last = max((i for i, op in enumerate(chain) if isinstance(op, Attention)), default=len(chain))
    for i in range(last + 1, len(chain) - 1):
        y = chain[i].result
        made = {id(op.result) for op in chain[:i]}
        crossing = any(id(v) in made for op in chain[i + 1 :] for v in op.operands)
        if not crossing and y.type.nbytes <= chain[-1].result.type.nbytes:
            return [chain[: i + 1], chain[i + 1 :]]
    return [chain]


def _pays(chain: list[Op]) -> bool:
    """Whether something inside is wider than what comes out, or is Q, of which no more than a tile is then there."""
    exit_bytes = chain[-1].result.type.nbytes
    return any(op.result.type.nbytes > exit_bytes or isinstance(op, Attention) for op in chain[:-1])


def _outline(module: Module, function: Function, chain: list[Op], rows: int) -> None:
    """Moves the chain into a function of its own and calls it where the chain's last op stood."""
    chain = [_numbered(function, op) for op in chain]
    name = f"tile_{sum(f.startswith('tile_') for f in module.functions)}"
    body, mapped = Function(name), dict[int, Value]()
    inside = {id(op.result) for op in chain}
    tiled = _outside(inside, [v for op in chain for v in _tiled(op)])
    whole = _outside(inside, [v for op in chain for v in _whole(op)])
    for v in tiled:
        mapped[id(v)] = Value(_tile_type(v, rows), f"x{len(mapped)}")
    body.inputs = list(mapped.values())
    # A value that comes in tiles and whole (keys that are a projection's input as well) is two inputs.
    entire: dict[int, Value] = {}
    for v in whole:
        entire[id(v)] = Value(_tile_type(v, rows_of(v)) if v.type.rank == 3 else v.type, f"w{len(entire)}")
    body.inputs += entire.values()
    for op in chain:
        sources = {**mapped, **(entire if isinstance(op, Attention) else {})}
        sources.update({id(v): mapped[id(v)] for v in _tiled(op)})
        operands = [None if v is None else sources.get(id(v), v) for v in op.operands]
        new = type(op).from_parts(operands, op.attrs, [_tile_type(op.result, rows)], op.loc)
        new.result.name = op.result.name
        mapped[id(op.result)] = new.result
        body.ops.append(new)
    last = chain[-1]
    body.outputs = {"y": mapped[id(last.result)]}
    module.functions[name] = body
    loc = " .. ".join(dict.fromkeys(filter(None, [chain[0].loc, last.loc])))
    attrs = {"body": name, "rows": rows, "whole": len(whole)}
    call = RowTiles.from_parts([*tiled, *whole], attrs, [last.result.type], loc)
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
