"""The ops of a function as C calls, with the parameters and constants that these refer to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emberc.backend.c.constants import ConstantPool
from emberc.backend.c.context import EmitContext, Params, buffer_pointer
from emberc.backend.c.describe import block_comment, describe, describe_copy
from emberc.backend.c.interface import Interface
from emberc.backend.c.kernels import Kernel, select_kernel
from emberc.backend.c.literals import initialiser, wrap
from emberc.backend.c.naming import comment_text
from emberc.backend.c.registry import EMITTERS, Call
from emberc.backend.planning import Copy, FunctionPlan, Home, Place
from emberc.ir.values import Constant


@dataclass(frozen=True)
class Step:
    """One op in the generated function: its comment, and its calls (none for a view)."""

    comment: list[str]
    calls: list[Call]


@dataclass(frozen=True)
class ParamsText:
    """A parameter struct ready to print."""

    comment: list[str]
    params: Params

    @property
    def lines(self) -> list[str]:
        """The initialiser: ``.rows = 128,`` and so on, in lines of about 100 columns."""
        if self.params.is_array:
            return [f"    {initialiser(item)}," for item in self.params.items]
        (fields,) = self.params.items
        return wrap([f".{k} = {initialiser(v)}," for k, v in fields.items()], "    ")

    @property
    def declarator(self) -> str:
        size = f"[{len(self.params.items)}]" if self.params.is_array else ""
        return f"{self.params.struct} {self.params.symbol}{size}"


@dataclass(frozen=True)
class Program:
    """Everything that the emitters of a function's ops produced."""

    steps: list[Step]
    params: list[ParamsText]
    pool: ConstantPool
    kernels: list[Kernel]

    @property
    def calls(self) -> list[Call]:
        return [call for step in self.steps for call in step.calls]

    @property
    def uses_arena(self) -> bool:
        return any("AT(" in argument for call in self.calls for argument in call.arguments)

    @property
    def uses_memcpy(self) -> bool:
        return any(call.function == "memcpy" for call in self.calls)

    @property
    def can_fail(self) -> bool:
        return any(call.can_fail for call in self.calls)


def build_program(plan: FunctionPlan, isa: Sequence[str], prefix: str, interface: Interface) -> Program:
    """Runs the emitter of every op in the plan's order; ``isa`` are the target's features.

    Raises UnsupportedError for an op without emitter.
    """
    pool = ConstantPool(prefix)
    program = Program([], [], pool, [])
    fields = interface.fields()
    for index, op in enumerate(plan.ops):
        comment = describe(op, plan)
        if op.is_view:
            program.steps.append(Step(comment, []))
            continue
        kernel = select_kernel(op, isa)
        ctx = EmitContext(op, kernel, index, plan, pool, fields)
        calls = EMITTERS[op.opcode].emit(op, ctx)
        node = block_comment([f"{comment_text(op.loc) or '(no ONNX node)'}  ", op.opcode])
        program.kernels.extend(ctx.kernels_used)
        program.params.extend(ParamsText(node, p) for p in ctx.params_used)
        program.steps.append(Step(comment, calls if isinstance(calls, list) else [calls]))
    program.steps.extend(_copy(copy, plan, pool, fields) for copy in plan.copies)
    return program


def _copy(copy: Copy, plan: FunctionPlan, pool: ConstantPool, fields: dict[tuple[str, str], str]) -> Step:
    if isinstance(copy.source, Constant):
        source = pool.add(copy.source.data, copy.source.name or copy.output, "weights")
    else:
        source = buffer_pointer(plan.place(copy.source), fields)
    target = buffer_pointer(Place(Home.OUTPUT, copy.output), fields)
    return Step(describe_copy(copy, plan), [Call("memcpy", (target, source, f"{copy.source.type.nbytes}u"))])
