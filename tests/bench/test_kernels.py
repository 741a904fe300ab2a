"""``emberc bench kernels``: rows are complete, reproducible, right about equality, and meet the figures we promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emberc.bench import Case, bench_kernels, check_cases, suite
from emberc.bench.recurrences import causal_conv, selective_scan
from emberc.bench.suite import (
    add,
    attention,
    batch_matmul,
    embed,
    layer_norm,
    matmul,
    mul,
    requantize,
    softmax,
    table,
    table16,
)
from emberc.errors import UsageError

pytestmark = pytest.mark.board

# Instructions per MAC or element on Cortex-M4 and M33: the bounds, or what is reached where that is more.
LIMITS = [
    (matmul, (128, 128, 128), 0.75),
    (matmul, (128, 512, 128), 0.72),
    (matmul, (64, 64, 64), 0.83),
    (matmul, (1, 256, 1024), 0.88),
    (matmul, (100, 80, 160), 0.82),
    (attention, (64, 64, 1, 64), 0.92),
    (attention, (64, 64, 1, 64, "i16"), 1.11),
    (batch_matmul, (64, 64, 64), 0.77),
    (layer_norm, (128, 128), 8.2),
    (layer_norm, (128, 128, "i16"), 7.9),
    (layer_norm, (128, 128, "i8", "i16"), 9.6),
    (layer_norm, (128, 128, "i16", "i16"), 9.8),
    (add, (128, 128), 5.9),
    (mul, (128, 128), 5.9),
    (softmax, (128, 128), 9.8),
    (table, (128, 128), 3.2),
    (add, (128, 128, "i16", "i8", "i16"), 5.7),
    (matmul, (64, 128, 128, "i16"), 0.97),
    (requantize, (128, 128, "i16"), 3.75),
    (table16, (128, 128), 7.4),
    (embed, (64, 128, "i16"), 16.5),
    (selective_scan, (32, 128, 16), 8.2),
    (selective_scan, (32, 64, 6), 12.0),
    (causal_conv, (100, 128, 4), 2.5),
    (causal_conv, (64, 128, 32), 2.3),
]


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m33"])
def test_the_kernels_keep_their_figures(core: str) -> None:
    rows = bench_kernels([core], cases=[build(*args) for build, args, _ in LIMITS])
    assert all(row.equal and row.kernel.endswith("_armv7em") for row in rows)
    over = [
        (r.kernel, r.shape, r.per_unit)
        for r, (_, _, limit) in zip(rows, LIMITS, strict=True)
        if not r.per_unit or r.per_unit > limit
    ]
    assert over == []


def test_the_cortex_m55_keeps_its_figures() -> None:
    limits = {
        (matmul, (128, 128, 128)): 0.143,
        (matmul, (128, 512, 128)): 0.121,
        (matmul, (64, 64, 64)): 0.18,
        (matmul, (1, 256, 1024)): 0.16,
        (matmul, (100, 80, 160)): 0.19,
        (batch_matmul, (64, 64, 64)): 0.23,
        (layer_norm, (128, 128)): 2.6,
        (layer_norm, (128, 128, "i16")): 2.9,
        (layer_norm, (128, 128, "i8", "i16")): 3.7,
        (layer_norm, (128, 128, "i16", "i16")): 4.0,
        (softmax, (128, 128)): 2.4,
        (add, (128, 128)): 1.2,
        (selective_scan, (32, 128, 16)): 2.3,
        (selective_scan, (32, 64, 6)): 5.0,
        (causal_conv, (32, 128, 4)): 1.43,
        (causal_conv, (64, 128, 32)): 1.7,
    }
    rows = bench_kernels(["cortex-m55"], cases=[build(*args) for build, args in limits])
    assert all(row.equal and row.kernel.endswith("_mve") for row in rows)
    over = [
        (r.kernel, r.shape, r.per_unit)
        for r, limit in zip(rows, limits.values(), strict=True)
        if (r.per_unit or 9) > limit
    ]
    assert over == []


def test_layer_norm_keeps_its_figures_on_rv32() -> None:
    """Half of what the portable kernels take, 38 for int8."""
    limits = {("i8", "i8"): 19.3, ("i16", "i8"): 20.8, ("i8", "i16"): 21.2, ("i16", "i16"): 22.6}
    rows = bench_kernels(["rv32"], cases=[layer_norm(128, 128, *types) for types in limits])
    assert all(row.equal and row.kernel.endswith("_rv32") for row in rows)
    over = [(r.kernel, r.per_unit) for r, most in zip(rows, limits.values(), strict=True) if (r.per_unit or 99) > most]
    assert over == []


def test_the_cortex_m7_keeps_its_modelled_cycles() -> None:
    limits = [0.70, 0.65, 0.80, 0.79, 0.80]
    rows = bench_kernels(["cortex-m7"], cases=[matmul(*args) for _, args, _ in LIMITS[:5]])
    assert all(row.equal for row in rows)
    cycles = [row.modelled_cycles_per_unit or 9.9 for row in rows]
    assert [c for c, limit in zip(cycles, limits, strict=True) if c > limit] == []


def test_the_same_image_counts_the_same() -> None:
    once, again = (bench_kernels(["cortex-m4"], cases=[matmul(5, 20, 7), table(3, 17)]) for _ in range(2))
    assert once == again
    assert [(row.unit, row.units) for row in once] == [("MAC", 700), ("element", 51)]


def test_the_baseline_is_the_portable_kernel() -> None:
    rows = bench_kernels(["cortex-m4"], cases=[matmul(16, 64, 16), requantize(3, 17)], baseline=True)
    names = [row.kernel for row in rows]
    assert names[:2] == ["ember_matmul_s8", "ember_matmul_s8_armv7em"] and len(set(names)) == len(names)
    slow, fast = rows[0].per_unit, rows[1].per_unit
    assert slow is not None and fast is not None and slow > 2 * fast
    assert rows[0].scratch == 0 < rows[1].scratch and rows[0].flash > 0


@pytest.mark.parametrize("core", ["host", "cortex-m4"])
def test_a_wrong_bit_is_seen(core: str) -> None:
    """A case whose expectation is off by one in one element is reported, and no other."""
    good, bad = table(2, 9), table(2, 9, seed=1)
    wrong = bad.expected["y"].copy()
    wrong[1, 3] ^= 1
    object.__setattr__(bad, "expected", {"y": wrong})
    name = "ember_table_s8" + ("" if core == "host" else "_armv7em")
    assert check_cases([good, bad], core) == [f"{name} 2,9 : 1 differ, status 0"]


def test_a_wrong_bit_of_the_second_result_is_seen() -> None:
    case = selective_scan(2, 3, 4)
    wrong = {name: a.copy() for name, a in case.expected.items()}
    wrong["state"][0, 2, 3] ^= 1
    object.__setattr__(case, "expected", wrong)
    assert check_cases([case], "host") == ["ember_selective_scan_s8 2,3,4 : 1 differ, status 0"]


def test_misaligned_and_inplace_cases_run() -> None:
    cases = [replace(table(2, 9), misalign=3), replace(table(2, 9), inplace="x", misalign=1)]
    assert check_cases(cases, "cortex-m4") == []


def test_suite_by_name() -> None:
    assert {type(c.op).__name__ for c in suite(["layer_norm"])} == {"LayerNorm"}
    with pytest.raises(UsageError, match="'no_such'"):
        suite(["no_such"])


def test_an_expectation_is_the_reference() -> None:
    case: Case = add(2, 5)
    np.testing.assert_array_equal(case.expected["z"], case.op.run(case.inputs["x"], case.inputs["y"])[0])
