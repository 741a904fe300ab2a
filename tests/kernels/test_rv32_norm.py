"""q.layer_norm on RV32IM: every pair of types, tails, hard rows, the ends of the gains, and in place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emberc.backend.c.kernels import select_kernel
from emberc.bench import Case
from emberc.bench.suite import constant, layer_norm, value
from emberc.ir.ops.integer_norm import LayerNorm
from tests.kernels.row_cases import hard_norm
from tests.kernels.rv32 import assert_exact_here, assert_exact_there

TYPES = [("i8", "i8", "s8"), ("i8", "i16", "s8_s16"), ("i16", "i8", "s16_s8"), ("i16", "i16", "s16")]


def cases(x: str, y: str, sizes: tuple[int, ...]) -> list[Case]:
    made = [layer_norm(3, n, x, y, seed=n) for n in sizes]
    made += [
        hard_norm(x, n, center=n % 2 > 0, eps=i % 3 << 20, y=y, shift=1 + i) for i, n in enumerate((1, 2, 3, 8, 17, 64))
    ]
    return [*made, *([replace(layer_norm(3, 21, x, y), inplace="x")] if x == y else [])]


@pytest.mark.parametrize(("x", "y", "suffix"), TYPES)
def test_sizes_and_hard_rows(x: str, y: str, suffix: str) -> None:
    kernel = f"ember_layer_norm_{suffix}_rv32"
    assert_exact_here(cases(x, y, (1, 2, 3, 4, 5, 7, 8, 17, 129, 300)), kernel=kernel)


@pytest.mark.board
@pytest.mark.parametrize(("x", "y", "suffix"), TYPES)
def test_on_the_core(x: str, y: str, suffix: str) -> None:
    assert_exact_there(cases(x, y, (1, 7, 129)), kernel=f"ember_layer_norm_{suffix}_rv32")


def test_gains_that_leave_no_room_for_the_extra_bit_go_to_the_portable_kernel() -> None:
    x = np.zeros((2, 3), np.int8)
    for gamma, beta, shift in ((1 << 30, 1 << 30, 8), (1, 0, 31)):
        op = LayerNorm(value(x), constant([gamma] * 3), constant([beta] * 3), out_shift=shift, dtype="i16")
        op.verify()
        assert select_kernel(op, ("portable", "rv32")).function == "ember_layer_norm_s8_s16"
