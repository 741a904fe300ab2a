"""q.selective_scan on RV32IM: every tail, form and group, on the core and on this machine."""

from __future__ import annotations

from itertools import groupby

import pytest

from emberc.backend.c.kernels import select_kernel
from emberc.bench import Case
from tests.kernels.check import constant
from tests.kernels.rv32 import assert_exact_here, assert_exact_there
from tests.kernels.scan_case import scan_case, scan_cases

ISA = ("portable", "rv32")


def by_kernel(cases: list[Case]) -> list[tuple[str, list[Case]]]:
    def name(case: Case) -> str:
        return case.kernel(ISA).function

    return [(kernel, list(part)) for kernel, part in groupby(sorted(cases, key=name), key=name)]


@pytest.mark.board
def test_scan() -> None:
    parts = by_kernel(scan_cases())
    assert [kernel for kernel, _ in parts] == ["ember_selective_scan_s8_rv32", "ember_selective_scan_s8_s16_rv32"]
    for kernel, cases in parts:
        assert_exact_there(cases, kernel=kernel)


def test_scan_here() -> None:
    for kernel, cases in by_kernel(scan_cases()[2::3]):
        assert_exact_here(cases, kernel=kernel)


def test_offsets_beyond_16_bits_go_to_the_portable_kernel() -> None:
    op, _ = scan_case(4, 3)
    op.operands[6] = constant(op.constant("log_a") + 16384)
    assert select_kernel(op, ISA).function == "ember_selective_scan_s8"
