"""Columns of a product with weights, as a product of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emberc.ir.graph import Function
from emberc.ir.op import Op
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.packed import Packed
from emberc.ir.types import Quant, TensorType
from emberc.ir.values import Constant, Value


def is_private(function: Function, product: Matmul, reader: Op) -> bool:
    """Whether ``reader`` alone reads the product, and its weights are known: then it can be cut by column."""
    known = all(isinstance(v, Constant) for v in (product.w, product.bias, product.m))
    return known and all(u is reader for u in product.y.users) and not function.is_output(product.y)


def columns(product: Matmul, picks: Sequence[int]) -> Matmul:
    """The product with the columns ``picks`` alone, in that order. A column knows nothing of the others: same bits.

    Packed weights stay packed: a column of the product is a row of codes.
    """
    cut: list[Value | None] = list(product.operands)
    for i, v in enumerate((product.w, product.bias, product.m), 1):
        assert isinstance(v, Constant)
        cut[i] = _picked(v, picks)
    t = product.y.type
    kind = TensorType(t.dtype, (*t.shape[:-1], len(picks)), _quant_of(t.quant, picks))
    new = Matmul.from_parts(cut, product.attrs, [kind], product.loc)
    assert isinstance(new, Matmul)
    return new


def _quant_of(quant: Quant | None, picks: Sequence[int]) -> Quant | None:
    if quant is None or quant.axis is None:
        return quant
    return Quant(tuple(quant.scale[i] for i in picks), quant.zero_point, quant.axis)


def _picked(v: Constant, picks: Sequence[int]) -> Constant:
    rows = np.array(picks, np.intp)
    name = v.name and f"{v.name}.{picks[0]}"
    p = v.packed
    if p is None:
        return Constant(v.data[rows], name)
    return Constant.unpack(Packed(p.bits, p.columns, p.group, p.codes[rows], p.codebook, p.gains[rows]), name)
