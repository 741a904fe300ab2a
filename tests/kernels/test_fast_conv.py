"""q.causal_conv on Armv7E-M, Helium and RV32IM: every number of taps, odd channels and rows, tables, rows before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emberc.backend.c.kernels import select_kernel
from emberc.backend.c.variants.armv7em_conv import padded_table, taps_by_channel
from emberc.backend.c.variants.mve_conv import stream
from emberc.bench import Case
from emberc.bench.recurrences import causal_conv
from emberc.ir.ops.integer_conv import CausalConv
from tests.kernels.boards import assert_exact, assert_exact_anywhere
from tests.kernels.check import constant
from tests.kernels.scan_case import as_case
from tests.kernels.test_causal_conv import conv_case

SHAPES = [
    (1, 3, 4), (2, 9, 4), (3, 8, 4), (7, 5, 3), (16, 17, 4), (17, 4, 2), (5, 7, 1), (6, 33, 4),
    (9, 3, 5), (40, 12, 9), (3, 20, 32), (33, 11, 31), (1, 2, 6),
]  # fmt: skip


def cases() -> list[Case]:
    forms = [(fill, initial, table) for fill in ("random", "mixed") for initial, table in ((False, 0), (True, 1024))]
    forms += [("high", True, 700), ("random", False, 2048)]
    built = [
        as_case(
            *conv_case(*shape, initial=initial, table=table, curves=3 * initial, fill=fill),
            note=f"{fill} {initial} {table}",
        )
        for shape in SHAPES
        for fill, initial, table in forms
    ]
    in_place = [as_case(*conv_case(2, 9, k, initial=True), inplace="initial") for k in (4, 7)]
    whole = [replace(built[i], unread=("tail",)) for i in range(0, len(built), 7)]
    return [*built, *whole, *in_place, causal_conv(5, 9, 4), causal_conv(6, 40, 4, table=0)]


def kernels(cases: list[Case], isa: str) -> set[str]:
    return {c.kernel(("portable", isa)).function for c in cases}


@pytest.mark.board
@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m7"])
def test_armv7em(core: str) -> None:
    some = cases() if core == "cortex-m4" else cases()[::5]
    assert kernels(some, "armv7em") == {"ember_causal_conv_s8_armv7em", "ember_causal_conv_many_s8_armv7em"}
    for part in (some[::2], some[1::2]):
        assert_exact(core, part)


@pytest.mark.board
def test_mve() -> None:
    some = [c for c in cases() if c.kernel(("portable", "mve")).function.endswith("_mve")]
    assert len(some) > 40
    assert_exact("cortex-m55", some)


@pytest.mark.board
def test_rv32() -> None:
    some = cases()
    assert kernels(some, "rv32") == {"ember_causal_conv_s8_rv32"}
    assert_exact("rv32", some)


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m55", "rv32"])
def test_plain_c_on_other_cores(core: str) -> None:
    assert_exact_anywhere(core, cases()[::3])


def test_two_products_that_leave_16_bits_go_to_the_portable_kernel() -> None:
    op = causal_conv(3, 8, 4).op
    op.operands[1] = constant(np.full((4, 8), -128), np.int8)
    assert select_kernel(op, ("portable", "mve")).function == "ember_causal_conv_s8"
    assert select_kernel(op, ("portable", "armv7em")).function == "ember_causal_conv_s8_armv7em"
    op.operands[2] = constant([1 << 30] * 8)
    assert select_kernel(op, ("portable", "rv32")).function == "ember_causal_conv_s8", "sums that can't be doubled"
    longer = causal_conv(3, 8, 4, table=4096).op
    assert select_kernel(longer, ("portable", "armv7em")).function == "ember_causal_conv_many_s8_armv7em"


def test_packed_constants() -> None:
    op = causal_conv(3, 9, 5).op
    assert isinstance(op, CausalConv)
    w = op.constant("w")
    assert taps_by_channel(op)[2].tolist() == [0, 0, 0, w[0, 2], w[1, 2], w[3, 2], w[2, 2], w[4, 2]]
    blocks = stream(op).reshape(2, -1)
    assert blocks[1, :16].tolist() == [0] * 8 + [w[0, 8], *[0] * 7]
    assert blocks[0, 48:80].view(np.int32).tolist() == op.constant("bias")[[0, 2, 4, 6, 1, 3, 5, 7]].tolist()
    assert padded_table(np.array([3, 5], np.int8))[[0, 1, 2047]].tolist() == [3, 5, 5]
