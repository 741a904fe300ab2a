"""Calls of the portable kernels of recurrent cells."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from emberc.ir.ops.integer_cells import Cell
from tests.kernels.library import aligned, call
from tests.kernels.structs import fill

Arrays = list[Any]


def _product(op: Cell, part: str) -> Any:
    product = op.product(part)
    lo, hi = product.limits()
    n, k = product.w.shape
    return fill(
        "ember_matmul_params", w=product.constant("w"), bias=product.constant("bias"), m=product.constant("m"),
        table=None, rows=1, k=k, n=n, k_slice=product.k_slice(), shift=product.shift, zero_point=0, lo=lo, hi=hi,
    )  # fmt: skip


def _cell(op: Cell, *tensors: Any, output: Any = None, late: bool = False) -> None:
    kept = {part: _product(op, part) for part in op.parts()}
    pointers = {part: ctypes.addressof(kept[part]) if part in kept else None for part in ("w", "r", "rn")}
    steps, batch, width, size = op.sizes()
    p = fill(
        "ember_cell_params", **pointers, gate=op.constant("gate"), candidate=op.constant("candidate"), output=output,
        steps=steps, batch=batch, width=width, size=size, reverse=int(op.reverse), late=int(late), work=0,
        **{n: getattr(op, n) for n in ("bits", "h_m", "h_shift", "y_m", "y_shift", "zero_point")},
    )  # fmt: skip
    call(op.kernel(), *tensors, aligned(op.scratch_bytes()), p)


def _lstm(op: Any, a: Arrays, y: Any, last: Any, hidden: Any) -> None:
    *_, output, h0, c0 = a
    _cell(op, a[0], h0, c0, y, last, hidden, output=output)


def _gru(op: Any, a: Arrays, y: Any, last: Any) -> None:
    _cell(op, a[0], a[-1], y, last, late=op.late)


CELL_CALLS: dict[str, Callable[..., None]] = {"q.lstm": _lstm, "q.gru": _gru}
