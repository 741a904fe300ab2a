"""q.selective_scan on Helium: every tail, form and group of the passes."""

from __future__ import annotations

import numpy as np
import pytest

from emberc.backend.c.variants.mve_scan import by_byte, log_a_by_passes
from emberc.ir.ops.integer_scan import SelectiveScan
from tests.kernels.boards import assert_exact, assert_exact_anywhere
from tests.kernels.scan_case import as_case, scan_case, scan_cases

ISA = ("portable", "mve")


@pytest.mark.board
def test_scan() -> None:
    cases = scan_cases() + [as_case(*scan_case(5, n, initial=True)) for n in (8, 9, 15, 24, 31, 32, 33)]
    assert all(c.kernel(ISA).function.endswith("_mve") for c in cases)
    assert_exact("cortex-m55", cases)


def test_plain_c_on_other_cores() -> None:
    assert_exact_anywhere("cortex-m55", scan_cases()[1::3])


def test_log_a_lies_by_passes_padded_to_vectors() -> None:
    op, _ = scan_case(2, 17)
    assert isinstance(op, SelectiveScan)
    log_a = op.constant("log_a")
    packed = log_a_by_passes(op)
    assert packed[:32].tolist() == [*log_a[0, :16], *log_a[1, :16]]
    assert packed[32:].tolist() == [log_a[0, 16], *[0] * 7, log_a[1, 16], *[0] * 7]


def test_the_gate_is_read_by_the_bits_of_z() -> None:
    table = np.arange(256, dtype=np.int16)
    assert [int(by_byte(table)[z & 255]) for z in (-128, -1, 0, 127)] == [0, 127, 128, 255]
