"""q.attention on Armv7E-M: sizes, masks, groups, packed operands, and scores at the ends of their range."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from emberc.bench import Case
from emberc.bench.suite import attention, constant, tensor, value
from emberc.ir.arithmetic import exp2_table
from emberc.ir.ops.integer_attention import Attention
from tests.kernels.boards import assert_exact, assert_exact_anywhere, same_kernels

pytestmark = pytest.mark.board

FAST = "ember_attention_s8_armv7em"
SCALE = {"m_score": 1 << 23, "c_out": 3 << 30, "shift_out": 0}


def packed(
    batches: int,
    rows: int,
    heads: int,
    dim: int,
    dtype_in: str = "i8",
    *,
    group: int = 1,
    mask: str = "",
    fill: int | None = None,
    **fields: Any,
) -> Case:
    """Attention over one value that holds q, k and v; ``mask`` is "", "keys", "rows", "batches" or "none";
    ``fill`` is every element of q, those of k being the most."""
    rng = np.random.default_rng(rows)
    shared = heads // group * dim
    x = tensor(rng, dtype_in, batches, rows, heads * dim + 2 * shared)
    if fill is not None:
        x[..., : heads * dim], x[..., heads * dim : heads * dim + shared] = fill, np.iinfo(x.dtype).max
    qkv = value(x)
    shapes = {
        "keys": (1, 1, 1, rows),
        "none": (1, 1, 1, rows),
        "rows": (1, 1, rows, rows),
        "batches": (batches, 1, 1, rows),
    }
    allowed = rng.integers(0, 2, shapes[mask]).astype(np.bool_) & (mask != "none") if mask else None
    op = Attention(
        qkv, qkv, qkv, constant(fields.pop("table", exp2_table()), np.int16),
        None if allowed is None else value(allowed),
        heads=heads, head_dim=dim, k_offset=heads * dim, v_offset=heads * dim + shared, group=group,
        **{**SCALE, **fields},
    )  # fmt: skip
    op.verify()
    feeds = {"q": x} | ({"mask": allowed} if allowed is not None else {})
    return Case(op, feeds, f"{batches},{rows},{heads}x{dim}", note=f"{mask} {fill} {sorted(fields)}")


@pytest.mark.parametrize("core", same_kernels("cortex-m4", "cortex-m7", "cortex-m33"))
def test_sizes(core: str) -> None:
    sizes = product((1, 2, 3, 7), (1, 2, 3, 4, 5, 17), (1, 2, 4, 7, 10))
    cases = [replace(attention(q, k, 1, d, seed=k), misalign=q) for q, k, d in sizes]
    cases += [attention(q, k, 2, d) for q, k, d in ((5, 64, 64), (3, 129, 45), (2, 70, 66), (2, 8, 128), (2, 300, 15))]
    assert_exact(core, cases, kernel=FAST)


def test_few_rows_take_half_the_scratch() -> None:
    """Panels of all rows behind a block of keys: blocks that are whole, cut short, and at their least."""
    few = [
        attention(rows, keys, 1, dim) for rows, keys, dim in ((4, 256, 128), (3, 300, 32), (2, 33, 260), (1, 90, 64))
    ]
    kernels = [(case.kernel(("armv7em",)), case.op) for case in (*few[:1], attention(8, 256, 1, 128))]
    assert [kernel.scratch_bytes(op) for kernel, op in kernels] == [5120, 9728]
    assert_exact("cortex-m4", few, kernel=FAST)
    assert_exact_anywhere("cortex-m4", few)


def test_masks_and_groups() -> None:
    cases = [
        packed(2, rows, 4, 6, group=group, mask=mask, causal=causal)
        for rows, group, mask, causal in product(
            (1, 4, 7), (1, 2, 4), ("", "keys", "rows", "batches", "none"), (False, True)
        )
    ]
    assert_exact("cortex-m4", cases, kernel=FAST)


def test_results_of_both_types_and_every_shift() -> None:
    """Weighted sums shifted left, by nothing, and right; int16 results; a zero point."""
    cases = [
        packed(1, rows, 2, 8, shift_out=shift, dtype=dtype, zero_point=zero, mask=mask)
        for rows, shift, dtype, zero, mask in product(
            (2, 16, 33), (-14, -7, -3, 0), ("i8", "i16"), (0, -9), ("", "keys")
        )
    ]
    assert_exact("cortex-m4", cases)


def test_scores_at_the_ends_of_their_range() -> None:
    """All scores at the least, near it, and at the most: the largest is then less than a table above the least."""
    cases = [
        packed(1, rows, 1, 64, fill=fill, m_score=m, mask=mask)
        for rows, fill, m, mask in product((4, 5), (-128, -127, 0, 127), (136000000, 135000000, 1 << 27), ("", "keys"))
    ]
    short = np.array([32767, 5, 0])
    cases += [packed(1, 3, 1, 64, fill=fill, table=short, shift_out=-9) for fill in (-128, 127)]
    assert_exact("cortex-m4", cases)


def test_shifted_scores_go_to_the_portable_kernel() -> None:
    assert_exact("cortex-m4", [packed(1, 4, 1, 4, shift_score=3)], kernel="ember_attention_s8")


def test_plain_c_on_other_cores() -> None:
    cases = [replace(attention(q, k, 2, d, seed=k), misalign=q) for q, k, d in product((1, 2, 5), (1, 4, 7), (3, 6, 8))]
    cases += [
        packed(2, 5, 2, 6, group=group, mask=mask, causal=causal, shift_out=shift, dtype=dtype)
        for group, mask, causal, shift, dtype in product(
            (1, 2), ("", "keys", "rows", "none"), (False, True), (-14, 0), ("i8", "i16")
        )
    ]
    cases += [packed(1, 4, 1, 64, fill=-128, m_score=136000000, mask=mask) for mask in ("", "keys")]
    assert_exact_anywhere("cortex-m4", cases)
