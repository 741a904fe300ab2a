"""From the IR to the memory planner and back: where every value of a function lives.

Inputs and outputs live in the caller's buffers and constants in flash: none of them takes arena. The op that makes
an output writes it to the caller's buffer at once, later ops read it there. A view is its operand under another
shape, so it has its operand's place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, NamedTuple

from emberc.ir.graph import Function, root
from emberc.ir.op import Op
from emberc.ir.ops.time_tiles import TimeTiles
from emberc.ir.values import Constant, Value
from emberc.memory import Access, Node, Plan, Pool, plan_memory, spread

ARENA_ALIGN = 16
"""Every buffer in the arena starts at a multiple of this many bytes; so must the arena itself."""


Overwrites = dict[str, tuple[str, ...]]
"""Result -> the operands that it may be written over."""


class Home(Enum):
    """The kinds of memory that a value can live in."""

    ARENA = "arena"
    INPUT = "in"
    OUTPUT = "out"
    FLASH = "flash"
    NOWHERE = "left out"


@dataclass(frozen=True)
class Place:
    """Where a value lives: ``offset`` bytes into the arena, or in the caller's buffer of that ``name``.

    With arenas in several memories ``name`` is the memory's.
    """

    home: Home
    name: str = ""
    offset: int = 0


class Scratch(NamedTuple):
    """An op's scratch: ``size`` bytes at ``offset`` of the arena, the one in the memory ``pool`` of several."""

    pool: str
    offset: int
    size: int


@dataclass(frozen=True)
class Copy:
    """An output that no op can write: it is an input, a constant, or the same value as another output."""

    output: str
    source: Value


@dataclass(frozen=True)
class FunctionPlan:
    """A function with its memory decided.

    ``ops`` is the order of execution, each view right after the op that makes its operand; ``copies`` run last.
    ``memory`` is the planner's answer with its certificate. The function that an op calls is planned on its own;
    its arena is that op's scratch. ``plain`` has the ``id`` of ops that run their portable kernel to save scratch.
    """

    function: Function
    memory: Plan
    ops: tuple[Op, ...]
    copies: tuple[Copy, ...]
    _places: dict[int, Place]
    _scratch: dict[int, Scratch]
    _bodies: dict[int, FunctionPlan]
    plain: frozenset[int] = frozenset()

    def place(self, value: Value) -> Place:
        """Where ``value`` lives while it is needed."""
        if isinstance(root(value), Constant):
            return Place(Home.FLASH)
        return self._places[id(root(value))]

    def scratch(self, op: Op) -> Scratch | None:
        """Where the op's scratch lies; None if it needs none."""
        return self._scratch.get(id(op))

    def body(self, op: Op) -> FunctionPlan | None:
        """The plan of the function that ``op`` calls, at its place in the arena; None if it calls none."""
        plan = self._bodies.get(id(op))
        region = self.scratch(op)
        return plan.moved(region.pool, region.offset) if plan is not None and region is not None else plan

    def room(self, op: Op) -> int:
        """Bytes that the scratch of ``op`` could grow to where it lies, with all else and the arena as they are."""
        memory = self.memory
        own = memory.scratch[next(name for known, name in self._nodes() if known is op)]
        live = [r for r in memory.tensors.values() if r.start <= own.start < r.end and r.size]
        below = max((r.offset + r.size for r in live if r.offset < own.offset), default=0)
        above = min((r.offset for r in live if r.offset > own.offset), default=memory.arena)
        return above - -(-below // ARENA_ALIGN) * ARENA_ALIGN

    def moved(self, pool: str, by: int) -> FunctionPlan:
        """The same plan ``by`` bytes further up in the arena, that in ``pool``."""
        places = {
            k: Place(Home.ARENA, pool, p.offset + by) if p.home is Home.ARENA else p for k, p in self._places.items()
        }
        scratch = {k: Scratch(pool, s.offset + by, s.size) for k, s in self._scratch.items()}
        return replace(self, _places=places, _scratch=scratch)

    def spread(
        self, pools: Sequence[Pool], values: Mapping[int, Access], scratch: Mapping[int, Access], rule: str
    ) -> FunctionPlan:
        """The same plan with an arena in each of ``pools``.

        ``values`` and ``scratch`` count the accesses of a run by the ``id`` of a value and of the op whose scratch it
        is; ``rule`` is one of ``memory.PLACEMENTS``.
        """
        names = _Names(self.function)
        made = [v for op in self.function.ops if not op.is_view for v in _written(op, self.function)]
        access = {names.tensor(v): values[id(v)] for v in made if id(v) in values}
        access |= {name: scratch[id(op)] for op, name in self._nodes() if id(op) in scratch}
        memory = spread(self.memory, pools, access, rule)
        by_name = {name: op for op, name in self._nodes()}
        places = dict(self._places)
        for v in made:
            if places[id(v)].home is Home.ARENA:
                region = memory.tensors[names.tensor(v)]
                places[id(v)] = Place(Home.ARENA, region.pool, region.offset)
        moved = {id(by_name[n]): Scratch(r.pool, r.offset, r.size) for n, r in memory.scratch.items()}
        return replace(self, memory=memory, _places=places, _scratch=moved)

    def to_json(self) -> dict[str, Any]:
        """The certificate of this function, and under ``bodies`` those of the functions that its ops call, by node."""
        nodes = {id(op): name for op, name in self._nodes()}
        bodies = {nodes[key]: body.to_json() for key, body in self._bodies.items()}
        return {**self.memory.to_json(), **({"bodies": bodies} if bodies else {})}

    def _nodes(self) -> list[tuple[Op, str]]:
        names = _Names(self.function)
        return [(op, names.node(op)) for op in self.function.ops if not op.is_view]

    @property
    def arena_bytes(self) -> int:
        """Size of the arena, all together if there are several; each is a multiple of its alignment."""
        return sum(size for _, size in self.arenas)

    @property
    def arenas(self) -> list[tuple[str, int]]:
        """(memory, bytes) of every arena; the memory is "" where there is but one."""
        found = self.memory.spread
        sizes = [(a.pool.name, a.bytes) for a in found.arenas] if found else [("", self.memory.arena)]
        return [(name, -(-size // ARENA_ALIGN) * ARENA_ALIGN) for name, size in sizes]

    @property
    def io_bytes(self) -> int:
        """Bytes of the caller's input and output buffers together."""
        f = self.function
        return sum(v.type.nbytes for v in (*f.caller_inputs(), *f.caller_outputs().values()))


def state_offsets(op: TimeTiles) -> list[int]:
    """Where each state of an op that runs in time lies behind the arena of its body, and at last where they end."""
    sizes = [-(-v.type.nbytes // ARENA_ALIGN) * ARENA_ALIGN for v in op.state_inputs()]
    return [sum(sizes[:i]) for i in range(len(sizes) + 1)]


def state_bytes(op: Op) -> int:
    """Bytes that an op keeps between its tiles."""
    return state_offsets(op)[-1] if isinstance(op, TimeTiles) else 0


def own_scratch(op: Op) -> int:
    """Scratch bytes that the op class asks for, as its portable kernel needs them."""
    ask = getattr(op, "scratch_bytes", None)
    return int(ask()) if ask is not None else 0


def own_overwrites(op: Op) -> Overwrites:
    """What the op class allows, as its portable kernel can do it."""
    return op.overwrites()


def leaf_ops(function: Function) -> Iterator[Op]:
    """The ops that kernels run: those of ``function`` and of the functions it calls, but not the calls."""
    for op in function.ops:
        if op.callee is None:
            yield op
        else:
            yield from leaf_ops(op.callee)


def plan_function(
    function: Function,
    scratch_bytes: Callable[[Op], int] = own_scratch,
    overwrites: Callable[[Op], Overwrites] = own_overwrites,
) -> FunctionPlan:
    """Order the ops of ``function`` and place what they make.

    ``scratch_bytes`` tells how much scratch the kernel chosen for an op needs, ``overwrites`` which results it may
    write over which operands; the backend passes its own choice of kernels. Raises VerifyError if the function is not
    in SSA order.
    """
    places: dict[int, Place] = {id(v): Place(Home.INPUT, v.name or f"in{i}") for i, v in enumerate(function.inputs)}
    copies: list[Copy] = []
    for name, value in function.outputs.items():
        source = root(value)
        if isinstance(source, Constant) or id(source) in places:
            copies.append(Copy(name, source))
        else:
            places[id(source)] = Place(Home.OUTPUT, name)

    names = _Names(function)
    real = [op for op in function.ops if not op.is_view]
    bodies = {id(op): plan_function(op.callee, scratch_bytes, overwrites) for op in real if op.callee is not None}
    need = {
        id(op): bodies[id(op)].arena_bytes + state_bytes(op) if id(op) in bodies else scratch_bytes(op) for op in real
    }
    made = [v for op in real for v in _written(op, function)]
    written = {id(v) for v in made}
    places |= {id(v): Place(Home.NOWHERE) for op in real for v in op.results if id(v) not in written}
    nodes = [_node(op, names, places, need[id(op)], overwrites(op)) for op in real]
    memory = plan_memory(
        nodes,
        {names.tensor(v): v.type.nbytes for v in (*function.inputs, *made)},
        [names.tensor(v) for v in function.inputs],
        [names.tensor(v) for v in made if id(v) in places],
        external=[names.tensor(v) for v in (*function.inputs, *made) if id(v) in places],
        align=ARENA_ALIGN,
    )
    for v in made:
        if id(v) not in places:
            places[id(v)] = Place(Home.ARENA, offset=memory.tensors[names.tensor(v)].offset)
    by_name = {names.node(op): op for op in real}
    scratch = {id(by_name[n]): Scratch("", region.offset, region.size) for n, region in memory.scratch.items()}
    ops = _with_views(function, [by_name[n] for n in memory.order])
    return FunctionPlan(function, memory, ops, tuple(copies), places, scratch, bodies)


class _Names:
    """Unique names for ops and values, as the plan, the report and errors show them: ``%7``, ``%7 q.add /add``."""

    def __init__(self, function: Function) -> None:
        self._tensors: dict[int, str] = {}
        self._nodes: dict[int, str] = {}
        taken: set[str] = set()
        number = 0
        for v in function.inputs:
            self._tensors[id(v)] = self._fresh(v.name or "in", taken)
        for op in function.ops:
            label = ""
            for r in op.results:
                text = r.name or str(number)
                number += not r.name
                self._tensors[id(r)] = self._fresh(text, taken)
                label = label or self._tensors[id(r)]
            self._nodes[id(op)] = " ".join(filter(None, [label, op.opcode, op.loc]))

    @staticmethod
    def _fresh(text: str, taken: set[str]) -> str:
        name, k = f"%{text}", 2
        while name in taken:
            name, k = f"%{text}.{k}", k + 1
        taken.add(name)
        return name

    def tensor(self, value: Value) -> str:
        return self._tensors[id(value)]

    def node(self, op: Op) -> str:
        return self._nodes[id(op)]


def _node(op: Op, names: _Names, places: dict[int, Place], scratch: int, overwrites: Overwrites) -> Node:
    read = [root(v) for v in op.operands if v is not None]
    read = [v for v in read if not isinstance(v, Constant)]
    inplace: dict[str, tuple[str, ...]] = {}
    by_field = {name: root(v) for name, v in op.named_operands()}
    for field, candidates in overwrites.items():
        out = op.results[op.result_fields.index(field)]
        if id(out) in places:
            continue
        over = tuple(
            names.tensor(by_field[c]) for c in candidates if c in by_field and _may_cover(op, out, by_field[c], read)
        )
        if over:
            inplace[names.tensor(out)] = over
    reads = tuple(dict.fromkeys(names.tensor(v) for v in read))
    writes = tuple(names.tensor(r) for r in op.results if places.get(id(r)) != Place(Home.NOWHERE))
    return Node(names.node(op), reads, writes, scratch, inplace)


def _written(op: Op, function: Function) -> list[Value]:
    """The results of an op without those that its kernel may leave out and nobody reads."""
    named = zip(op.result_fields, op.results, strict=False)
    return [v for name, v in named if name not in op.droppable or v.users or function.is_output(v)]


def _may_cover(op: Op, out: Value, source: Value, read: list[Value]) -> bool:
    """Whether ``out`` may be written over ``source``: as the op says, and where it is read only once.

    An op that reads the same value through two operands (attention over one packed value) would find the second
    overwritten.
    """
    return op.may_cover(out, source) and not isinstance(source, Constant) and sum(v is source for v in read) == 1


def _with_views(function: Function, order: list[Op]) -> tuple[Op, ...]:
    """``order`` with every view put right after the op that makes its operand; views of inputs come first."""
    views: dict[int, list[Op]] = {}
    for op in function.ops:
        if op.is_view and op.operands[0] is not None:
            views.setdefault(id(op.operands[0]), []).append(op)

    def of(values: list[Value]) -> list[Op]:
        found: list[Op] = []
        for v in values:
            for view in views.get(id(v), []):
                found += [view, *of(view.results)]
        return found

    out = of([*function.constants(), *function.inputs])
    for op in order:
        out += [op, *of(op.results)]
    return tuple(out)
