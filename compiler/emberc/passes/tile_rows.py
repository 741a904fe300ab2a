"""tile-rows: chains of row-wise ops run a few rows at a time, so that what is wide in them is never whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emberc.ir.graph import Function, Module
from emberc.ir.op import Op
from emberc.ir.ops.integer_base import rows_of
from emberc.ir.ops.integer_elementwise import Add, Mul, Requantize
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.ops.integer_norm import LayerNorm
from emberc.ir.ops.integer_table import Table, Table16
from emberc.ir.ops.row_tiles import RowTiles
from emberc.ir.types import TensorType
from emberc.ir.values import Constant, Value
from emberc.passes.manager import Pass

#: ops whose rows (all axes but the last) do not mix
ROW_WISE = (Matmul, LayerNorm, Add, Mul, Requantize, Table, Table16)
#: fewer rows a tile than this and the kernels read the weights too often
FEWEST_ROWS = 4


@dataclass(frozen=True)
class TileRows(Pass):
    """norm(add(matmul(gelu(matmul(x))), x))  -->  row_tiles(x) { the same on ``rows`` rows }

    A feed-forward block is four times as wide inside as outside: done in tiles, that width exists for one tile only.
    The same ops in the same order for every row, so the same bits. ``rows`` is the largest tile; the largest divisor
    of the row count up to it is taken. 0: never.
    """

    name: ClassVar[str] = "tile-rows"
    rows: int = 32

    def run(self, module: Module) -> bool:
        changed = False
        for function in list(module.functions.values()):
            for chain in _chains(function):
                rows = _tile(rows_of(chain[-1].result), self.rows)
                if rows and _pays(chain):
                    _outline(module, function, chain, rows)
                    changed = True
        return changed


def _tile(total: int, most: int) -> int:
    """The largest divisor of ``total`` up to ``most``; 0 when there is none worth while, or nothing to divide."""
    best = max((d for d in range(1, most + 1) if total % d == 0), default=0)
    return best if FEWEST_ROWS <= best < total else 0


def _data(op: Op) -> list[Value]:
    return [v for v in op.operands if v is not None and not isinstance(v, Constant)]


def _row_wise(op: Op) -> bool:
    """Every operand has the result's rows; a constant is the same for all of them."""
    if not isinstance(op, ROW_WISE) or op.result.type.rank < 2:
        return False
    rows = op.result.shape[:-1]
    same = all(v.shape[:-1] == rows for v in _data(op))
    return same and all(rows_of(v) <= 1 or isinstance(op, Matmul) for v in op.operands if isinstance(v, Constant))


def _chains(function: Function) -> list[list[Op]]:
    """Largest groups of row-wise ops with one exit, each in execution order.

    Backwards, an op joins the group that all its readers are in; otherwise it is the exit of a new one.
    """
    group_of: dict[int, int] = {}
    groups: list[list[Op]] = []
    for op in reversed(function.ops):
        if not _row_wise(op):
            continue
        readers = {group_of.get(id(u)) for u in op.result.users}
        only = readers.pop() if len(readers) == 1 and not function.is_output(op.result) else None
        if only is None:
            only = len(groups)
            groups.append([])
        group_of[id(op)] = only
        groups[only].append(op)
    return [group[::-1] for group in groups if len(group) > 1]


def _pays(chain: list[Op]) -> bool:
    """Whether something inside is wider than what comes out."""
    exit_bytes = chain[-1].result.type.nbytes
    return any(op.result.type.nbytes > exit_bytes for op in chain[:-1])


def _outline(module: Module, function: Function, chain: list[Op], rows: int) -> None:
    """Moves the chain into a function of its own and calls it where the chain's last op stood."""
    name = f"tile_{sum(f.startswith('tile_') for f in module.functions)}"
    body, mapped, outside = Function(name), dict[int, Value](), list[Value]()
    inside = {id(op.result) for op in chain}
    for op in chain:
        for v in _data(op):
            if id(v) not in inside and id(v) not in mapped:
                mapped[id(v)] = Value(_tile_type(v, rows), f"x{len(outside)}")
                outside.append(v)
    body.inputs = [mapped[id(v)] for v in outside]
    for op in chain:
        operands = [None if v is None else mapped.get(id(v), v) for v in op.operands]
        new = type(op).from_parts(operands, op.attrs, [_tile_type(op.result, rows)], op.loc)
        new.result.name = op.result.name
        mapped[id(op.result)] = new.result
        body.ops.append(new)
    last = chain[-1]
    body.outputs = {"y": mapped[id(last.result)]}
    module.functions[name] = body
    loc = " .. ".join(dict.fromkeys(filter(None, [chain[0].loc, last.loc])))
    call = RowTiles.from_parts(outside, {"body": name, "rows": rows}, [last.result.type], loc)
    call.callee = body
    call.result.name = last.result.name
    function.replace(last.result, call.result)
    function.ops[function.ops.index(last)] = call
    for op in chain:
        op.drop_operands()
    gone = {id(op) for op in chain}
    function.ops = [op for op in function.ops if id(op) not in gone]


def _tile_type(v: Value, rows: int) -> TensorType:
    """[rows, columns]; a quantization per column stays one."""
    t = v.type.with_shape((rows, v.shape[-1]))
    if t.quant is not None and t.quant.axis is not None:
        return t.with_quant(type(t.quant)(t.quant.scale, t.quant.zero_point, 1))
    return t
