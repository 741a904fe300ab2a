"""q.layer_norm and q.softmax: kernels against references bit for bit, references against float."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.errors import VerifyError
from emberc.ir.arithmetic import newton_root, norm_frac, softmax_table
from emberc.ir.ops.integer_norm import LayerNorm, Softmax
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
    shift = 8 if out == "i8" else 2
    scale = 6 / 127 if out == "i8" else 12 / 32767
    gamma, beta = rng.uniform(0.2, 2.0, n), rng.normal(0, 0.3, n)
    gamma[0] = -gamma[0]
    op = LayerNorm(
        value(x),
        constant(np.rint(gamma / scale * 2.0 ** (32 - norm_frac(n) + shift))),
        constant(np.rint(beta / scale * 2.0**shift) + (1 << (shift - 1))),
        eps=eps,
        center=center,
        out_shift=shift,
        dtype=out,
    )
    real = x.astype(np.float64)
    d = real - real.mean(axis=-1, keepdims=True) if center else real
    var = (d * d).mean(axis=-1, keepdims=True) + eps / n / n
    y = (d / np.sqrt(np.where(var > 0, var, 1)) * gamma + beta) / scale
    lo, hi = (-128, 127) if out == "i8" else (-32768, 32767)
    return op, [x, op.gamma.const, op.beta.const], np.clip(y, lo, hi)


@pytest.mark.parametrize(("dtype", "out"), TYPES)
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("n", [*SIZES, 2, 64, 256, 768, 4096])
def test_layer_norm(dtype: Any, out: str, center: bool, n: int) -> None:
    """Bits equal; within 0.51 steps of float for int8 and 1.5 for int16 results (0.5 is the rounding itself)."""
    rng = np.random.default_rng(n)
    x = hard_rows(rng, dtype, n)
    for eps in (0, 1, n * n, 1 << 40):
        op, arrays, real = layer_norm(rng, x, out, center, eps)
        worst, _ = worst_and_sqnr(check(op, *arrays), real)
        assert worst < (0.51 if out == "i8" else 1.5), (eps, worst)


def test_layer_norm_of_the_longest_row() -> None:
    rng = np.random.default_rng(1)
    op, arrays, real = layer_norm(rng, hard_rows(rng, INT16, 16384)[:6], "i8", False)
    assert worst_and_sqnr(check(op, *arrays), real)[0] < 0.51
    long = np.zeros((1, 16385), np.int8)
    op, _, _ = layer_norm(rng, long, "i8", True)
    with pytest.raises(VerifyError, match="rows of 16385"):
        op.verify()


def test_layer_norm_refuses_gamma_that_may_overflow() -> None:
    x = value(np.zeros((1, 4), np.int8))
    huge = [(1 << 31) - 1] * 4
    LayerNorm(x, constant(huge), constant([0] * 4)).verify()
    with pytest.raises(VerifyError, match="scaled element"):
        LayerNorm(x, constant(huge), constant([(1 << 31) - (1 << 27)] * 4)).verify()
    with pytest.raises(VerifyError, match="'eps'"):
        LayerNorm(x, constant(huge), constant([0] * 4), eps=-1).verify()


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
