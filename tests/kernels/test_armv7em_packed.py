"""q.matmul on packed weights, unpacked into dual-column words: all widths, remainders, epilogues, on emulated cores."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from emberc.bench import Case
from emberc.bench.suite import constant, tensor, value
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.packed import UNITY, Packed, pack_codes
from emberc.ir.values import Constant
from emberc.targets import load_target
from tests.kernels.boards import assert_exact, assert_exact_anywhere

pytestmark = pytest.mark.board


def exact(core: str, cases: list[Case]) -> None:
    """All cases run on the fast kernels, with the reference's bits."""
    assert all("armv7em" in case.kernel(load_target(core).isa).function for case in cases)
    assert_exact(core, cases)


def packed(
    rows: int, k: int, n: int, bits: int, group: int, y: str = "i8", *, full: bool = False, **fields: int
) -> Case:
    """A q.matmul on any codes and gains; ``full``: every weight is the codebook's smallest, -127, at full gain."""
    rng = np.random.default_rng(k + n)
    codes = rng.integers(0, 1 << bits, (n, k)).astype(np.uint8) * (not full)
    gains = rng.integers(UNITY if full else 0, UNITY + 1, (n, -(-k // group))).astype(np.uint8)
    codebook = np.sort(rng.integers(-127, 128, 1 << bits)).astype(np.int8)
    codebook[0] = -127
    w = Constant.unpack(Packed(bits, k, group, pack_codes(codes, bits), codebook, gains))
    x = np.full((rows, k), -128, np.int8) if full else tensor(rng, "i8", rows, k)
    table = constant(tensor(rng, y, 256), "int8" if y == "i8" else "int16") if fields.pop("table", 0) else None
    m = rng.integers(1 << 18, 1 << 22, n) * (1 if y == "i8" else 64)
    op = Matmul(value(x), w, constant(rng.integers(-999, 999, n)), constant(m), table, dtype=y, **fields)
    op.verify()
    return Case(op, {"x": x}, f"{rows},{k},{n}", note=f"{bits} bits")


def test_every_remainder() -> None:
    cases = [
        packed(rows, k, n, 2 + (k + n) % 3, 8 * (1 + k % 3), y)
        for rows, k, n in product((1, 2, 5), (1, 2, 3, 7, 8, 17, 24, 33), (1, 2, 9, 16))
        for y in (("i8",) if n % 2 else ("i16",))
    ]
    exact("cortex-m4", cases)


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m7"])
def test_sizes_and_epilogues(core: str) -> None:
    cases = [packed(rows, 129, 17, bits, 64, y) for rows in (3, 7) for bits in (2, 3, 4) for y in ("i8", "i16")]
    cases += [packed(4, 512, 9, 4, 512, y, full=True) for y in ("i8", "i16")]  # sums beyond 2^22
    cases += [packed(rows, 1100, 5, 3, 32, full=True) for rows in (1, 3)]  # sums that are folded
    for y, fields in product(("i8", "i16"), ({"table": 1}, {"lo": -3, "hi": 100}, {"table": 1, "lo": 0})):
        cases += [packed(rows, 70, 9, 3, 16, y, **fields) for rows in (1, 5)]
    cases.append(packed(5, 24, 9, 4, 8, "i16", shift=3))
    exact(core, cases)


def test_plain_c_runs_anywhere() -> None:
    cases = [packed(5, 70, 9, bits, 32, y) for bits in (2, 3, 4) for y in ("i8", "i16")]
    assert_exact_anywhere("cortex-m7", cases)
