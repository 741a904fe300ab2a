"""Kernel names: the operation and the element types that it reads and writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emberc.errors import InternalError
from emberc.ir.types import DType

_BITS = {DType.I8: "s8", DType.BOOL: "s8", DType.I16: "s16", DType.I32: "s32"}


def typed(function: str, *reads: str, writes: str = "y") -> Callable[[Any], str]:
    """Names a kernel from an op's operand and result fields: ``ember_add`` on int16 and int8 operands with an int8
    result is ``ember_add_s16s8_s8``. Equal operand types are named once, the result's where it differs from the first
    operand's. Truth values go through the int8 kernels.
    """

    def name(op: Any) -> str:
        inputs = [_bits(getattr(op, field).type.dtype) for field in reads]
        output = _bits(getattr(op, writes).type.dtype)
        text = function + "_" + "".join(dict.fromkeys(inputs))
        return text if output == inputs[0] else f"{text}_{output}"

    return name


def by_input(function: str, field: str = "x") -> Callable[[Any], str]:
    """Names a kernel whose result type is fixed, from one operand: ``ember_compare_s32``."""
    return lambda op: f"{function}_{_bits(getattr(op, field).type.dtype)}"


def _bits(dtype: DType) -> str:
    if dtype not in _BITS:
        raise InternalError(f"no kernel takes elements of type {dtype.value}")
    return _BITS[dtype]
