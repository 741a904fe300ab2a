"""The ops of a function as C calls, with the parameters and constants that these refer to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from emberc.backend.c.constants import ConstantPool
from emberc.backend.c.context import EmitContext, Params, arena_pointer, at_macro, buffer_pointer
from emberc.backend.c.describe import block_comment, describe, describe_copy
from emberc.backend.c.interface import Interface, StatePort
from emberc.backend.c.kernels import PORTABLE, Kernel, select_kernel
from emberc.backend.c.literals import c_type, initialiser, wrap
from emberc.backend.c.naming import comment_text
from emberc.backend.c.registry import EMITTERS, Call
from emberc.backend.planning import Copy, FunctionPlan, Home, Place, state_offsets
from emberc.ir.op import Op
from emberc.ir.ops.row_tiles import RowTiles
from emberc.ir.ops.time_tiles import TimeTiles
from emberc.ir.values import Constant, Value


@dataclass(frozen=True)
class Step:
    """One op in the generated function: its comment, and its calls (none for a view).

    An op that runs a function tile by tile has a ``loop`` (its ``for`` line and the pointers to the tile's rows) over
    the ``steps`` of that function instead of calls.
    """

    comment: list[str]
    calls: list[Call]
    loop: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    op: Op | None = None

    def all_calls(self) -> Iterator[Call]:
        """Its own calls, and those of the steps in its loop."""
        yield from self.calls
        for step in self.steps:
            yield from step.all_calls()

    def mentions(self, text: str) -> bool:
        """Whether ``text`` occurs in its C code."""
        return any(text in line for line in self.loop) or any(text in c.text for c in self.all_calls())


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
    starts: dict[str, str] = field(default_factory=dict)
    """What states are before the first step: field -> the constant, for those that are not filled with one value."""

    @property
    def calls(self) -> list[Call]:
        return [call for step in self.steps for call in step.all_calls()]

    def uses_arena(self, pool: str = "") -> bool:
        """Whether a step has a pointer into the arena, the one in ``pool`` where there are several."""
        return any(step.mentions(f"{at_macro(pool)}(") for step in self.steps)

    @property
    def uses_memcpy(self) -> bool:
        return any(call.function in ("memcpy", "memset") for call in self.calls)

    @property
    def can_fail(self) -> bool:
        return any(call.can_fail for call in self.calls)


@dataclass(frozen=True)
class Kernels:
    """Which kernel runs each op: the target's, or the portable one for ops in ``plain`` (by ``id``)."""

    isa: Sequence[str]
    plain: frozenset[int]

    def of(self, op: Op) -> Kernel:
        return select_kernel(op, (PORTABLE,) if id(op) in self.plain else self.isa)


def build_program(plan: FunctionPlan, isa: Sequence[str], prefix: str, interface: Interface) -> Program:
    """Runs the emitter of every op in the plan's order; ``isa`` are the target's features.

    Raises UnsupportedError for an op without emitter.
    """
    program = Program([], [], ConstantPool(prefix), [])
    fields = interface.fields()
    kernels = Kernels(isa, plan.plain)
    program.steps.extend(_steps(plan, kernels, program, fields, ""))
    program.steps.extend(_copy(copy, plan, program.pool, fields) for copy in plan.copies)
    program.steps.extend(_kept(state) for state in interface.states if not state.in_place)
    for s in interface.states:
        if s.start is not None:
            program.starts[s.port.field] = program.pool.add(s.start.data, f"start_{s.port.field}", "weights")
    return program


def _steps(
    plan: FunctionPlan, kernels: Kernels, program: Program, fields: dict[tuple[str, str], str], prefix: str
) -> Iterator[Step]:
    """The ops of one function; ``prefix`` sets its parameters apart from those of other functions."""
    for number, op in enumerate(plan.ops):
        comment, index = describe(op, plan), f"{prefix}{number}"
        body = plan.body(op)
        if op.is_view:
            yield Step(comment, [])
        elif isinstance(op, RowTiles) and body is not None:
            loop, tile = _tile_loop(op, plan, program.pool, fields)
            before = _begin_states(op, plan, loop, tile) if isinstance(op, TimeTiles) else []
            yield Step(comment, before, loop, list(_steps(body, kernels, program, tile, f"{index}_")), op)
        else:
            kernel = kernels.of(op)
            ctx = EmitContext(op, kernel, index, plan, program.pool, fields)
            calls = (kernel.emit or EMITTERS[op.opcode].emit)(op, ctx)
            node = block_comment([f"{comment_text(op.loc) or '(no ONNX node)'}  ", op.opcode])
            program.kernels.extend(ctx.kernels_used)
            program.params.extend(ParamsText(node, p) for p in ctx.params_used)
            yield Step(comment, calls if isinstance(calls, list) else [calls], op=op)


def _tile_loop(
    op: RowTiles, plan: FunctionPlan, pool: ConstantPool, fields: dict[tuple[str, str], str]
) -> tuple[list[str], dict[tuple[str, str], str]]:
    """The head of the loop over an op's tiles, and the buffers that the ops inside see: this tile's rows, or all of
    what every tile reads whole."""
    inside = {("out", name): "y" for name in op.function.outputs}
    ahead, back = (0, f"row < {op.total()}", "+="), (op.total() - op.rows, "row >= 0", "-=")
    start, more, step = back if op.backwards else ahead
    head = [f"for (int32_t row = {start}; {more}; row {step} {op.rows}) {{"]
    for x, v, tiled in op.ports():
        name = v.name or ""
        inside["in", name] = name
        if isinstance(x, Constant):
            base = pool.add(x.data, x.name or f"{op.loc}_{name}", "weights")
        else:
            base = buffer_pointer(plan.place(x), fields)
        head.append(_row_pointer(f"const {c_type(x.type.dtype)}", name, base, _row(op, v) if tiled else None))
    base = buffer_pointer(plan.place(op.y), fields)
    pooled = isinstance(op, TimeTiles) and op.axis < 0
    head.append(_row_pointer(c_type(op.y.type.dtype), "y", base, None if pooled else _row(op, op.exit)))
    return head, inside


def _begin_states(op: TimeTiles, plan: FunctionPlan, loop: list[str], inside: dict[tuple[str, str], str]) -> list[Call]:
    """The calls that fill the states, which lie behind the arena of the body; the loop gets a pointer to each."""
    region, body = plan.scratch(op), plan.body(op)
    assert region is not None and body is not None
    *offsets, size = state_offsets(op)
    if not size:
        return []
    start = region.offset + body.arena_bytes
    calls = [Call("memset", (arena_pointer(region.pool, start), "0", f"{size}u"))]
    for offset, s, v in zip(offsets, op.kept(), op.state_inputs(), strict=True):
        ctype, at = c_type(v.type.dtype), arena_pointer(region.pool, start + offset)
        loop.append(f"    {ctype} *const {s.name} = ({ctype} *){at};")
        inside["in", s.name] = inside["out", s.after] = s.name
        if s.fill:
            calls.append(Call("memset", (at, f"{s.fill}", f"{v.type.nbytes}u")))
    return calls


def _row(op: RowTiles, v: Value) -> tuple[int, ...]:
    """The shape of one row of a tile; nothing for ids, which have one number a row."""
    elements = v.type.elements // op.rows
    return () if elements == 1 else (elements,)


def _row_pointer(ctype: str, name: str, base: str, width: tuple[int, ...] | None) -> str:
    """``const int8_t *const x0 = (const int8_t *)AT(0x10) + row * 80;``; without ``width`` the same for every row."""
    step = "" if width is None else " + row" + "".join(f" * {n}" for n in width)
    return f"    {ctype} *const {name} = ({ctype} *){base}{step};"


def _kept(state: StatePort) -> Step:
    """A state that other ops still read while it is made takes its place at the end of the step."""
    old = f"ctx->state.{state.port.field}"
    comment = block_comment([f"state {comment_text(state.port.name)}"])
    return Step(comment, [Call("memcpy", (old, state.target, f"sizeof {old}"))])


def _copy(copy: Copy, plan: FunctionPlan, pool: ConstantPool, fields: dict[tuple[str, str], str]) -> Step:
    if isinstance(copy.source, Constant):
        source = pool.add(copy.source.data, copy.source.name or copy.output, "weights")
    else:
        source = buffer_pointer(plan.place(copy.source), fields)
    target = buffer_pointer(Place(Home.OUTPUT, copy.output), fields)
    return Step(describe_copy(copy, plan), [Call("memcpy", (target, source, f"{copy.source.type.nbytes}u"))])
