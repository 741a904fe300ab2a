"""Row operations on RV32IM: the cases of ``row_cases.py`` on the core and on this machine."""

from __future__ import annotations

import numpy as np
import pytest

from emberc.backend.c.kernels import select_kernel
from emberc.bench import Case
from emberc.bench.suite import embed, mul, tensor, value
from emberc.ir.op import Op
from emberc.ir.ops.integer_elementwise import Add, Mul
from tests.kernels.boards import assert_exact, assert_exact_anywhere
from tests.kernels.row_cases import embeddings, interpolations, lookups, products, rescalings, sums

ISA = ("portable", "rv32")


def rows_of_a_broadcast() -> list[Case]:
    """Rows of one operand against one row, and an outer axis that repeats."""
    a, b, c = (tensor(np.random.default_rng(9), "i8", *shape) for shape in ((4, 3, 19), (1, 19), (4, 1, 19)))
    terms = {"m1": 900, "s1": 9, "m2": -700, "s2": 8, "c": 35, "frac": 6}
    ops = [(Add(value(a), value(other), **terms), other) for other in (b, c)]
    ops += [(Mul(value(a), value(other), zx=-128, zy=127, m=1 << 24, zero_point=5), other) for other in (b, c)]
    return [Case(op, {"x": a, "y": other}, "4,3,19", note=str(other.shape)) for op, other in ops]


def cases() -> list[Case]:
    return [*sums(), *products(), *lookups(), *rescalings(), *interpolations(), *embeddings(), *rows_of_a_broadcast()]


def test_all_cases_run_on_the_fast_kernels() -> None:
    names = {case.kernel(ISA).function for case in cases()}
    assert {n for n in names if not n.endswith("_rv32")} == set()
    assert len(names) == 22, "6 each of add and mul, 4 of requantize, 2 of table and embed, table16 and softmax"


@pytest.mark.board
def test_rows() -> None:
    assert_exact("rv32", cases())


def test_rows_here() -> None:
    assert_exact_anywhere("rv32", cases()[::5])


def chosen(op: Op) -> str:
    return select_kernel(op, ISA).function


def test_what_their_registers_do_not_hold_goes_to_the_portable_kernels() -> None:
    x, column = value(np.zeros((2, 3), np.int8)), value(np.zeros((2, 1), np.int8))
    assert chosen(Mul(x, x, m=1 << 30)) == "ember_mul_s8", "a multiplier that can't be doubled"
    assert chosen(Mul(x, x, m=(1 << 30) - 1)) == "ember_mul_s8_rv32"
    assert chosen(Mul(x, column, m=5)) == "ember_mul_s8", "elements of a row are not side by side"
    assert chosen(mul(1, 4).op) == "ember_mul_s8_rv32"
    assert chosen(embed(2, 4).op) == "ember_embed_s8_rv32"
