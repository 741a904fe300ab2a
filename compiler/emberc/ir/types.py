"""Element types, quantization and tensor types: what a value is.

A type is element type + static shape + (for integer values) how the integers stand for reals.
Scales are metadata: they serve lowering and reports, no integer op reads one when it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Any numpy array; element types are checked by TensorType, not by mypy.
Array = NDArray[Any]


class DType(Enum):
    """Element types; the value is the text form."""

    F32 = "f32"
    F64 = "f64"
    I8 = "i8"
    U8 = "u8"
    I16 = "i16"
    U16 = "u16"
    I32 = "i32"
    U32 = "u32"
    I64 = "i64"
    BOOL = "bool"

    @property
    def numpy(self) -> np.dtype[np.generic]:
        """The numpy element type."""
        return _NUMPY[self]

    @property
    def size(self) -> int:
        """Bytes of one element."""
        return self.numpy.itemsize

    @property
    def is_float(self) -> bool:
        return self in (DType.F32, DType.F64)

    @property
    def is_integer(self) -> bool:
        return not self.is_float and self is not DType.BOOL

    @property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest value of an integer type."""
        return _LIMITS[self]

    @staticmethod
    def of(dtype: np.dtype[np.generic] | type[np.generic]) -> DType:
        """The element type of a numpy dtype. Raises KeyError for one that the IR does not have."""
        return _FROM_NUMPY[np.dtype(dtype)]


_NUMPY: dict[DType, np.dtype[np.generic]] = {
    DType.F32: np.dtype(np.float32),
    DType.F64: np.dtype(np.float64),
    DType.I8: np.dtype(np.int8),
    DType.U8: np.dtype(np.uint8),
    DType.I16: np.dtype(np.int16),
    DType.U16: np.dtype(np.uint16),
    DType.I32: np.dtype(np.int32),
    DType.U32: np.dtype(np.uint32),
    DType.I64: np.dtype(np.int64),
    DType.BOOL: np.dtype(np.bool_),
}
#: np.iinfo takes longer than many a clamp that asks for it
_LIMITS = {t: (int(np.iinfo(d).min), int(np.iinfo(d).max)) for t, d in _NUMPY.items() if t.is_integer}  # type: ignore[type-var]
_FROM_NUMPY = {v: k for k, v in _NUMPY.items()}


@dataclass(frozen=True)
class Quant:
    """How integers q stand for reals: real = scale * (q - zero_point).

    ``scale`` holds one number, or one per index of ``axis``.
    """

    scale: tuple[float, ...]
    zero_point: int = 0
    axis: int | None = None

    @staticmethod
    def per_tensor(scale: float, zero_point: int = 0) -> Quant:
        return Quant((float(scale),), int(zero_point))

    def scale_array(self, rank: int) -> NDArray[np.float64]:
        """The scale, shaped to broadcast against a tensor of ``rank`` dimensions."""
        s = np.asarray(self.scale, np.float64)
        if self.axis is None:
            return s.reshape(())
        shape = [1] * rank
        shape[self.axis] = len(self.scale)
        return s.reshape(shape)

    def dequantize(self, q: Array) -> NDArray[np.float32]:
        """Reals that the integers ``q`` stand for."""
        real = self.scale_array(q.ndim) * (q.astype(np.float64) - self.zero_point)
        return real.astype(np.float32)

    def quantize(self, x: Array, dtype: DType) -> Array:
        """Nearest integers of ``dtype``, ties to even, saturated."""
        lo, hi = dtype.limits
        with np.errstate(over="ignore"):  # a mask's -3.4e38 over a small scale saturates like the rest
            q = np.rint(x.astype(np.float64) / self.scale_array(x.ndim)) + self.zero_point
        out: Array = np.clip(q, lo, hi).astype(dtype.numpy)
        return out


@dataclass(frozen=True)
class TensorType:
    """Element type, static shape, and quantization for integers that stand for reals."""

    dtype: DType
    shape: tuple[int, ...]
    quant: Quant | None = None

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.elements * self.dtype.size

    def with_shape(self, shape: Sequence[int]) -> TensorType:
        return replace(self, shape=tuple(int(s) for s in shape))

    def with_dtype(self, dtype: DType) -> TensorType:
        return replace(self, dtype=dtype)

    def with_quant(self, quant: Quant | None) -> TensorType:
        return replace(self, quant=quant)

    @staticmethod
    def of(array: Array) -> TensorType:
        return TensorType(DType.of(array.dtype), tuple(array.shape))
