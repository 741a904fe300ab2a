"""q.layer_norm, q.softmax and q.softmax16: kernels against references bit for bit, references against float."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.bench.suite import norm_of
from emberc.errors import VerifyError
from emberc.ir.arithmetic import exp2_table, newton_root, softmax_table
from emberc.ir.ops.integer_norm import LayerNorm, Softmax, Softmax16
from tests.kernels.check import FILLS, INT8, INT16, SIZES, check, constant, tensor, value, worst_and_sqnr

TYPES = [(i, o) for i in (INT8, INT16) for o in ("i8", "i16")]


def hard_rows(rng: np.random.Generator, dtype: np.dtype[Any], n: int) -> Any:
    """Rows on which integer norms fail: constant ones, one outlier, a variance next to nothing, both extremes."""
    lo, hi = np.iinfo(dtype).min, np.iinfo(dtype).max
    rows = [tensor(rng, dtype, (n,), fill) for fill in FILLS for _ in range(3)]
    for base in (lo, -1, 0, hi - 1):
        rows.append(np.full(n, base, dtype))
        for step in (1, hi):
            row = np.full(n, base, dtype)
            row[rng.integers(n)] = min(base + step, hi)
            rows.append(row)
    rows += [rng.integers(-1, 2, n).astype(dtype) for _ in range(3)]
    rows += [(rng.integers(0, 2, n) + hi - 1).astype(dtype) for _ in range(3)]
    return np.stack(rows)


def layer_norm(rng: np.random.Generator, x: Any, out: str, center: bool, eps: int = 0) -> Any:
    """A q.layer_norm with random gamma and beta, and the same in float64 in output steps."""
    n = x.shape[-1]
    scale = 6 / 127 if out == "i8" else 12 / 32767
    gamma, beta = rng.uniform(0.2, 2.0, n), rng.normal(0, 0.3, n)
    gamma[0] = -gamma[0]
    op = norm_of(x, gamma, beta, out, eps=eps, center=center)
    real = x.astype(np.float64)
    d = real - real.mean(axis=-1, keepdims=True) if center else real
    var = (d * d).mean(axis=-1, keepdims=True) + eps / n / n
    y = (d / np.sqrt(np.where(var > 0, var, 1)) * gamma + beta) / scale
    lo, hi = (-128, 127) if out == "i8" else (-32768, 32767)
    return op, [x, op.gamma.const, op.beta.const], np.clip(y, lo, hi)


def bound(op: LayerNorm) -> float:
    """Steps that the op may be off: as its docstring derives for int8; 1.5 for int16 (0.5 is the rounding itself)."""
    return 1.5 if op.dtype == "i16" else 0.5 + 2.3 * 2.0**-op.out_shift + 128 / 2**13


@pytest.mark.parametrize(("dtype", "out"), TYPES)
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("n", [*SIZES, 2, 64, 256, 768, 4096])
def test_layer_norm(dtype: Any, out: str, center: bool, n: int) -> None:
    """Bits equal, and no element further from float than the op says."""
    rng = np.random.default_rng(n)
    x = hard_rows(rng, dtype, n)
    for eps in (0, 1, n * n, 1 << 40):
        op, arrays, real = layer_norm(rng, x, out, center, eps)
        worst, _ = worst_and_sqnr(check(op, *arrays), real)
        assert worst < bound(op), (eps, worst)


@pytest.mark.parametrize("n", [16, 100, 128, 768])
@pytest.mark.parametrize("dtype", [INT8, INT16])
def test_sixteen_bits_lose_next_to_nothing(dtype: Any, n: int) -> None:
    """int8 results are within 0.05 dB of what rounding the true ones once would give: the form costs no accuracy."""
    rng = np.random.default_rng(n)
    top = np.iinfo(dtype).max
    for mean, sigma in ((0.0, 0.25), (0.8, 0.03), (0.0, 0.02)):
        x = np.clip(np.rint(rng.normal(mean * top, sigma * top, (200, n))), -top, top).astype(dtype)
        op, arrays, real = layer_norm(rng, x, "i8", True)
        (got,) = op.run(*arrays)
        errors = [float(np.mean((y - real) ** 2)) for y in (got, np.rint(real))]
        assert errors[0] < errors[1] * 10**0.005


def test_layer_norm_of_the_longest_row() -> None:
    rng = np.random.default_rng(1)
    for out in ("i8", "i16"):
        op, arrays, real = layer_norm(rng, hard_rows(rng, INT16, 16384)[:6], out, False)
        assert worst_and_sqnr(check(op, *arrays), real)[0] < (bound(op) if out == "i8" else 3.0)
    with pytest.raises(VerifyError, match="rows of 16385"):
        LayerNorm(value(np.zeros((1, 16385), np.int8)), narrow([1] * 16385), narrow([0] * 16385)).verify()


def narrow(data: Any) -> Any:
    return constant(data, np.int16)


def test_layer_norm_at_the_ends_of_its_gains() -> None:
    """The largest gamma and beta of one sign, on the largest element that a row can have: the sum just fits."""
    for n, sign in ((2, 1), (64, 1), (64, -1)):
        x = np.full((2, n), -128, np.int8)
        x[0, 0] = 127
        op = LayerNorm(value(x), narrow([32767 * sign] * n), narrow([32512] * n), out_shift=8)
        check(op, x, op.gamma.const, op.beta.const)


def test_layer_norm_refuses_gains_that_may_overflow() -> None:
    x = value(np.zeros((1, 4), np.int8))
    huge, zero = constant([(1 << 31) - 1] * 4), constant([0] * 4)
    LayerNorm(x, huge, zero, dtype="i16").verify()
    with pytest.raises(VerifyError, match="scaled element"):
        LayerNorm(x, huge, constant([(1 << 31) - (1 << 27)] * 4), dtype="i16").verify()
    with pytest.raises(VerifyError, match="'eps'"):
        LayerNorm(x, narrow([1] * 4), narrow([0] * 4), eps=-1).verify()
    with pytest.raises(VerifyError, match="gamma has magnitudes of 32768"):
        LayerNorm(x, narrow([-32768] * 4), narrow([0] * 4)).verify()
    with pytest.raises(VerifyError, match="beta has magnitudes of 32513"):
        LayerNorm(x, narrow([1] * 4), narrow([-32513] * 4)).verify()
    for shift in (0, 9):
        with pytest.raises(VerifyError, match="'out_shift'"):
            LayerNorm(x, narrow([1] * 4), narrow([0] * 4), out_shift=shift).verify()
    with pytest.raises(VerifyError, match="must be i32 where y is i16"):
        LayerNorm(x, narrow([1] * 4), narrow([0] * 4), dtype="i16")


def test_four_newton_steps_reach_the_root() -> None:
    """At most one above the floor of the root, at the ends of [2^30, 2^32), at squares, and at a million others."""
    squares = np.arange(32768, 65536, dtype=np.int64) ** 2
    random = np.random.default_rng(2).integers(1 << 30, 1 << 32, 1_000_000)
    v = np.concatenate([squares, squares[1:] - 1, squares + 1, random, [(1 << 32) - 1]])
    floor = np.floor(np.sqrt(v.astype(np.float64))).astype(np.int64)
    above = newton_root(v) - floor
    assert above.min() >= 0 and above.max() <= 1


@pytest.mark.parametrize("n", [*SIZES, 512, 3000])
def test_softmax(n: int) -> None:
    """Bits equal; 0.52 steps of float, and what rounding the n - 1 smallest entries can add to the sum."""
    rng = np.random.default_rng(n)
    x = hard_rows(rng, INT8, n)
    for scale in (0.001, 0.05, 1.0):
        table = softmax_table(scale, n)
        op = Softmax(value(x), constant(table, np.uint16))
        got = check(op, x, table)
        p = np.exp((x.astype(float) - x.max(axis=-1, keepdims=True)) * scale)
        real = np.clip(p / p.sum(axis=-1, keepdims=True) * 256 - 128, -128, 127)
        assert worst_and_sqnr(got, real)[0] < 0.52 + 128 * n / int(table[0])


@pytest.mark.parametrize("n", [*SIZES, 512, 3000])
def test_softmax16(n: int) -> None:
    """Bits equal; above 35 dB of float: of 3,000 equal weights each is 11 steps."""
    rng = np.random.default_rng(n)
    x = hard_rows(rng, INT16, n)
    for scale in (1e-5, 1e-3, 0.05):
        factor = scale * np.log2(np.e) * 256
        shift = min(30, int(np.log2(32767 / factor)))
        table = exp2_table(min(32767, ((1 << 24) - 1) // n), 256)
        op = Softmax16(value(x), constant(table, np.int16), m=round(factor * 2**shift), shift=shift)
        got = check(op, x, table)
        p = np.exp((x.astype(float) - x.max(axis=-1, keepdims=True)) * scale)
        real = np.clip(p / p.sum(axis=-1, keepdims=True) * 32768, -32768, 32767)
        assert n == 1 or worst_and_sqnr(got, real)[1] > 35


def test_softmax16_refuses() -> None:
    x = value(np.zeros((1, 600), np.int16))
    good = {"table": exp2_table(4095, 64), "m": 100, "shift": 4}
    for change, problem in (
        ({"table": exp2_table(30000, 64)}, "rows of 600"),
        ({"table": np.array([3, 2, 1])}, "table must fall"),
        ({"m": 32767, "shift": 30}, "does not fit 32 bits"),
        ({"shift": 0}, "'shift' is 0"),
    ):
        fields = {**good, **change}
        with pytest.raises(VerifyError, match=problem):
            Softmax16(x, constant(fields.pop("table"), np.int16), **fields).verify()


def test_softmax_of_few_weights() -> None:
    # a table of small numbers makes every unit of the sum visible
    table = np.array([3, 2, 1, *[0] * 253], np.uint16)
    x = np.random.default_rng(3).integers(-2, 1, (50, 7)).astype(np.int8)
    check(Softmax(value(x), constant(table, np.uint16)), x, table)


def test_softmax_refuses_sums_beyond_24_bits() -> None:
    table = constant(np.full(256, 32767), np.uint16)
    Softmax(value(np.zeros((1, 512), np.int8)), table).verify()
    with pytest.raises(VerifyError, match="rows of 513"):
        Softmax(value(np.zeros((1, 513), np.int8)), table).verify()
