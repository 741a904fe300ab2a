"""What an emitter sees: C expressions for values, constants, parameters and scratch."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

from emberc.backend.c.constants import ConstantPool, Kind
from emberc.backend.c.kernels import Kernel, portable_kernel
from emberc.backend.c.literals import Initialiser, c_type
from emberc.backend.c.registry import Call, emitter_of
from emberc.backend.planning import FunctionPlan, Home, Place
from emberc.errors import InternalError
from emberc.ir.graph import root
from emberc.ir.op import Op
from emberc.ir.types import Array
from emberc.ir.values import Constant, Value

Fields = dict[str, Initialiser]


def buffer_pointer(place: Place, fields: dict[tuple[str, str], str]) -> str:
    """The C expression for a place in the arena or in one of the caller's buffers; NULL for what is left out."""
    if place.home is Home.ARENA:
        return arena_pointer(place.name, place.offset)
    if place.home is Home.NOWHERE:
        return "NULL"
    return fields[place.home.value, place.name]


def arena_pointer(pool: str, offset: int) -> str:
    """The C expression for ``offset`` bytes into the arena, the one in ``pool`` where there are several."""
    return f"{at_macro(pool)}(0x{offset:04x})"


def at_macro(pool: str) -> str:
    """The macro that makes a pointer into an arena: ``AT``, or ``AT_DTCM`` for that in DTCM."""
    return f"AT_{pool.upper()}" if pool else "AT"


@dataclass(frozen=True)
class Params:
    """A ``static const`` struct of the generated C file, or an array of them."""

    struct: str
    symbol: str
    items: list[Fields]
    is_array: bool = False


class EmitContext:
    """Handed to an emitter with one op; collects the constants and parameters that its calls refer to."""

    def __init__(
        self,
        op: Op,
        kernel: Kernel,
        index: str,
        plan: FunctionPlan,
        pool: ConstantPool,
        fields: dict[tuple[str, str], str],
    ) -> None:
        """``index`` tells the op from all others of the program; ``fields`` maps ("in" or "out", name) to the C
        expression of that buffer."""
        self.kernel = kernel
        self.kernels_used = [kernel]
        self.params_used: list[Params] = []
        self._op = op
        self._whole = id(op)
        self._index = index
        self._plan = plan
        self._pool = pool
        self._fields = fields
        self._inside = False

    def inside(self, op: Op, kernel: Kernel) -> EmitContext:
        """The same context for ``op``, a part of this one's: its constants and parameters are collected here too. Its
        operands that are no constants live wherever the kernel of the whole keeps them: their pointers are NULL."""
        part = copy(self)
        part._op, part.kernel, part._inside = op, kernel, True
        return part

    def pointer(self, value: Value | None, kind: Kind = "weights", ctype: str = "") -> str:
        """A pointer to the value's first element: in the arena, the caller's buffer, or flash. NULL if absent.

        ``kind`` says what a constant counts as in the report. ``ctype`` is the element type that the kernel declares
        where it is not the value's own (truth values that go through an int8 kernel).
        """
        if value is None:
            return "NULL"
        base = root(value)
        if self._inside and not isinstance(base, Constant):
            return "NULL"
        place = self._plan.place(base)
        if isinstance(base, Constant):
            text = self.array(base.data, self._hint(value, base), kind)
        else:
            text = buffer_pointer(place, self._fields)
        if ctype and ctype != c_type(value.type.dtype) and place.home is not Home.ARENA:
            const = "" if place.home is Home.OUTPUT else "const "
            return f"({const}{ctype} *){text}"
        return text

    @property
    def scratch(self) -> str:
        """A pointer to the op's scratch, NULL if it has none."""
        region = self._plan.scratch(self._op)
        return "NULL" if region is None else arena_pointer(region.pool, region.offset)

    def array(self, array: Array, hint: str, kind: Kind = "weights") -> str:
        """A pointer to a constant array in flash, usable in an initialiser; equal arrays are stored once.

        ``hint`` is best the ONNX name: the C symbol is made from it.
        """
        return self._pool.add(array, hint, kind, self._whole)

    def weights(self, value: Value) -> str:
        """A pointer to a constant operand in the layout that the selected kernel reads."""
        if value.const is None:
            raise InternalError(f"the weights of {self._op.opcode} are not a constant", at=self._op.loc)
        return self.array(self.kernel.pack_weights(value.const), self._hint(value, value))

    def params(self, struct: str, fields: Fields) -> str:
        """The address of a ``static const`` struct with these fields; a string is a C expression."""
        return "&" + self._add_params(struct, [fields], is_array=False)

    def params_array(self, struct: str, items: list[Fields]) -> str:
        """The first element of a ``static const`` array of structs."""
        return self._add_params(struct, items, is_array=True)

    def call(self, *arguments: str) -> Call:
        """The call of the selected kernel."""
        return Call(self.kernel.function, arguments, emitter_of(self._op).can_fail)

    def call_also(self, function: str, *arguments: str) -> Call:
        """The call of a further kernel of the portable runtime, one that can't fail."""
        self.kernels_used.append(portable_kernel(function))
        return Call(function, arguments)

    def _add_params(self, struct: str, items: list[Fields], *, is_array: bool) -> str:
        suffix = f"_{len(self.params_used) + 1}" if self.params_used else ""
        symbol = f"{self._pool.prefix}_p{self._index}{suffix}"
        self.params_used.append(Params(struct, symbol, items, is_array))
        return symbol

    def _hint(self, value: Value, base: Value) -> str:
        operand = next((name for name, v in self._op.named_operands() if v is value), "constant")
        return base.name or f"{self._op.loc or f'op{self._index}'}_{operand}"
