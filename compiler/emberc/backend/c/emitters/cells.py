"""q.lstm and q.gru."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emberc.backend.c.context import EmitContext, Fields
from emberc.backend.c.emitters.suffix import typed
from emberc.backend.c.kernels import Kernel, portable_kernel
from emberc.backend.c.registry import EMITTERS, Call, emitter
from emberc.ir.ops.integer_cells import Cell, Gru, Lstm

CellEmit = Callable[[Any, EmitContext], Call]


def work_bytes(product: Kernel, op: Cell) -> int:
    """Scratch that the kernel of the products takes, before the cell's own."""
    return -(-max(product.scratch_bytes(op.product(part)) for part in op.parts()) // 4) * 4


def cell_emitter(kernel_of: Callable[[Cell], Kernel]) -> CellEmit:
    """The emitter of a cell whose products ``kernel_of`` runs."""

    def emit(op: Cell, ctx: EmitContext) -> Call:
        kernel = kernel_of(op)
        products: dict[str, str] = {}
        for part in op.parts():
            product = op.product(part)
            call = (kernel.emit or EMITTERS["q.matmul"].emit)(product, ctx.inside(product, kernel))
            assert isinstance(call, Call)
            products[part] = call.arguments[-1]
        steps, batch, width, size = op.sizes()
        tables = {n: ctx.pointer(op._operand(n), "tables") for n in op.tables()}
        fields: Fields = {
            "w": products["w"],
            "r": products["r"],
            "rn": products.get("rn"),
            **{name: tables.get(name) for name in ("gate", "candidate", "output")},
            "steps": steps,
            "batch": batch,
            "width": width,
            "size": size,
            "reverse": op.reverse,
            "late": isinstance(op, Gru) and op.late,
            "bits": op.bits,
            "h_m": op.h_m,
            "h_shift": op.h_shift,
            "y_m": op.y_m,
            "y_shift": op.y_shift,
            "zero_point": op.zero_point,
            "work": work_bytes(kernel, op),
        }
        p = ctx.params("ember_cell_params", fields)
        states = [op.h0, op.c0] if isinstance(op, Lstm) else [op.s0] if isinstance(op, Gru) else []
        return ctx.call(*map(ctx.pointer, [op.x, *states, *op.results]), ctx.scratch, p)

    return emit


def _portable_product(op: Cell) -> Kernel:
    return portable_kernel(typed("ember_matmul", "x")(op.product("w")))


emitter("q.lstm", kernel=typed("ember_lstm", "x"))(cell_emitter(_portable_product))
emitter("q.gru", kernel=typed("ember_gru", "x"))(cell_emitter(_portable_product))
