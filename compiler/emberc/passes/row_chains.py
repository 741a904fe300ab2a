"""Which ops run together a few rows at a time: chains of row-wise ops with one exit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from emberc.ir.graph import Function
from emberc.ir.op import Op
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.integer_base import rows_of
from emberc.ir.ops.integer_elementwise import Add, Mul, Requantize
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.ops.integer_movement import Concat
from emberc.ir.ops.integer_norm import LayerNorm
from emberc.ir.ops.integer_table import Table, Table16
from emberc.ir.values import Constant, Value

#: ops without products: a row of theirs costs little to compute again
CHEAP = (Embed, LayerNorm, Add, Mul, Requantize, Table, Table16)
#: ops whose rows (all axes but the last) do not mix
ROW_WISE = (Matmul, LayerNorm, Add, Mul, Requantize, Table, Table16, Concat)


@dataclass(frozen=True)
class Chain:
    """Ops in execution order, the last one's result being all that others read; ``again``: what begins it is a second
    copy of ops that another chain has as well."""

    ops: list[Op]
    again: bool = False


def by_query(op: Attention) -> bool:
    """Whether a query row needs nothing but its row of q: one batch, and no mask that is different for every row."""
    mask = op.mask
    one_mask = mask is None or (mask.shape[0] == 1 and mask.shape[2] == 1)
    return type(op) is Attention and one_mask and not op.causal and prod(op.q.shape[:-2]) == 1


def tiled(op: Op) -> list[Value]:
    """The operands that are cut into tiles; ids of a table may be constants."""
    if isinstance(op, Attention):
        return [op.q]
    if isinstance(op, Embed):
        return [p.ids for p in op.tables() if p.ids is not None]
    return [v for v in op.operands if v is not None and (not isinstance(v, Constant) or _has_rows(op, v))]


def _has_rows(op: Op, v: Value) -> bool:
    """A constant that is different for every row (positions that are added): it is cut like any other operand."""
    return isinstance(op, Add | Mul) and rows_of(v) > 1


def whole(op: Op) -> list[Value]:
    """The operands that every tile reads whole, constants apart."""
    if not isinstance(op, Attention):
        return []
    return [v for v in (op.k, op.v, op.mask) if v is not None and not isinstance(v, Constant)]


def _row_wise(op: Op, queries: bool) -> bool:
    """Every operand has the result's rows, constants of one row apart."""
    if isinstance(op, Attention):
        return queries and by_query(op) and all(op.q is not v for v in whole(op))
    if isinstance(op, Embed):
        return op.result.type.rank >= 2 and rows_of(op.result) == op.result.shape[-2]
    if not isinstance(op, ROW_WISE) or op.result.type.rank < 2:
        return False
    rows = op.result.shape[:-1]
    same = all(v.shape[:-1] == rows or (isinstance(v, Constant) and rows_of(v) == prod(rows)) for v in tiled(op))
    constants = [v for v in op.operands if isinstance(v, Constant) and not _has_rows(op, v)]
    if isinstance(op, Concat):
        return same and not constants and op.axis == op.y.type.rank - 1
    return same and all(rows_of(v) <= 1 or isinstance(op, Matmul) for v in constants)


def row_chains(function: Function, queries: bool, recompute: Callable[[Op], bool]) -> list[Chain]:
    """Largest groups of row-wise ops with one exit.

    Backwards, an op joins the group that all its readers are in; otherwise it is the exit of a new one. A group has
    one attention, as the K and V of each are there whole. What cheap ops make of less than it takes itself, and
    ``recompute`` wants, is no exit: every group that reads it makes it again.
    """
    groups_of: dict[int, set[int]] = {}
    groups: list[list[Op]] = []
    for op in reversed(function.ops):
        if not _row_wise(op, queries):
            continue
        joined = _readers(function, op, groups_of)
        full = isinstance(op, Attention) and any(isinstance(u, Attention) for g in joined for u in groups[g])
        if full or not (len(joined) == 1 or (joined and recompute(op) and _cheaper_again(op))):
            joined = {len(groups)}
            groups.append([])
        groups_of[id(op)] = joined
        for g in joined:
            groups[g].append(op)
    # The last group first: the earliest keeps the originals, and copies must be made before those read its own copies.
    again = [_own_copies(function, g, groups[g], groups_of) for g in reversed(range(len(groups)))][::-1]
    return [
        Chain(part, copied)
        for group, copied in zip(groups, again, strict=True)
        for part in _cut(group[::-1])
        if len(part) > 1
    ]


def _readers(function: Function, op: Op, groups_of: dict[int, set[int]]) -> set[int]:
    """The groups that read the rows of ``op``; none if something else reads it, or wants it whole."""
    y, found = op.result, set[int]()
    for u in y.users:
        groups = groups_of.get(id(u))
        if groups is None or any(v is y for v in whole(u)):
            return set()
        found |= groups
    return set() if function.is_output(y) else found


def _cheaper_again(op: Op) -> bool:
    """Whether cheap ops make the result of what takes less memory; inputs are the caller's and take none."""
    sources, seen, waiting = 0, set[int](), [op.result]
    for value in waiting:
        if isinstance(value, Constant) or value.producer is None or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value.producer, CHEAP):
            waiting += [v for v in value.producer.operands if v is not None]
        else:
            sources += value.type.nbytes
    return sources < op.result.type.nbytes


def _own_copies(function: Function, g: int, group: list[Op], groups_of: dict[int, set[int]]) -> bool:
    """Copies those ops of a group, readers first, that an earlier one has as well. Whether it shares any."""
    shared = [op for op in group if len(groups_of[id(op)]) > 1]
    for op in shared:
        if g == min(groups_of[id(op)]):
            continue
        copy = type(op).from_parts(op.operands, dict(op.attrs), [op.result.type], op.loc)
        copy.result.name = op.result.name
        for reader in group:
            for i, v in enumerate(reader.operands):
                if v is op.result:
                    reader.set_operand(i, copy.result)
        group[group.index(op)] = copy
        function.ops.insert(function.ops.index(op) + 1, copy)
    return bool(shared)


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
