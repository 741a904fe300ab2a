"""One op with inputs: what a kernel is measured and checked on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from emberc.backend.c.kernels import Kernel, select_kernel
from emberc.ir.graph import Function
from emberc.ir.interpreter import run_function
from emberc.ir.op import Op
from emberc.ir.types import Array
from emberc.ir.values import Constant, Value


@dataclass(frozen=True)
class Case:
    """An op, arrays for its operands that are no constants (by field name), and its size as text ("128,128,128").

    ``misalign`` elements lie between a 16-byte boundary and the start of every input and output. ``inplace`` names the
    operand that a result is written over, ``unread`` results that nobody asks for. ``work`` is how much one run does
    and of what, where that is neither MACs nor elements of the result.
    """

    op: Op
    inputs: Mapping[str, Array]
    shape: str
    misalign: int = 0
    inplace: str | None = None
    unread: tuple[str, ...] = ()
    note: str = field(default="", compare=False)
    work: tuple[int, str] | None = None

    @property
    def units(self) -> int:
        """Multiply-accumulates of one run, or elements of the result where there are none, or ``work``."""
        return self.work[0] if self.work else self.op.cost().macs or self.op.results[0].type.elements

    @property
    def unit(self) -> str:
        """What ``units`` counts: "MAC", "element", or as ``work`` says."""
        return self.work[1] if self.work else "MAC" if self.op.cost().macs else "element"

    def kernel(self, isa: tuple[str, ...]) -> Kernel:
        """The kernel that the compiler chooses for a target with the features ``isa``."""
        return select_kernel(self.op, isa)

    @cached_property
    def function(self) -> Function:
        """The op alone, its operands the inputs ``x0, x1, ...``."""
        ids = {id(v): f"x{i}" for i, v in enumerate(self._fed())}
        for v in self._fed():
            v.name = ids[id(v)]
        results = zip(self.op.result_fields, self.op.results, strict=True)
        return Function("main", self._fed(), [self.op], {name: v for name, v in results if name not in self.unread})

    def array_of(self, value: Value) -> Array:
        """The array that feeds an input of ``function``."""
        return self.inputs[next(n for n, v in self.op.named_operands() if v is value)]

    @cached_property
    def expected(self) -> dict[str, Array]:
        """What the op's reference answers, by the result's name: the bits that every kernel must give."""
        feeds = {v.name or "": self.array_of(v) for v in self.function.inputs}
        return run_function(self.function, feeds)

    def overwritten_by(self, result: str) -> Value | None:
        """The operand that this result is written over."""
        if self.inplace is None or self.inplace not in self.op.overwrites().get(result, ()):
            return None
        return dict(self.op.named_operands())[self.inplace]

    def _fed(self) -> list[Value]:
        """The operands that are no constants, each once."""
        fed = [v for _, v in self.op.named_operands() if not isinstance(v, Constant)]
        return list({id(v): v for v in fed}.values())


Build = Callable[[], Case]
