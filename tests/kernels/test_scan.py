"""q.selective_scan: the kernel against the reference, the reference against the formula in single numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.errors import VerifyError
from emberc.ir.ops.integer_scan import SelectiveScan
from tests.kernels.check import FILLS, SIZES, check_results
from tests.kernels.scan_case import scan_case


@pytest.mark.parametrize("n", [1, 3, 6, 16, 17])
def test_selective_scan(n: int) -> None:
    for d in SIZES if n in (6, 17) else (4,):
        for fill in FILLS:
            for kind in ({}, {"gate": False}, {"initial": True}, {"dtype": "i16"}, {"mu": 1 << 30}):
                check_results(*scan_case(d, n, fill=fill, **kind))  # type: ignore[arg-type]


@pytest.mark.parametrize(("heads", "groups"), [(1, 1), (2, 1), (6, 3), (12, 2)])
def test_heads_and_groups(heads: int, groups: int) -> None:
    for per_head in (False, True):
        check_results(*scan_case(12, 5, heads=heads, groups=groups, per_head=per_head, dtype="i16", gate=False))


def test_reads_and_writes_in_place_where_states_go_on() -> None:
    op, arrays = scan_case(7, 3, initial=True)
    assert op.overwrites() == {"y": ("x", "z"), "state": ("initial",)}
    check_results(op, arrays)


def test_steps_equal_the_whole() -> None:
    op, arrays = scan_case(7, 6, steps=9, initial=True)
    y, state = op.run(*arrays)
    h, rows = arrays[-1], []
    for t in range(9):
        part = [a[:, t : t + 1] if i in (0, 1, 2, 3, 10) else a for i, a in enumerate(arrays)]  # type: ignore[index]
        one, _ = scan_case(7, 6, steps=1, initial=True)
        step = type(op)(*[None if a is None else v for a, v in zip(part, one.operands, strict=True)], **op.attrs)
        row, h = step.run(*part[:-1], h)
        rows.append(row)
    np.testing.assert_array_equal(np.concatenate(rows, 1), y)
    np.testing.assert_array_equal(h, state)


def saturated(value: int, bits: int) -> int:
    return max(-(1 << (bits - 1)), min((1 << (bits - 1)) - 1, value))


def mulr(a: int, m: int) -> int:
    return (a * m + (1 << 31)) >> 32


def plain(op: SelectiveScan, arrays: list[Any]) -> tuple[Any, Any]:
    """The formula of the class, one number at a time, in Python's integers."""
    x, v, b, c, softplus, decay, log_a, mu, skip, my, z, gate, mo, initial = [
        None if a is None else a.astype(object) for a in arrays
    ]
    d_count, n_count = op.state.shape[-2:]
    heads, groups = v.shape[-1], op.groups
    h, y = (0 * initial + initial), np.zeros(x.shape, object)
    for batch, t, d in np.ndindex(x.shape):
        k = d * heads // d_count
        g = k * groups // heads * n_count
        entry = int(softplus[min(max(v[batch, t, k], 0), len(softplus) - 1)])
        xx = x[batch, t, d] - op.zx
        u = saturated(mulr((entry >> 12) * xx, mu[d]), 16)
        acc = skip[d] * xx
        for n in range(n_count):
            a = decay[(entry & 4095) + log_a[k, min(n, log_a.shape[1] - 1)]]
            new = ((a * h[batch, d, n]) >> 15) + ((u * b[batch, t, g + n]) >> 15) + 1
            h[batch, d, n] = saturated(new, 16)
            acc += c[batch, t, g + n] * h[batch, d, n]
        out = saturated(mulr(acc, my[d]), 16)
        y[batch, t, d] = saturated(mulr(out * gate[z[batch, t, d] + 128], mo[d]), 8)
    return y, h


@pytest.mark.parametrize(("heads", "groups"), [(6, 1), (2, 2)])
def test_is_the_formula(heads: int, groups: int) -> None:
    op, arrays = scan_case(6, 4, heads=heads, groups=groups, initial=True, mu=1 << 26)
    for got, want in zip(op.run(*arrays), plain(op, arrays), strict=True):
        np.testing.assert_array_equal(got, want)


def test_a_broken_promise_wraps_alike() -> None:
    op, arrays = scan_case(3, 17, fill="high", mu=1 << 30, gate=False, dtype="i16")
    arrays[3] = np.full_like(arrays[3], 32767)  # type: ignore[arg-type]
    check_results(op, arrays)


def test_refuses() -> None:
    op, _ = scan_case(4, 3)
    op.attrs["c_limit"] = 32767
    op.operands[8].data.setflags(write=True)  # type: ignore[union-attr]
    op.operands[8].data[:] = 1 << 27  # type: ignore[union-attr]
    with pytest.raises(VerifyError, match="the sum over the states"):
        op.verify()
    op, _ = scan_case(4, 3)
    op.operands[6].data.setflags(write=True)  # type: ignore[union-attr]
    op.operands[6].data[:] = 65535  # type: ignore[union-attr]
    with pytest.raises(VerifyError, match="the decay is read at"):
        op.verify()
    with pytest.raises(VerifyError, match="a gate takes z"):
        SelectiveScan(*op.operands[:10], op.operands[10])
