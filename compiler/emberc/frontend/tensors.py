"""ONNX tensors as numpy arrays of the IR's element types."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from emberc.errors import ModelError, UnsupportedError
from emberc.frontend.external import read_external
from emberc.ir.types import Array, DType

# Half precision is computed in float32: the firmware has no floats, so only the values matter.
_DTYPES: dict[int, DType] = {
    TensorProto.FLOAT: DType.F32,
    TensorProto.FLOAT16: DType.F32,
    TensorProto.BFLOAT16: DType.F32,
    TensorProto.DOUBLE: DType.F64,
    TensorProto.INT8: DType.I8,
    TensorProto.UINT8: DType.U8,
    TensorProto.INT16: DType.I16,
    TensorProto.UINT16: DType.U16,
    TensorProto.INT32: DType.I32,
    TensorProto.UINT32: DType.U32,
    TensorProto.INT64: DType.I64,
    TensorProto.BOOL: DType.BOOL,
}
ELEMENT_TYPES = "float32, float64, float16, bfloat16, int8, uint8, int16, uint16, int32, uint32, int64, bool"


def element_type(onnx_type: int, at: str) -> DType:
    """The IR's element type for an ONNX one. Raises UnsupportedError, naming the place ``at``."""
    if onnx_type not in _DTYPES:
        names = {number: name for name, number in TensorProto.DataType.items()}
        name = names.get(onnx_type, str(onnx_type)).lower()
        raise UnsupportedError(f"element type {name} is not supported", at=at, details=[f"supported: {ELEMENT_TYPES}"])
    return _DTYPES[onnx_type]


def to_array(tensor: onnx.TensorProto, folder: Path | None, at: str) -> Array:
    """The tensor's elements, external data read from ``folder``.

    Raises ModelError for damaged data and for NaN, UnsupportedError for an element type that the IR lacks.
    """
    dtype = element_type(tensor.data_type, at)
    shape = tuple(tensor.dims)
    try:
        if tensor.data_location == TensorProto.EXTERNAL:
            stored = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
            array = read_external(tensor, prod(shape) * stored.itemsize, folder).view(stored).reshape(shape)
        else:
            array = numpy_helper.to_array(tensor)
    except ValueError as e:
        raise ModelError(f"tensor '{tensor.name}' does not hold {list(shape)} elements: {e}", at=at) from e
    array = np.asarray(array).astype(dtype.numpy, copy=False)
    if dtype.is_float and np.isnan(array).any():
        where = np.argwhere(np.isnan(array))
        raise ModelError(
            f"tensor '{tensor.name}' {list(shape)} holds {len(where)} NaN, the first at {where[0].tolist()}",
            code="E-NAN",
            at=at,
            hints=["the training diverged or the file is damaged: export the model again"],
        )
    return array
