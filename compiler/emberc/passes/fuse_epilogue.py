"""fuse-epilogue: a table that follows a product is read in the product's own epilogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from emberc.ir.builder import Builder
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, constant, op
from emberc.passes.manager import RewritePass


@dataclass(frozen=True)
class FuseEpilogue(RewritePass):
    """table(matmul(x, w, b, m), t)  -->  matmul(x, w, b, m, t)      convolution likewise

    The same bits: the product is clipped to int8 either way. The tensor between them is never stored.
    """

    name: ClassVar[str] = "fuse-epilogue"

    def rules(self) -> Sequence[Rule]:
        weights = any_value("x"), constant("w"), constant("b"), constant("m")
        return [
            (op("q.table", op(code, *weights, name="product"), constant("table"), name="table"), _fuse)
            for code in ("q.matmul", "q.conv")
        ]


def _fuse(m: Match, b: Builder) -> Replacement:
    product, y = m.ops["product"], m.root.result
    if not m.private(product.result):
        return None
    b.loc = " + ".join(dict.fromkeys(filter(None, [product.loc, m.root.loc])))
    attrs = {**product.attrs, "dtype": y.type.dtype.value}
    return b.emit(type(product), m["x"], m["w"], m["b"], m["m"], m["table"], types=[y.type], **attrs)
