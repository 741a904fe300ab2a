"""q.attention: the kernel against the reference bit for bit, the reference against float, and what verify refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.errors import VerifyError
from emberc.ir.arithmetic import exp2_table
from emberc.ir.ops.integer_attention import Attention
from emberc.quant.multiplier import multiplier
from tests.kernels.check import FILLS, INT8, INT16, SIZES, check, constant, tensor, value, worst_and_sqnr

STEPS = 64


def attention(q: Any, k: Any, v: Any, sigma: float, ratio: float, *, top: int = 4095, **fields: Any) -> Any:
    """A q.attention whose scores have about ``sigma`` nats; ``ratio`` is scale_v / scale_y."""
    d, bits = fields["head_dim"], 8 * q.dtype.itemsize
    steps = STEPS if bits == 8 else 4 * STEPS
    rms = 74 << (bits - 8)  # of integers spread evenly
    score = multiplier(sigma / (rms * rms * np.sqrt(d)) * np.log2(np.e) * steps, d << 2 * (bits - 1))
    shift_out = 13
    while ratio * 2.0 ** (16 + bits - shift_out) < 1 << 31 and shift_out > -24:
        shift_out -= 1
    c_out = min(int(ratio * 2.0 ** (16 + bits - shift_out)), (1 << 32) - 1)
    table = exp2_table(top, steps)
    mask = fields.pop("mask", None)
    return Attention(
        value(q),
        value(k),
        value(v),
        constant(table, np.int16),
        None if mask is None else value(mask),
        m_score=int(score.m[0]),
        shift_score=score.shift,
        c_out=c_out,
        shift_out=shift_out,
        **fields,
    ), [q, k, v, table, mask]


@pytest.mark.parametrize("dtype", ["i8", "i16"])
@pytest.mark.parametrize("keys", SIZES)
def test_attention(keys: int, dtype: str) -> None:
    rng = np.random.default_rng(keys)
    for queries, heads, head_dim in ((1, 1, 1), (3, 2, 3), (keys, 1, 7), (2, 3, 16)):
        for fill in FILLS:
            q, k, v = (tensor(rng, INT8, (2, n, heads * head_dim), fill) for n in (queries, keys, keys))
            for causal in (False, True):
                op, arrays = attention(
                    q, k, v, 2.0, 1.3 if dtype == "i8" else 300.0, heads=heads, head_dim=head_dim,
                    causal=causal, zero_point=-7, dtype=dtype,
                )  # fmt: skip
                check(op, *arrays)


@pytest.mark.parametrize("keys", SIZES)
def test_attention_of_int16(keys: int) -> None:
    rng = np.random.default_rng(keys)
    for queries, heads, head_dim in ((1, 1, 1), (3, 2, 3), (keys, 1, 7), (2, 3, 16)):
        for fill in FILLS:
            q, k, v = (tensor(rng, INT16, (2, n, heads * head_dim), fill) for n in (queries, keys, keys))
            mask = rng.random((2, 1, 1, keys)) < 0.7
            for more in ({"mask": mask}, {"causal": True}):
                op, arrays = attention(q, k, v, 2.0, 1.3, heads=heads, head_dim=head_dim, dtype="i16", **more)
                check(op, *arrays)


def test_packed_and_grouped() -> None:
    # one value of 4 query heads, 2 key heads, 2 value heads and two columns of something else
    rng = np.random.default_rng(1)
    packed = tensor(rng, INT8, (2, 7, 2 + 8 * 5))
    op, arrays = attention(
        packed, packed, packed, 1.0, 1.0, heads=4, head_dim=5, group=2, q_offset=2, k_offset=22, v_offset=32
    )
    got = check(op, *arrays)
    apart, arrays = attention(
        np.ascontiguousarray(packed[..., 2:22]),
        np.repeat(packed[..., 22:32].reshape(2, 7, 2, 5), 2, axis=2).reshape(2, 7, 20),
        np.repeat(packed[..., 32:42].reshape(2, 7, 2, 5), 2, axis=2).reshape(2, 7, 20),
        1.0, 1.0, heads=4, head_dim=5,
    )  # fmt: skip
    np.testing.assert_array_equal(check(apart, *arrays), got)


@pytest.mark.parametrize("shape", [(1, 1, 1, 17), (2, 1, 1, 17), (1, 1, 7, 17), (2, 1, 7, 17)])
def test_masks(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(2)
    q, k, v = tensor(rng, INT8, (2, 7, 6)), tensor(rng, INT8, (2, 17, 6)), tensor(rng, INT8, (2, 17, 6))
    mask = rng.random(shape) < 0.4
    mask[-1, 0, -1] = False
    for causal in (False, True):
        op, arrays = attention(q, k, v, 3.0, 1.0, heads=2, head_dim=3, mask=mask, causal=causal, zero_point=11)
        got = check(op, *arrays)
        assert (got[-1, -1] == 11).all(), "a fully masked row is the zero point"


def test_causal_rows_without_any_key() -> None:
    # more queries than keys: the first ones see nothing
    rng = np.random.default_rng(3)
    q, k = tensor(rng, INT8, (1, 7, 4)), tensor(rng, INT8, (1, 3, 4))
    op, arrays = attention(q, k, k, 1.0, 1.0, heads=1, head_dim=4, causal=True, zero_point=-5)
    assert (check(op, *arrays)[0, :4] == -5).all()


def test_extreme_scores_saturate() -> None:
    rng = np.random.default_rng(4)
    q, k = tensor(rng, INT8, (1, 3, 16), "mixed"), tensor(rng, INT8, (1, 129, 16), "mixed")
    op, arrays = attention(q, k, tensor(rng, INT8, (1, 129, 16)), 300.0, 1.0, heads=1, head_dim=16)
    check(op, *arrays)


@pytest.mark.parametrize("sigma", [0.05, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("keys", [1, 16, 128, 512])
def test_close_to_float(keys: int, sigma: float) -> None:
    """Half a step is the output's own rounding; the rest is the weights' (1/64 octave, 12 bits)."""
    rng = np.random.default_rng(keys)
    d, lq = 32, 16
    q, k, v = tensor(rng, INT8, (1, lq, d)), tensor(rng, INT8, (1, keys, d)), tensor(rng, INT8, (1, keys, d))
    scores = q[0].astype(float) @ k[0].astype(float).T * sigma / (74 * 74 * np.sqrt(d))
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    y = p / p.sum(axis=1, keepdims=True) @ v[0].astype(float)
    ratio = 127 / float(np.abs(y).max())
    op, arrays = attention(q, k, v, sigma, ratio, heads=1, head_dim=d)
    worst, sqnr = worst_and_sqnr(check(op, *arrays)[0], y * ratio)
    assert worst < 1.25, worst
    assert sqnr > 39.0, sqnr


@pytest.mark.parametrize("sigma", [0.05, 2.0, 4.0])
@pytest.mark.parametrize("keys", [1, 16, 512])
def test_int16_is_close_to_float(keys: int, sigma: float) -> None:
    """What is lost is a score's rounding to 1/256 octave and a weight's to 12 bits, both below 0.1 % rms; a mean over
    many keys is smaller than its terms and shows more of it."""
    rng = np.random.default_rng(keys)
    d, lq = 32, 16
    q, k, v = tensor(rng, INT16, (1, lq, d)), tensor(rng, INT16, (1, keys, d)), tensor(rng, INT16, (1, keys, d))
    rms = 74 << 8
    scores = q[0].astype(float) @ k[0].astype(float).T * sigma / (rms * rms * np.sqrt(d))
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    y = p / p.sum(axis=1, keepdims=True) @ v[0].astype(float)
    ratio = 32767 / float(np.abs(y).max())
    op, arrays = attention(q, k, v, sigma, ratio, heads=1, head_dim=d, dtype="i16")
    assert worst_and_sqnr(check(op, *arrays)[0], y * ratio)[1] > 50.0


def test_refuses_types_that_differ() -> None:
    x, y = np.zeros((1, 3, 4), np.int8), np.zeros((1, 3, 4), np.int16)
    with pytest.raises(VerifyError, match="different types"):
        attention(x, y, y, 1.0, 1.0, heads=1, head_dim=4)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"top": 16384}, "weighted sum"),
        ({"heads": 3}, "groups|do not fit"),
        ({"q_offset": 1}, "do not fit"),
    ],
)
def test_refuses(change: dict[str, Any], problem: str) -> None:
    x = np.zeros((1, 1100, 8), np.int8)
    fields: dict[str, Any] = {"heads": 2, "head_dim": 4, **change}
    with pytest.raises(VerifyError, match=problem):
        attention(x, x, x, 1.0, 1.0, **fields)[0].verify()


def test_refuses_a_table_that_does_not_fall_to_zero() -> None:
    x = value(np.zeros((1, 2, 4), np.int8))
    for table in ([3, 2, 1], [3, 1, 2, 0], [0, 0]):
        op = Attention(x, x, x, constant(table, np.int16), heads=1, head_dim=4, m_score=1, c_out=1 << 31, shift_out=0)
        with pytest.raises(VerifyError, match="table"):
            op.verify()
