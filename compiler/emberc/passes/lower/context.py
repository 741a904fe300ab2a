"""The registry of lowerings and what a lowering sees of the function that it helps to rewrite."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from emberc.errors import EmberError, InternalError, UnsupportedError
from emberc.ir.builder import Builder
from emberc.ir.graph import Function
from emberc.ir.op import Op
from emberc.ir.types import Array, DType, Quant, TensorType
from emberc.ir.values import Constant, Value
from emberc.quant.forms import Form, pack
from emberc.quant.grid import Reals, tensor_grid
from emberc.quant.multiplier import EXTREME
from emberc.quant.precision import affine
from emberc.quant.scan import ScanScales

O = TypeVar("O", bound=Op)  # noqa: E741
LowerFunction = Callable[[Any, "Lowering"], "Value | Sequence[Value]"]

LOWERINGS: dict[str, LowerFunction] = {}
#: element types that a graph input may have and few kernels take
_UNSIGNED = (DType.U8, DType.U16, DType.U32)


def lowering(*opcodes: str) -> Callable[[LowerFunction], LowerFunction]:
    """Registers ``f(op, ctx) -> value(s)`` as the lowering of float ops with these opcodes."""

    def register(f: LowerFunction) -> LowerFunction:
        for opcode in opcodes:
            LOWERINGS[opcode] = f
        return f

    return register


class Lowering:
    """State of one function's rewrite from float to integer.

    ``types`` maps ``id(float value)`` to the integer type chosen for it, ``forms`` that of a weight to its packed form;
    ``scans`` and ``convs`` map ``id(op)`` to what was calibrated for a selective scan, and to the range of a causal
    convolution's channels before SiLU; ``wide`` holds the ``id`` of weights of 16 bits (``lower.linear.in_parts``).
    """

    def __init__(
        self,
        types: dict[int, TensorType],
        forms: Mapping[int, Form] | None = None,
        scans: Mapping[int, ScanScales] | None = None,
        convs: Mapping[int, tuple[Reals, Reals]] | None = None,
        wide: Collection[int] = (),
    ) -> None:
        self.types = types
        self.forms = forms or {}
        self.scans = scans or {}
        self.convs = convs or {}
        self.wide = wide
        self.values: dict[int, Value] = {}
        self.builder = Builder(fold=False)

    # --- values ----------------------------------------------------------------------------------

    def type_of(self, v: Value) -> TensorType:
        """Integer type of a float value, or the type that an index or boolean value has in firmware."""
        if id(v) in self.types:
            return self.types[id(v)]
        if v.type.dtype is DType.I64:
            return v.type.with_dtype(DType.I32)
        return v.type

    def quant(self, v: Value) -> Quant:
        """The quantization of a float value. Raises InternalError for one that has none."""
        q = self.get(v).type.quant
        if q is None:
            raise InternalError(f"value {v} has no quantization")
        return q

    def scale(self, v: Value) -> float:
        """The scale of a value that has one for all its elements."""
        (s,) = set(self.quant(v).scale)
        return s

    def get(self, v: Value) -> Value:
        """The integer value that stands for ``v``; constants are quantized on first use."""
        if id(v) not in self.values:
            if v.const is None:
                raise InternalError(f"value {v} was not lowered before its use")
            self.values[id(v)] = self._constant(v)
        return self.values[id(v)]

    def real(self, v: Value) -> Array:
        """The float array of a constant operand. Raises UnsupportedError for anything else."""
        if v.const is None:
            raise UnsupportedError(
                f"value {v} is computed where firmware needs a weight",
                at=self.at(),
                hints=["make it an initializer, or fix that input: --fix NAME=VALUE"],
            )
        return v.const.astype(np.float64)

    def const(self, data: Any, dtype: DType, name: str | None = None) -> Constant:
        """An integer constant; raises UnsupportedError when a number does not fit ``dtype``."""
        wide = np.asarray(data)
        lo, hi = dtype.limits
        if wide.size and (wide.min() < lo or wide.max() > hi):
            raise UnsupportedError(
                f"constant '{name or '?'}' needs {wide.min():.4g} .. {wide.max():.4g}, {dtype.value} is too small",
                at=self.at(),
                hints=["a value beside it was about 0 in every sample: calibrate on real ones (--calib)", EXTREME],
            )
        return Constant(np.rint(wide).astype(dtype.numpy), name)

    def weights(self, steps: Array, source: Value) -> Constant:
        """A matrix in int8 steps as a constant: rounded, or packed where the weight ``source`` has a form."""
        form = self.forms.get(id(source))
        if form is None:
            return self.const(np.rint(steps), DType.I8, source.name)
        return Constant.unpack(pack(steps, form), source.name)

    def _constant(self, v: Value) -> Constant:
        """A constant as it stands in firmware: floats on an 8-bit grid (a quantized model's) as int8, others as
        symmetric int16 (they are few and small), ids as int32."""
        data = v.const
        assert data is not None
        if v.type.dtype.is_float:
            if not np.isfinite(data).all():
                raise UnsupportedError(
                    f"constant '{v.name or '?'}' {list(v.shape)} holds infinity outside a mask that is recognised",
                    at=self.at(),
                    hints=["masks are recognised where a softmax follows; elsewhere, export a large finite number"],
                )
            grid = tensor_grid(data.astype(np.float64))
            if grid is not None:
                given = Quant.per_tensor(grid[0], -grid[1])
                return Constant(given.quantize(data, DType.I8), v.name, given)
            top = float(np.abs(data).max(initial=0.0))
            quant = affine(-top, top, DType.I16, symmetric=True)
            return Constant(quant.quantize(data, DType.I16), v.name, quant)
        if v.type.dtype is DType.I64:
            lo, hi = DType.I32.limits
            return Constant(np.clip(data, lo, hi).astype(np.int32), v.name)
        return Constant(data, v.name)

    # --- ops -------------------------------------------------------------------------------------

    def emit(self, cls: type[O], *operands: Any, type: TensorType, **fields: Any) -> Value:
        """Appends an integer op whose result has ``type`` (its quantization can't be inferred)."""
        (only,) = self.emit_all(cls, *operands, types=[type], **fields)
        return only

    def emit_all(self, cls: type[O], *operands: Any, types: list[TensorType], **fields: Any) -> list[Value]:
        """Appends an integer op with several results. Raises UnsupportedError for unsigned elements without kernel."""
        results = self.builder.add(cls, *operands, types=types, **fields)
        for field, v in zip(cls.operand_fields.values(), self.builder.ops[-1].operands, strict=False):
            if v is not None and v.type.dtype in _UNSIGNED and field.dtypes and v.type.dtype not in field.dtypes:
                raise UnsupportedError(
                    f"{cls.opcode} has no kernel for elements of type {v.type.dtype.value}",
                    at=self.at(),
                    hints=["export the model with that input as int64 or int32"],
                )
        return results

    def at(self) -> str:
        """The ONNX node being lowered, for errors."""
        return self.builder.loc

    def run(self, function: Function) -> Function:
        """The integer twin of ``function``."""
        out = Function(function.name)
        for v in function.inputs:
            self.values[id(v)] = Value(self.type_of(v), v.name)
            out.inputs.append(self.values[id(v)])
        for op in function.ops:
            self.builder.loc = op.loc
            try:
                new = LOWERINGS[op.opcode](op, self)
            except (ArithmeticError, ValueError) as e:
                if not _has_extremes(op):
                    raise
                raise UnsupportedError(
                    f"the weights of this {op.opcode} can't be brought to integers: {e}",
                    at=op.loc,
                    hints=["they hold numbers beyond 1e30 or below 1e-30: look for a damaged one"],
                ) from e
            except EmberError as e:
                e.at = e.at or op.loc
                raise
            for old, value in zip(op.results, [new] if isinstance(new, Value) else new, strict=True):
                self.values[id(old)] = value
                if value.name is None and value.const is None:
                    value.name = old.name
        out.ops = self.builder.ops
        out.outputs = {name: self.get(v) for name, v in function.outputs.items()}
        out.states = list(function.states)
        return out


def _has_extremes(op: Op) -> bool:
    """Whether a weight holds numbers so large or small that scales made of them leave the range of floats."""
    weights = [np.abs(v.const) for v in op.operands if v is not None and v.const is not None and v.type.dtype.is_float]
    return any(((w > 1e30) | ((w > 0) & (w < 1e-30))).any() for w in weights)
