"""fold-transpose: a product reads its right operand turned, instead of a turned copy of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from emberc.ir.builder import Builder
from emberc.ir.op import Op
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, op
from emberc.passes.manager import RewritePass


@dataclass(frozen=True)
class FoldTranspose(RewritePass):
    """batch_matmul(a, transpose(b, the last two axes))  -->  batch_matmul(a, b) {transpose_b}

    The scores of an attention that stayed apart (its mask is none that the fused one takes): keys are read where they
    lie, in a cache in the caller's context too. Every kernel takes b either way.
    """

    name: ClassVar[str] = "fold-transpose"

    def rules(self) -> Sequence[Rule]:
        turned = op("q.transpose", any_value("b"), name="turn", where=_of_matrices)
        return [(op("q.batch_matmul", any_value("a"), turned, name="product"), _fold)]


def _of_matrices(o: Op) -> bool:
    n = o.results[0].type.rank
    return n >= 2 and o.attrs["perm"] == [*range(n - 2), n - 1, n - 2]


def _fold(m: Match, b: Builder) -> Replacement:
    product = m.root
    if not m.private(m.ops["turn"].result):
        return None
    attrs = {**product.attrs, "transpose_b": not product.attrs["transpose_b"]}
    return b.emit(type(product), m["a"], m["b"], types=[product.result.type], **attrs)
