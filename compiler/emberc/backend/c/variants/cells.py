"""q.lstm and q.gru by the one-row q.matmul kernels of every instruction set that has some."""

from __future__ import annotations

from emberc.backend.c.emitters.cells import cell_emitter, work_bytes
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.variants import armv7em_matmul, mve_matmul, rv32_matmul
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.op import Op
from emberc.ir.ops.integer_cells import Cell


def _one_row(feature: str) -> Variant:
    """The last resort of the feature's q.matmul on int8: the kernel that takes one row."""
    variant = VARIANTS[feature, "ember_matmul_s8_s16"]
    while variant.otherwise is not None:
        variant = variant.otherwise
    return variant


def _variant(feature: str, cell: str, types: str) -> Variant:
    products = _one_row(feature)
    kernel = products.kernel
    function = f"ember_{cell}_{types}_{feature}"

    def accepts(op: Op) -> bool:
        assert isinstance(op, Cell)
        return all(products.accepts(op.product(part)) for part in op.parts())

    def scratch_bytes(op: Op) -> int:
        assert isinstance(op, Cell)
        return work_bytes(kernel, op) + op.own_bytes()

    emit = cell_emitter(lambda op: kernel)
    return Variant(Kernel(function, kernel_source(feature, function), scratch_bytes=scratch_bytes, emit=emit), accepts)


for _feature in (armv7em_matmul.ISA, mve_matmul.ISA, rv32_matmul.ISA):
    for _cell in ("lstm", "gru"):
        for _types in ("s8", "s8_s16"):
            VARIANTS[_feature, f"ember_{_cell}_{_types}"] = _variant(_feature, _cell, _types)
