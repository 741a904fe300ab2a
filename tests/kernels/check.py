"""Random operands of every kind that breaks kernels, and the check that a kernel equals its op's reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emberc.ir.arithmetic import fits32
from emberc.ir.op import Op
from emberc.ir.types import Array, TensorType
from emberc.ir.values import Constant, Value
from tests.kernels.calls import run_kernel, run_results

#: The shapes on which kernels break: one, below a block, odd tails, above a power of two.
SIZES = (1, 3, 7, 17, 129)
FILLS = ("random", "low", "high", "mixed")

INT8 = np.dtype(np.int8)
INT16 = np.dtype(np.int16)


def tensor(rng: np.random.Generator, dtype: np.dtype[Any], shape: tuple[int, ...], fill: str = "random") -> Array:
    """An array of that type: uniform, all lowest, all highest, or only those two."""
    info = np.iinfo(dtype)
    if fill == "low":
        return np.full(shape, info.min, dtype)
    if fill == "high":
        return np.full(shape, info.max, dtype)
    if fill == "mixed":
        return rng.choice(np.array([info.min, info.max], dtype), shape)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


def value(array: Array) -> Value:
    """An input of the array's type."""
    return Value(TensorType.of(array))


def constant(data: Any, dtype: type[np.generic] = np.int32) -> Constant:
    """A constant operand."""
    return Constant(np.asarray(data, dtype))


def check(op: Op, *arrays: Array | None) -> Array:
    """Verifies the op, runs reference and kernel (into its own buffer and in place), asserts equal bits."""
    op.verify()
    (want,) = op.run(*arrays)
    held: list[Any] = list(arrays)
    got = run_kernel(op, held)
    np.testing.assert_array_equal(got, want, err_msg=repr(op))
    for names in op.overwrites().values():
        for name in names:
            at = list(op.operand_fields).index(name)
            over = op.operands[at]
            if over is not None and op.may_cover(op.result, over):
                got = run_kernel(op, held, inplace=at)
                np.testing.assert_array_equal(got, want, err_msg=f"{op!r} in place of {name}")
    return want


def check_results(op: Op, arrays: Sequence[Array | None]) -> list[Array]:
    """``check`` for an op of several results: each in its own buffer, and each in place of each operand it may
    overwrite, one at a time."""
    op.verify()
    want, held = op.run(*arrays), list(arrays)
    places: list[dict[int, int]] = [{}]
    for field, names in op.inplace.items():
        i = op.result_fields.index(field)
        for at in (list(op.operand_fields).index(name) for name in names):
            array = arrays[at]
            if array is not None and (array.dtype.itemsize, array.shape) == (want[i].dtype.itemsize, want[i].shape):
                places.append({i: at})
    for inplace in places:
        for got, expected in zip(run_results(op, held, inplace), want, strict=True):
            np.testing.assert_array_equal(got, expected, err_msg=f"{op!r}, result -> operand {inplace}")
    return want


def headroom(lo: int, hi: int) -> int:
    """The largest shift s >= 0 with lo << s and hi << s inside int32, or the negative shift that brings them in."""
    s = 0
    while fits32(lo << (s + 1), hi << (s + 1)) and s < 30:
        s += 1
    while not fits32(lo >> -s if s < 0 else lo, hi >> -s if s < 0 else hi):
        s -= 1
    return s


def worst_and_sqnr(got: Array, want: NDArray[np.float64]) -> tuple[float, float]:
    """Largest error in output steps, and the signal to quantization noise ratio in dB."""
    error = got.astype(np.float64) - want
    return float(np.abs(error).max()), float(10 * np.log10((want**2).sum() / max((error**2).sum(), 1e-300)))
