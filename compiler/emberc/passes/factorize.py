"""factorize: weights that a fit plan gives a low rank become two matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emberc.errors import UsageError
from emberc.ir.builder import Builder
from emberc.ir.graph import Function, Module
from emberc.ir.op import Op
from emberc.ir.ops.float_binary import Add
from emberc.ir.ops.float_fused import Embed, Linear
from emberc.ir.types import Array
from emberc.ir.values import Value
from emberc.passes.manager import Pass
from emberc.passes.squeezable import squeezable
from emberc.quant.forms import Form, factors


@dataclass(frozen=True)
class Factorize(Pass):
    """linear(x, W, b)           -->  linear(linear(x, V), U, b)                     W ~ U V, of the rank in the plan
    embed(i, j..; T, S..)     -->  linear(embed(i; U), V^T) + embed(j..; S..)     T ~ U V

    Only weights that ``Module.forms`` gives a rank, and those of ``ranks``, "weight=8;other=4".
    Source: Lan et al., 2020 (ALBERT), section 3.1, after training.
    """

    name: ClassVar[str] = "factorize"
    ranks: str = ""

    def run(self, module: Module) -> bool:
        changed, left = False, dict[str, Form]()
        module.forms = {**module.forms, **_ranks(self.ranks, module)}
        for function in module.functions.values():
            weights = squeezable(function)  # held on to, so that no new constant takes the id of an old one
            forms = {id(w.value): module.forms[w.name] for w in weights if w.name in module.forms}
            ranks = {k: f.rank for k, f in forms.items() if f.rank}
            for op in list(function.ops):
                b = Builder(fold=True)
                b.loc = op.loc
                new = _split(op, ranks, b)
                if new is not None:
                    _replace(function, op, b, new)
                    changed = True
            # Of two weights with one name the first may be gone: the other ones are known by themselves, not by name.
            left |= {w.name: forms[id(w.value)] for w in squeezable(function) if id(w.value) in forms}
        module.forms = left
        return changed


def _ranks(text: str, module: Module) -> dict[str, Form]:
    """``"weight=8;other=4"`` by weight. Raises UsageError for anything else, and for a weight that is not there."""
    weights = {w.name: w for f in module.functions.values() for w in squeezable(f)}
    forms: dict[str, Form] = {}
    for part in filter(None, text.split(";")):
        name, _, rank = part.rpartition("=")
        if name not in weights:
            raise UsageError(f"rank '{part}': no weight '{name}'", hints=[f"weights are: {', '.join(weights)}"])
        form = Form(rank=int(rank)) if rank.isdigit() else Form()
        if not form.rank or not form.fits(*weights[name].value.shape):
            raise UsageError(f"rank '{part}' is none that '{name}' {list(weights[name].value.shape)} can have")
        forms[name] = form
    return forms


def _split(op: Op, ranks: dict[int, int], b: Builder) -> Value | None:
    if isinstance(op, Linear) and id(op.weight) in ranks:
        u, v = (b.const(m, f"{op.weight.name or 'weight'}.{part}") for m, part in _parts(op.weight, ranks))
        return b.emit(Linear, b.emit(Linear, op.x, v), u, op.bias)
    if isinstance(op, Embed):
        pairs = list(zip(op.parts[: op.count], op.parts[op.count :], strict=True))
        chosen = [p for p in pairs if id(p[1]) in ranks and p[0].const is None]
        if chosen:
            return _split_embed(chosen, [p for p in pairs if p not in chosen], ranks, b)
    return None


def _split_embed(
    chosen: list[tuple[Value, Value]], rest: list[tuple[Value, Value]], ranks: dict[int, int], b: Builder
) -> Value:
    total: Value | None = None
    for ids, table in chosen:
        (left, _), (right, _) = _parts(table, ranks)
        name = table.name or "table"
        rows = b.emit(Embed, [ids, b.const(left, f"{name}.u")])
        term = b.emit(Linear, rows, b.const(right.T.copy(), f"{name}.v"))
        total = term if total is None else b.emit(Add, total, term)
    assert total is not None
    if rest:
        total = b.emit(Add, total, b.emit(Embed, [*(i for i, _ in rest), *(t for _, t in rest)]))
    return total


def _parts(weight: Value, ranks: dict[int, int]) -> list[tuple[Array, str]]:
    assert weight.const is not None
    u, v = factors(weight.const, ranks[id(weight)])
    return [(u, "u"), (v, "v")]


def _replace(function: Function, op: Op, b: Builder, new: Value) -> None:
    new.name = op.result.name
    function.replace(op.result, new)
    at = function.ops.index(op)
    function.ops[at : at + 1] = b.ops
    op.drop_operands()
