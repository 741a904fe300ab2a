"""q.selective_scan on Armv7E-M: every tail, form and alignment of the cores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emberc.backend.c.kernels import select_kernel
from emberc.backend.c.variants.armv7em_scan import softplus_entries
from emberc.bench.recurrences import selective_scan
from tests.kernels.boards import assert_exact, assert_exact_anywhere, same_kernels
from tests.kernels.check import constant
from tests.kernels.scan_case import as_case, scan_case, scan_cases

ISA = ("portable", "armv7em")


@pytest.mark.board
def test_scan() -> None:
    cases = scan_cases()
    assert all(c.kernel(ISA).function.endswith("_armv7em") for c in cases)
    assert_exact("cortex-m4", cases)


@pytest.mark.board
@pytest.mark.parametrize("core", same_kernels("cortex-m7", "cortex-m33"))
def test_other_cores(core: str) -> None:
    assert_exact(core, scan_cases()[::5])


@pytest.mark.board
def test_rows_of_states_at_any_place() -> None:
    cases = [replace(as_case(*scan_case(5, n, initial=True)), misalign=1, inplace="initial") for n in (4, 6, 16, 17)]
    assert_exact("cortex-m4", cases, kernel="ember_selective_scan_s8_armv7em")


def test_plain_c_on_other_cores() -> None:
    assert_exact_anywhere("cortex-m4", scan_cases()[::2])


def test_what_the_packed_tables_do_not_hold_goes_to_the_portable_kernel() -> None:
    assert select_kernel(selective_scan(1, 4, 3, levels=1025).op, ISA).function == "ember_selective_scan_s8"
    assert select_kernel(selective_scan(1, 4, 3, heads=2).op, ISA).function == "ember_selective_scan_heads_s8_armv7em"
    op, _ = scan_case(4, 3)
    op.operands[4] = constant(op.constant("softplus") | 2048, np.uint32)
    assert select_kernel(op, ISA).function == "ember_selective_scan_s8"


def test_softplus_entries_carry_bytes_over_delta() -> None:
    packed = softplus_entries(np.array([5 << 12 | 3, (1 << 20) - 1 << 12 | 2047], np.uint32))
    assert packed[:2].tolist() == [6 << 20 | 5, 4094 << 20 | (1 << 20) - 1]
    assert len(packed) == 1024 and set(packed[1:].tolist()) == {int(packed[1])}
