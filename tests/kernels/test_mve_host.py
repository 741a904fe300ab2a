"""The files of the Helium kernels on a machine without Helium: the same bits, under the sanitizers."""

from __future__ import annotations

import pytest

from emberc.bench import Case
from emberc.bench.suite import add, attention, embed, layer_norm, matmul, mul, requantize, softmax, table
from emberc.targets import load_target
from tests.kernels.boards import assert_exact_anywhere

TARGET = "cortex-m55"

CASES = {
    "add": [add(2, 21, x, y, z) for x, y in (("i8", "i8"), ("i16", "i8"), ("i16", "i16")) for z in ("i8", "i16")],
    "rows": [
        *(mul(2, 9, x, x, z) for x in ("i8",) for z in ("i8", "i16")),
        *(requantize(2, 9, x, y) for x in ("i8", "i16") for y in ("i8", "i16")),
        *(table(2, 9, y) for y in ("i8", "i16")),
        *(embed(2, 9, y) for y in ("i8", "i16")),
        softmax(2, 9),
    ],
    "layer_norm": [layer_norm(2, 21, x, y) for x in ("i8", "i16") for y in ("i8", "i16")],
    "attention": [attention(3, 9, 2, 5), attention(2, 7, 1, 8, masked=True)],
    "matmul": [
        matmul(m, k, n, "i8", y, table=table)
        for m in (1, 3)
        for k, n in ((3, 5), (40, 37))
        for y in ("i8", "i16")
        for table in (False, True)
    ],
}


@pytest.mark.parametrize("family", CASES)
def test_plain_c_gives_the_same_bits(family: str) -> None:
    cases: list[Case] = CASES[family]
    assert all(c.kernel(load_target(TARGET).isa).function.endswith("_mve") for c in cases)
    assert_exact_anywhere(TARGET, cases)
