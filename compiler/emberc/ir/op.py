"""The op base class: an op is one class in one place.

A subclass declares its operands, attributes and results as class fields, and defines what it means::

    class Relu(FloatOp):
        '''y = max(x, 0), elementwise.'''
        opcode = "f.relu"
        x = operand()
        y = result()

        def infer(self) -> list[TensorType]: return [self.x.type]
        def reference(self, x): return np.maximum(x, 0)

Declaring ``opcode`` registers the class, so that the parser and the passes know it by name. Every op has a
type inference, a numpy reference (for integer ops: the definition of the arithmetic, bit for bit), a cost,
its in-place and scratch properties, and a docstring with the formula and its source; ``tests/ir/test_ops.py``
fails for one that lacks any of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

import numpy as np

from emberc.errors import UsageError, VerifyError
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Value

if TYPE_CHECKING:
    from emberc.ir.graph import Function

T = TypeVar("T")
Attr = int | float | bool | str | list[Any] | None

OPS: dict[str, type[Op]] = {}


class _Field:
    name: str

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name


class operand(_Field):  # noqa: N801 (reads as a declaration)
    """One tensor that the op reads; ``dtypes`` restricts its element type."""

    def __init__(self, *dtypes: DType) -> None:
        self.dtypes = dtypes

    @overload
    def __get__(self, op: None, owner: type) -> operand: ...
    @overload
    def __get__(self, op: Op, owner: type) -> Value: ...
    def __get__(self, op: Op | None, owner: type) -> operand | Value:
        return self if op is None else op._operand(self.name)


class optional(_Field):  # noqa: N801
    """A tensor that may be absent."""

    def __init__(self, *dtypes: DType) -> None:
        self.dtypes = dtypes

    @overload
    def __get__(self, op: None, owner: type) -> optional: ...
    @overload
    def __get__(self, op: Op, owner: type) -> Value | None: ...
    def __get__(self, op: Op | None, owner: type) -> optional | Value | None:
        return self if op is None else op._optional(self.name)


class variadic(_Field):  # noqa: N801
    """Any number of tensors; the last declared operand."""

    def __init__(self, *dtypes: DType) -> None:
        self.dtypes = dtypes

    @overload
    def __get__(self, op: None, owner: type) -> variadic: ...
    @overload
    def __get__(self, op: Op, owner: type) -> list[Value]: ...
    def __get__(self, op: Op | None, owner: type) -> variadic | list[Value]:
        return self if op is None else op._variadic()


class result(_Field):  # noqa: N801
    """A tensor that the op writes."""

    @overload
    def __get__(self, op: None, owner: type) -> result: ...
    @overload
    def __get__(self, op: Op, owner: type) -> Value: ...
    def __get__(self, op: Op | None, owner: type) -> result | Value:
        return self if op is None else op.results[op.result_fields.index(self.name)]


class attribute(_Field, Generic[T]):  # noqa: N801
    """A compile-time parameter: int, float, bool, str, or a list of them. No default: it is required."""

    def __init__(self, *default: T) -> None:
        self.default = default

    @overload
    def __get__(self, op: None, owner: type) -> attribute[T]: ...
    @overload
    def __get__(self, op: Op, owner: type) -> T: ...
    def __get__(self, op: Op | None, owner: type) -> attribute[T] | T:
        return self if op is None else op.attrs[self.name]  # type: ignore[return-value]

    def __set__(self, op: Op, value: T) -> None:
        op.attrs[self.name] = value  # type: ignore[assignment]


@dataclass(frozen=True)
class Cost:
    """What one execution of an op takes: multiply-accumulates, and elements of other arithmetic."""

    macs: int = 0
    elements: int = 0


class Op:
    """One operation. ``loc`` is the ONNX node that it comes from."""

    opcode: ClassVar[str] = ""
    operand_fields: ClassVar[dict[str, operand | optional | variadic]] = {}
    attr_fields: ClassVar[dict[str, attribute[Any]]] = {}
    result_fields: ClassVar[list[str]] = []

    #: result name -> operands whose buffer it may overwrite when they die here, as ``may_cover`` says
    inplace: ClassVar[dict[str, tuple[str, ...]]] = {}
    #: such a result may have narrower elements, as many: kernels go through the elements once they write, from the
    #: first on, so what is written ends before all that is still to be read
    narrows: ClassVar[bool] = False
    #: results that kernels leave out where nobody reads them: they take no memory then
    droppable: ClassVar[tuple[str, ...]] = ()
    #: the result is the operand's bytes under another shape: it costs neither time nor memory
    is_view: ClassVar[bool] = False
    #: the attribute that names another function of the module, which the op runs
    calls: ClassVar[str | None] = None
    #: that function, once the module is linked
    callee: Function | None = None

    operands: list[Value | None]
    results: list[Value]
    attrs: dict[str, Attr]
    loc: str

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        fields = [(k, v) for base in reversed(cls.__mro__) for k, v in vars(base).items()]
        cls.operand_fields = {k: v for k, v in fields if isinstance(v, operand | optional | variadic)}
        cls.attr_fields = {k: v for k, v in fields if isinstance(v, attribute)}
        cls.result_fields = [k for k, v in dict(fields).items() if isinstance(v, result)]
        if "opcode" in vars(cls) and cls.opcode:
            known = OPS.get(cls.opcode)
            if known is not None and (known.__module__, known.__qualname__) != (
                cls.__module__,
                cls.__qualname__,
            ):
                raise UsageError(
                    f"op '{cls.opcode}' is already defined by {known.__module__}.{known.__qualname__}",
                    hints=["give the custom op a prefix of its own, as in 'my.op'"],
                )
            OPS[cls.opcode] = cls

    def __init__(
        self,
        *operands: Value | Sequence[Value] | None,
        types: Sequence[TensorType] | None = None,
        loc: str = "",
        **fields: Any,
    ) -> None:
        """Operands by position or by name, attributes by name; ``types`` overrides the inferred result types
        (integer ops: it carries the quantization, which can't be inferred)."""
        self.loc = loc
        self.attrs = {}
        self.operands = []
        self.results = []
        given = dict(zip(self.operand_fields, operands, strict=False))
        if len(operands) > len(self.operand_fields):
            raise VerifyError(f"{self.opcode} takes {len(self.operand_fields)} operands, got {len(operands)}", at=loc)
        for name, field in self.operand_fields.items():
            value = given.get(name, fields.pop(name, None))
            if isinstance(field, variadic):
                self.operands += list(value or [])
            elif value is None and isinstance(field, operand):
                raise VerifyError(f"{self.opcode} lacks its operand '{name}'", at=loc)
            else:
                self.operands.append(value)
        for v in self.operands:
            if v is not None:
                v.users.append(self)
        for name, attr in self.attr_fields.items():
            if name in fields:
                self.attrs[name] = fields.pop(name)
            elif attr.default:
                self.attrs[name] = attr.default[0]
            else:
                raise VerifyError(f"{self.opcode} lacks its attribute '{name}'", at=loc)
        if fields:
            raise VerifyError(f"{self.opcode} has no field '{next(iter(fields))}'", at=loc)
        if types is None:
            types = self.infer()
        self.results = [Value(t, None, self) for t in types]

    # --- what a subclass defines -----------------------------------------------------------------

    def infer(self) -> list[TensorType]:
        """Types of the results, from operands and attributes. Raises VerifyError when they do not fit."""
        raise VerifyError(f"{type(self).__name__} defines no type inference", at=self.loc)

    def verify(self) -> None:
        """Rules beyond types; raises VerifyError."""

    def reference(self, *operands: Any) -> Any:
        """The op on numpy arrays, in the order of ``operands`` (None where absent); one array per result."""
        raise VerifyError(f"{type(self).__name__} defines no reference", at=self.loc)

    def overwrites(self) -> dict[str, tuple[str, ...]]:
        """``inplace`` as it holds for this very op."""
        return self.inplace

    def may_cover(self, result: Value, over: Value) -> bool:
        """Whether ``result`` may begin at the first byte of ``over``, an operand that ``overwrites`` names for it:
        element by element the same memory, or narrower where kernels keep the order for that."""
        spare = over.type.dtype.size - result.type.dtype.size
        return over.type.elements == result.type.elements and (spare == 0 or (spare > 0 and self.narrows))

    def cost(self) -> Cost:
        """Multiply-accumulates and elementwise work of one execution."""
        return Cost(elements=sum(r.type.elements for r in self.results))

    @classmethod
    def from_parts(
        cls, operands: Sequence[Value | None], attrs: dict[str, Any], types: Sequence[TensorType], loc: str
    ) -> Op:
        """An op from its flat operand list, as the text form has it."""
        fixed = [n for n, f in cls.operand_fields.items() if not isinstance(f, variadic)]
        if len(operands) < len(fixed) or (len(operands) > len(fixed) == len(cls.operand_fields)):
            raise VerifyError(f"{cls.opcode} takes {len(cls.operand_fields)} operands, got {len(operands)}", at=loc)
        fields: dict[str, Any] = dict(zip(fixed, operands, strict=False))
        rest = [n for n, f in cls.operand_fields.items() if isinstance(f, variadic)]
        if rest:
            fields[rest[0]] = list(operands[len(fixed) :])
        return cls(**fields, **attrs, types=types, loc=loc)

    # --- structure -------------------------------------------------------------------------------

    def set_operand(self, index: int, value: Value | None) -> None:
        """Replaces one operand and keeps the use lists right."""
        old = self.operands[index]
        if old is not None:
            old.users.remove(self)
        self.operands[index] = value
        if value is not None:
            value.users.append(self)

    def drop_operands(self) -> None:
        """Unlinks the op from what it reads, before it is thrown away."""
        for i in range(len(self.operands)):
            self.set_operand(i, None)

    @property
    def result(self) -> Value:
        """The only result."""
        (only,) = self.results
        return only

    def named_operands(self) -> list[tuple[str, Value]]:
        """Present operands with their field names, variadic ones numbered."""
        names: list[str] = [n for n, f in self.operand_fields.items() if not isinstance(f, variadic)]
        rest = next((n for n, f in self.operand_fields.items() if isinstance(f, variadic)), "")
        names += [f"{rest}{i}" for i in range(len(self.operands) - len(names))]
        return [(n, v) for n, v in zip(names, self.operands, strict=True) if v is not None]

    def run(self, *arrays: Array | None) -> list[Array]:
        """The reference, always as a list of arrays with the types that the results promise."""
        out = self.reference(*arrays)
        outs = list(out) if isinstance(out, list | tuple) else [out]
        return [np.asarray(o, dtype=r.type.dtype.numpy) for o, r in zip(outs, self.results, strict=True)]

    def _operand(self, name: str) -> Value:
        value = self._optional(name)
        if value is None:
            raise VerifyError(f"{self.opcode} lacks its operand '{name}'", at=self.loc)
        return value

    def _optional(self, name: str) -> Value | None:
        return self.operands[list(self.operand_fields).index(name)]

    def _variadic(self) -> list[Value]:
        fixed = sum(not isinstance(f, variadic) for f in self.operand_fields.values())
        return [v for v in self.operands[fixed:] if v is not None]

    def __repr__(self) -> str:
        return f"<{self.opcode} {self.loc}>"


def op_class(opcode: str) -> type[Op]:
    """The class of an opcode. Raises UsageError for an unknown one."""
    if opcode not in OPS:
        raise UsageError(f"unknown op '{opcode}'", hints=["import the module that defines it first"])
    return OPS[opcode]
