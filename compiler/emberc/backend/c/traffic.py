"""How often kernels touch each buffer in one run: what decides where it lies when there are several memories.

Modelled from the loops of the kernels, in accesses of up to 32 bits. A product of M rows by N columns of K terms reads
its operands in blocks, so its figures are accesses a MAC: ``runtime_c/kernels/<family>`` says at the top of each kernel
how large its blocks are. All other work reads each operand once and writes each result once, in words where the family
has kernels for that. On a BERT the reads of arenas and of constants are within a third of what the emulator counts, for
every family; ``tests/e2e/test_regions.py`` holds their waits to a quarter. For one buffer against another that will do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from emberc.backend.c.kernels import PORTABLE
from emberc.backend.c.program import Kernels
from emberc.backend.planning import FunctionPlan
from emberc.ir.graph import root
from emberc.ir.op import Op
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.integer_base import rows_of
from emberc.ir.ops.integer_matmul import BatchMatmul, Matmul
from emberc.ir.ops.row_tiles import RowTiles
from emberc.ir.values import Constant, Value
from emberc.memory import Access


class Product(NamedTuple):
    """Accesses of a product: a MAC to the rows and to scratch; an element to the other operand (weights, K and V) for
    every ``block`` of rows. ``lanes``: bytes in one access where an operand is read once."""

    rows: float
    others: float
    block: int
    scratch: float
    lanes: int


PRODUCTS = {
    # blocks of 2 x 2, byte by byte
    PORTABLE: Product(0.5, 1.0, 2, 0.0, 1),
    # ember_dual.h: words of 2 x 2 weights for 3 rows, which come from a panel of int16 pairs in scratch
    "armv7em": Product(0.0, 1 / 4, 3, 1 / 4, 4),
    # ember_mve_2x4.h: 16 terms of 2 rows by 4 columns are 2 + 4 vectors of 4 words
    "mve": Product(1 / 16, 1 / 4, 2, 0.0, 4),
    # ember_rv32_sums_4x4.c: for each term 2 words of 4 rows, from a panel in scratch, and 4 of weights
    "rv32": Product(0.0, 1.0, 4, 1 / 8, 1),
}
ATTENTION = {
    # half of the MACs are scores, four keys for one load of q; half are sums, four columns of V for one of a weight
    PORTABLE: Product(1 / 8, 1.0, 1, 1 / 8, 1),
    # ember_pair.h: blocks of 2 x 2 of int16 pairs, both sides packed in scratch
    "armv7em": Product(0.0, 0.0, 2, 1 / 2, 4),
    "mve": Product(1 / 16, 0.0, 2, 1 / 8, 4),
    "rv32": Product(1 / 8, 1.0, 1, 1 / 8, 1),
}


@dataclass
class Traffic:
    """Accesses of one run: by ``id`` of a value (views are their roots), by ``id`` of the op whose scratch it is, and
    reads of its weights by ``id`` of an op."""

    values: dict[int, Access] = field(default_factory=dict)
    scratch: dict[int, Access] = field(default_factory=dict)
    weights: dict[int, int] = field(default_factory=dict)
    lookups: dict[int, int] = field(default_factory=dict)

    def touch(self, value: Value, reads: float = 0, writes: float = 0) -> None:
        """Adds accesses to a value; constants are counted by op."""
        if not isinstance(root(value), Constant):
            key = id(root(value))
            self.values[key] = self.values.get(key, Access()) + Access(round(reads), round(writes))


def traffic_of(plan: FunctionPlan, kernels: Kernels) -> Traffic:
    """The accesses of one run of ``plan``; those inside loops count for every tile."""
    found = Traffic()
    for op in plan.ops:
        if op.is_view:
            continue
        body = plan.body(op)
        if body is not None and isinstance(op, RowTiles):
            _loop(op, body, kernels, found)
        else:
            _call(op, kernels, found)
    return found


def _loop(op: RowTiles, body: FunctionPlan, kernels: Kernels, found: Traffic) -> None:
    """The body's own buffers are the op's scratch; its inputs and its output are rows of the op's."""
    inner, times = traffic_of(body, kernels), op.total() // op.rows
    outside = {id(v): x for x, v, _ in op.ports()} | {id(root(op.exit)): op.y}
    own = Access()
    for key, access in inner.values.items():
        if key in outside:
            found.touch(outside[key], access.reads * times, access.writes * times)
        else:
            own += access
    for access in inner.scratch.values():
        own += access
    found.scratch[id(op)] = Access(own.reads * times, own.writes * times)
    for mine, theirs in ((found.weights, inner.weights), (found.lookups, inner.lookups)):
        mine.update({key: reads * times for key, reads in theirs.items()})


def _call(op: Op, kernels: Kernels, found: Traffic) -> None:
    kernel = kernels.of(op)
    family = next((p for p in reversed(kernel.function.split("_")) if p in PRODUCTS), PORTABLE)
    product = (ATTENTION if isinstance(op, Attention) else PRODUCTS)[family]
    once = Once(product.lanes)
    for result in op.results:
        found.touch(result, writes=once.of(result))
    macs, scratch = op.cost().macs, kernel.scratch_bytes(op) / 4
    rows, others = _sides(op)
    for v in op.operands:
        if v is None:
            continue
        passes = _passes(op, product)
        factor = sum(product.rows for r in rows if r is v) + sum(passes / len(others) for o in others if o is v)
        found.touch(v, reads=max(factor * macs, once.of(v)))
    found.weights[id(op)] = round(_weight_reads(op, product, once))
    found.lookups[id(op)] = op.cost().elements
    inside = product.scratch * macs if rows or others else 0.0
    if scratch:
        found.scratch[id(op)] = Access(round(max(inside, scratch)), round(max(_packed(op, product), scratch)))


class Once(NamedTuple):
    """Accesses that pass once over a value, ``lanes`` bytes at a time at most."""

    lanes: int

    def of(self, value: Value) -> float:
        """In words where the family packs them, else element by element."""
        return value.type.elements * min(1.0, max(value.type.dtype.size, 1) / self.lanes)


def _sides(op: Op) -> tuple[list[Value], list[Value]]:
    """The operands of a product: the one that gives rows, and the others that are read for every block of rows."""
    if isinstance(op, Matmul):
        return [op.x], [op.w]
    if isinstance(op, BatchMatmul):
        return [op.a], [op.b]
    if isinstance(op, Attention):
        return [op.q], [op.k, op.v]
    return [], []


def _passes(op: Op, product: Product) -> float:
    """Accesses a MAC to the operand that is read again for every block of rows."""
    rows, _ = _sides(op)
    count = max(1, rows_of(rows[0])) if rows else 1
    return product.others * -(-count // product.block) / count


def _packed(op: Op, product: Product) -> float:
    """Words written to scratch by products that pack an operand there: two int16 each."""
    if not product.scratch:
        return 0.0
    if isinstance(op, Matmul):
        return op.x.type.elements / 2
    return sum(v.type.elements for v in _sides(op)[1]) / 2


def _weight_reads(op: Op, product: Product, once: Once) -> float:
    """Reads of constant operands that are no tables: of a product's weights for every block of rows; of others as many
    as results are made, or all of them once."""
    made = sum(r.type.elements for r in op.results)
    constant = [v for v in _operands(op) if isinstance(root(v), Constant)]
    _, others = _sides(op)
    if others:
        shared = sum(any(v is c for c in constant) for v in others)
        return op.cost().macs * _passes(op, product) * shared / len(others)
    if op.cost().macs and constant:
        return op.cost().macs / once.lanes
    return sum(min(once.of(v), made) for v in constant)


def _operands(op: Op) -> Iterator[Value]:
    return (v for v in op.operands if v is not None)
