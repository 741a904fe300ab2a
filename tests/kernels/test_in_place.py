"""Results written over operands: every fast kernel that may be given such a place, on an emulated core.

The portable kernels are called in place by ``check``.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from emberc.backend.c.kernels import PORTABLE
from emberc.bench import Case
from emberc.bench.suite import add, attention, layer_norm, mul, requantize, suite
from emberc.targets import load_target
from tests.kernels.boards import assert_exact, assert_exact_anywhere, same_kernels

pytestmark = pytest.mark.board

CORES = [*same_kernels("cortex-m4", "cortex-m7"), "cortex-m55", "rv32"]


def attentions() -> list[Case]:
    """Odd numbers of rows, more rows than a kernel takes at a time, few keys and many."""
    sizes = product((1, 2, 3, 5, 17, 18, 33), (3, 129), ((1, 10), (2, 4)))
    return [attention(rows, keys, *heads, seed=rows) for rows, keys, heads in sizes]


def in_place(cases: list[Case], isa: tuple[str, ...]) -> list[Case]:
    """The cases with a fast kernel that may write a result over an operand of its size, once for each of these."""
    found: list[Case] = []
    for case in cases:
        kernel, op = case.kernel(isa), case.op
        if kernel != case.kernel((PORTABLE,)) and kernel.in_place(op):
            operands = dict(op.named_operands())
            for result, names in op.overwrites().items():
                y = op.results[op.result_fields.index(result)]
                found += [replace(case, inplace=n) for n in names if op.may_cover(y, operands[n])]
    return found


def narrowing() -> list[Case]:
    """int8 results over int16 operands: every tail, rows that begin in the middle of a block of the row before."""
    cases: list[Case] = []
    for n in (1, 3, 7, 15, 16, 17, 33, 129):
        pairs = [make(3, n, "i16", y, "i8", seed=n) for make in (add, mul) for y in ("i8", "i16")]
        cases += [replace(c, inplace="x") for c in [*pairs, requantize(3, n, "i16", "i8"), layer_norm(3, n, "i16")]]
        cases += [replace(c, inplace="y") for c in (pairs[1], pairs[3])]
    return cases


@pytest.mark.parametrize("core", CORES)
def test_fast_kernels_narrow_in_place(core: str) -> None:
    isa, cases = load_target(core).isa, narrowing()
    fast = {c.kernel(isa).function for c in cases} - {c.kernel((PORTABLE,)).function for c in cases}
    assert len(fast) == 6 and all(c.kernel(isa).in_place(c.op) for c in cases)
    assert_exact(core, cases)


def test_plain_c_narrows_in_place() -> None:
    for core in ("cortex-m4", "cortex-m55", "rv32"):
        assert_exact_anywhere(core, narrowing())


@pytest.mark.parametrize("core", CORES)
def test_fast_kernels_in_place(core: str) -> None:
    cases = in_place([*attentions(), *suite(["add_s", "mul_s", "table_s8", "layer_norm_s8"])], load_target(core).isa)
    assert len(cases) >= 20
    assert_exact(core, cases)


def test_plain_c_in_place() -> None:
    assert_exact_anywhere("cortex-m4", in_place(attentions(), load_target("cortex-m4").isa))


def test_an_odd_row_that_runs_twice_is_not_in_place() -> None:
    """17 rows of 16 together: the last pair reads row 15 again, which was written."""
    isa = load_target("cortex-m4").isa
    assert not in_place([attention(17, 128, 1, 16)], isa)
    assert in_place([attention(15, 128, 1, 16), attention(18, 128, 1, 16)], isa)
