"""q.attention on RV32IM against its reference: masks, groups, batches, remainders and extremes."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from emberc.backend.c.kernels import select_kernel
from emberc.bench import Case
from emberc.bench.suite import attention, constant, tensor, value
from emberc.ir.arithmetic import exp2_table
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.types import Array
from emberc.targets import load_target
from tests.kernels.rv32 import assert_exact_here, assert_exact_there

KERNELS = {"i8": "ember_attention_s8_rv32", "i16": "ember_attention_s8_s16_rv32"}


def exact(q: Array, k: Array, v: Array, heads: int, mask: Array | None = None, y: str = "i8", **fields: Any) -> Case:
    """A q.attention of given operands."""
    options: dict[str, Any] = {"m_score": 1 << 22, "c_out": 3 << 30, "shift_out": 0, "group": 1, **fields}
    table = exp2_table(min(4095, (2**31 - 1) // (128 * k.shape[-2])))
    op = Attention(
        value(q), value(k), value(v), constant(table, np.int16), None if mask is None else value(mask), heads=heads,
        head_dim=k.shape[-1] * options["group"] // heads, dtype=y, **options,
    )  # fmt: skip
    op.verify()
    feeds = {"q": q, "k": k, "v": v} | ({} if mask is None else {"mask": mask})
    return Case(
        op, feeds, f"{q.shape} {k.shape} x{heads}", note=f"{fields} mask {None if mask is None else mask.shape}"
    )


def shapes() -> list[Case]:
    """Every remainder of query rows, keys and columns, at every alignment."""
    found = product((3, 4, 5, 6), (1, 2, 5, 8), (1, 2), (4, 5, 6, 7, 8))
    return [replace(attention(*s, masked=s[1] > 2, seed=s[3]), misalign=sum(s) % 4) for s in found]


def variants(y: str) -> list[Case]:
    """Every way to mask, shared keys, batches, shifts of both signs, and operands at the ends of int8."""
    rng = np.random.default_rng(3)
    q, k, v = (tensor(rng, "i8", 2, rows, 12) for rows in (7, 9, 9))
    cases = [exact(q, k, v, 2, y=y, **o) for o in ({"causal": True}, {"shift_score": 3}, {"zero_point": 100})]
    cases += [exact(q, k[:, :, :6], v[:, :, :6], 2, y=y, group=2), exact(q, k, v, 1, y=y, shift_out=-2)]
    cases.append(exact(q, k, v, 3, y=y, shift_out=2 if y == "i16" else 0))
    cases.append(exact(q, k[:, :5], v[:, :5], 2, y=y, causal=True))
    for lead, rows in product((1, 2), (1, 7)):
        mask = rng.integers(0, 2, (lead, 1, rows, 9)).astype(np.bool_)
        mask[-1, 0, -1] = False
        cases += [exact(q, k, v, 2, mask, y), exact(q, k, v, 2, mask, y, causal=True)]
    for a, b in product((-128, 127), repeat=2):
        ends = np.full((1, 4, 10), a, np.int8), np.full((1, 6, 10), b, np.int8), np.full((1, 6, 10), a, np.int8)
        cases += [exact(*ends, 1, y=y, m_score=m) for m in (1 << 22, (1 << 31) - 1, -(1 << 31))]
    return cases


@pytest.mark.parametrize("y", KERNELS)
def test_variants(y: str) -> None:
    assert_exact_here(variants(y), kernel=KERNELS[y])


def test_shapes() -> None:
    assert_exact_here([*shapes(), attention(33, 65, 2, 17), attention(16, 130, 1, 64)], kernel=KERNELS["i8"])


@pytest.mark.board
@pytest.mark.parametrize("y", KERNELS)
def test_on_the_core(y: str) -> None:
    more = shapes()[::5] if y == "i8" else []
    assert_exact_there([*variants(y), *more], kernel=KERNELS[y])


def test_what_stays_portable() -> None:
    isa = load_target("rv32").isa
    for rows, head_dim, kernel in ((2, 8, "ember_attention_s8"), (8, 3, "ember_attention_s8"), (3, 4, KERNELS["i8"])):
        assert select_kernel(attention(rows, 5, 1, head_dim).op, isa).function == kernel
    x = np.zeros((1, 4, 64), np.int8)
    for shift, kernel in ((9, KERNELS["i8"]), (10, "ember_attention_s8")):
        assert select_kernel(exact(x, x, x, 1, shift_score=shift).op, isa).function == kernel
