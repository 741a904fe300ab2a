"""q.biased_attention: the kernel against the reference, and the reference against q.attention."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.errors import VerifyError
from emberc.ir.ops.integer_biased import BiasedAttention
from tests.kernels.check import FILLS, INT8, INT16, SIZES, check, constant, tensor, value
from tests.kernels.test_attention import attention


def biased(q: Any, k: Any, v: Any, bias: Any, **fields: Any) -> Any:
    """The op with the fields of a plain attention and ``bias``; and its operands' arrays."""
    finer = q.dtype == INT8 and fields.get("dtype") == "i16"
    plain, arrays = attention(q, k, v, 2.0, 300.0 if finer else 1.3, **fields)
    op = BiasedAttention(*plain.operands, constant(bias, np.int16), **plain.attrs)
    return plain, op, arrays


@pytest.mark.parametrize(("inner", "dtype"), [(INT8, "i8"), (INT8, "i16"), (INT16, "i16")], ids=str)
@pytest.mark.parametrize("keys", SIZES)
def test_biased_attention(keys: int, inner: Any, dtype: str) -> None:
    rng = np.random.default_rng(keys)
    for queries, heads, head_dim in ((1, 1, 1), (3, 2, 3), (keys, 1, 7)):
        for fill in FILLS:
            q, k, v = (tensor(rng, inner, (2, n, heads * head_dim), fill) for n in (queries, keys, keys))
            bias = tensor(rng, INT16, (heads, queries, keys), fill)
            mask = rng.random((2, 1, 1, keys)) < 0.7
            for more in ({"mask": mask}, {"causal": True}):
                _, op, arrays = biased(q, k, v, bias, heads=heads, head_dim=head_dim, dtype=dtype, **more)
                check(op, *arrays, bias)


def test_a_bias_of_zero_changes_nothing_and_a_large_one_picks_its_key() -> None:
    rng = np.random.default_rng(0)
    q, k, v = (tensor(rng, INT8, (1, 5, 4)) for _ in range(3))
    bias = np.zeros((1, 5, 5), np.int16)
    plain, op, arrays = biased(q, k, v, bias, heads=1, head_dim=4)
    np.testing.assert_array_equal(check(op, *arrays, bias), plain.run(*arrays)[0])
    bias = np.where(np.arange(5) == 2, 30000, bias).astype(np.int16)
    picked = check(biased(q, k, v, bias, heads=1, head_dim=4)[1], *arrays, bias).astype(int)
    assert np.ptp(picked, axis=1).max() <= 1  # every row is key 2's value, up to the last bit


def test_refuses_a_bias_of_another_shape() -> None:
    plain, _ = attention(
        np.zeros((1, 3, 4), np.int8), *[np.zeros((1, 5, 4), np.int8)] * 2, 2.0, 1.3, heads=1, head_dim=4
    )
    with pytest.raises(VerifyError, match=r"bias is \[1, 5, 3\], must be \[1, 3, 5\]"):
        BiasedAttention(*plain.operands, value(np.zeros((1, 5, 3), np.int16)), **plain.attrs)
