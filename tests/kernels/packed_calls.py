"""Calls of the kernels on packed weights, for ``calls.py``: a second reading of ``ember_packed.h``."""

from __future__ import annotations

import ctypes
from typing import Any

from emberc.ir.ops import integer_embed, integer_matmul
from emberc.ir.packed import Packed
from tests.kernels.library import aligned, call
from tests.kernels.structs import fill


def packed_struct(form: Packed) -> Any:
    return fill(
        "ember_packed",
        codes=form.codes,
        codebook=form.codebook,
        gains=form.gains,
        bits=form.bits,
        row_bytes=form.bits * -(-form.columns // 8),
        group=form.group,
        groups=-(-form.columns // form.group),
    )


def packed_matmul(op: integer_matmul.Matmul, a: list[Any], y: Any) -> None:
    x, w, bias, m, table = a
    n, k = w.shape
    assert op.w.packed is not None
    weights = packed_struct(op.w.packed)
    lo, hi = op.limits()
    p = fill(
        "ember_packed_matmul_params",
        w=(type(weights) * 1)(weights),
        bias=bias,
        m=m,
        table=table,
        rows=x.size // k,
        k=k,
        n=n,
        k_slice=op.k_slice(),
        shift=op.shift,
        zero_point=op.zero_point,
        lo=lo,
        hi=hi,
    )
    call(op.kernel(), x, y, aligned(op.scratch_bytes()), p)


def packed_embed(op: integer_embed.Embed, a: list[Any], y: Any) -> int:
    """The kernel's status."""
    bias, rest = a[0], iter(a[1:])
    parts, ids, kept = [], [], []
    for t in op.tables():
        table, m = next(rest), next(rest)
        form = None if t.table.packed is None else packed_struct(t.table.packed)
        kept.append(form)
        parts.append(
            fill(
                "ember_packed_embed_part",
                table=table if form is None else None,
                packed=None if form is None else ctypes.addressof(form),
                m=m,
                m_step=int(m.size > 1),
                vocabulary=table.shape[0],
            )
        )
        ids.append(next(rest).ctypes.data if t.ids is not None else None)
    p = fill(
        "ember_packed_embed_params",
        parts=(type(parts[0]) * len(parts))(*parts),
        bias=bias,
        count=len(parts),
        rows=y.size // bias.size,
        d=bias.size,
        frac=op.frac,
    )
    return call(op.kernel(), (ctypes.c_void_p * len(ids))(*ids), y, p)
