"""Operators that ONNX defines by a function body: what has no importer of its own is spelled out by its schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import onnx

from emberc.frontend.context import Attributes
from emberc.ir.types import DType
from emberc.ir.values import Value

_ONNX_TYPES: dict[DType, int] = {
    DType.F32: onnx.TensorProto.FLOAT,
    DType.F64: onnx.TensorProto.DOUBLE,
    DType.I8: onnx.TensorProto.INT8,
    DType.U8: onnx.TensorProto.UINT8,
    DType.I16: onnx.TensorProto.INT16,
    DType.U16: onnx.TensorProto.UINT16,
    DType.I32: onnx.TensorProto.INT32,
    DType.U32: onnx.TensorProto.UINT32,
    DType.I64: onnx.TensorProto.INT64,
    DType.BOOL: onnx.TensorProto.BOOL,
}


@dataclass(frozen=True)
class Body:
    """A function to enter, with the attributes that its nodes may refer to."""

    function: onnx.FunctionProto
    attributes: Attributes


def schema_body(
    node: onnx.NodeProto, domain: str, opset: int, inputs: Sequence[Value | None], attributes: Attributes
) -> Body | None:
    """The body by which the ONNX standard defines an operator, None for a primitive one."""
    try:
        schema: Any = onnx.defs.get_schema(node.op_type, opset, domain)  # onnx types only part of its class
    except onnx.defs.SchemaError:
        return None
    defaults = {name: a.default_value for name, a in schema.attributes.items() if a.default_value.name}
    if schema.has_function:
        return Body(schema.function_body, {**defaults, **attributes})
    if schema.has_context_dependent_function:
        types = [_type_proto(v).SerializeToString() for v in inputs]
        concrete = onnx.NodeProto()
        concrete.CopyFrom(node)
        del concrete.attribute[:]
        concrete.attribute.extend(attributes.values())
        function = onnx.FunctionProto()
        function.ParseFromString(schema.get_context_dependent_function(concrete.SerializeToString(), types))
        return Body(function, {**defaults, **attributes})
    return None


def has_schema_body(op_type: str, domain: str, opset: int) -> bool:
    """Whether the standard defines an operator by a function body."""
    try:
        schema: Any = onnx.defs.get_schema(op_type, opset, domain)
    except onnx.defs.SchemaError:
        return False
    return bool(schema.has_function or schema.has_context_dependent_function)


def _type_proto(value: Value | None) -> onnx.TypeProto:
    if value is None:
        return onnx.TypeProto()
    return onnx.helper.make_tensor_type_proto(_ONNX_TYPES[value.type.dtype], value.shape)
