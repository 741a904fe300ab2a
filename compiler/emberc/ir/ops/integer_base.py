"""What all ``q.*`` ops share: integers only, constants known at compile time, and bounds that are proved."""

from __future__ import annotations

from typing import ClassVar

from emberc.errors import VerifyError
from emberc.ir.arithmetic import INT32_MAX, INT32_MIN, fits32
from emberc.ir.op import Op
from emberc.ir.types import Array, DType
from emberc.ir.values import Value

#: Element types of quantized activations.
QUANTIZED = (DType.I8, DType.I16)

_C_TYPE = {DType.I8: "s8", DType.BOOL: "s8", DType.I16: "s16", DType.I32: "s32"}


class IntegerOp(Op):
    """An op whose numpy reference is the bits that every kernel must give."""

    #: operands whose element types select the kernel, see :meth:`kernel`
    typed_by: ClassVar[tuple[str, ...]] = ("x",)

    def kernel(self) -> str:
        """Name of the C function, from the opcode and the element types: inputs, then y where it differs.

        ``ember_matmul_s8`` maps int8 to int8, ``ember_matmul_s8_s16`` int8 to int16, ``ember_add_s16s8`` adds an
        int8 to an int16 value. bool has the kernels of int8.
        """
        types = [_C_TYPE[self._operand(name).type.dtype] for name in self.typed_by]
        out = _C_TYPE[self.results[0].type.dtype]
        inputs = "".join(dict.fromkeys(types)) or out
        tail = "" if out == (types or [out])[0] else f"_{out}"
        return f"ember_{self.opcode.partition('.')[2]}_{inputs}{tail}"

    def scratch_bytes(self) -> int:
        """Bytes of working memory that the portable kernel takes from the arena, 4-byte aligned."""
        return 0

    def constant(self, name: str) -> Array:
        """The array of operand ``name``. Raises VerifyError when it is not known at compile time."""
        value = self._operand(name)
        if value.const is None:
            raise VerifyError(f"operand '{name}' must be a constant", at=self.loc)
        return value.const

    def out_dtype(self, *allowed: DType) -> DType:
        """The attribute ``dtype`` as a type. Raises VerifyError when it is none of ``allowed``."""
        for d in allowed:
            if self.attrs["dtype"] == d.value:
                return d
        raise VerifyError(
            f"dtype is {self.attrs['dtype']!r}, allowed: {', '.join(d.value for d in allowed)}", at=self.loc
        )

    def require(self, good: bool, problem: str) -> None:
        """Raises VerifyError(problem) unless ``good``."""
        if not good:
            raise VerifyError(problem, at=self.loc)

    def require_int32(self, what: str, lo: int, hi: int) -> None:
        """Raises VerifyError unless [lo, hi], the proved range of ``what``, fits 32 bits."""
        self.require(fits32(lo, hi), f"{what} may reach [{lo}, {hi}], which does not fit 32 bits")

    def require_range(self, name: str, lo: int, hi: int) -> None:
        """Raises VerifyError unless the integer attribute ``name`` is in [lo, hi]."""
        value = self.attrs[name]
        good = isinstance(value, int) and not isinstance(value, bool) and lo <= value <= hi
        self.require(good, f"attribute '{name}' is {value}, allowed: {lo} .. {hi}")

    def require_word(self, *names: str) -> None:
        """Raises VerifyError unless the attributes are int32."""
        for name in names:
            self.require_range(name, INT32_MIN, INT32_MAX)


def rows_of(x: Value) -> int:
    """Product of all dimensions but the last."""
    return x.type.elements // x.shape[-1] if x.type.rank and x.shape[-1] else 0
