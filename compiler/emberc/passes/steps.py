"""From a function over a whole sequence to one over a few rows of it, with what must be remembered as states.

Every value is followed along its time axis. An op that works row by row gets fewer rows; one that looks back gets a
state: a scan its own, a convolution the last rows, attention a cache of keys and values, a mean over time a sum. What
looks ahead is refused. Constants that differ from row to row (positions, rotary angles) are read by a counter.
The arithmetic of every row stays as it was, so rows put together again are the whole, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from emberc.errors import UnsupportedError
from emberc.ir.builder import Builder
from emberc.ir.graph import Function, State
from emberc.ir.op import Op
from emberc.ir.ops.integer_index import Index
from emberc.ir.ops.integer_movement import Gather
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Constant, Value

O = TypeVar("O", bound=Op)  # noqa: E741
Axes = int | tuple[int, ...] | None
"""The time axis of an op's first result, the others being states, or that of each result (None: the same for every
row)."""
#: writes one op for fewer rows; returns its results and their time axes
Rule = Callable[[Any, "Steps"], "tuple[Sequence[Value], Axes]"]
RULES: dict[str, Rule] = {}
#: ops with windows of several rows
SLIDING = {"q.conv", "q.depthwise", "q.depthwise_rows", "q.causal_conv"}


def rule(*opcodes: str) -> Callable[[Rule], Rule]:
    """Registers how ops with these opcodes are written for fewer rows."""

    def register(f: Rule) -> Rule:
        for opcode in opcodes:
            RULES[opcode] = f
        return f

    return register


@dataclass
class Steps:
    """The rewrite of ``whole``, whose inputs hold ``length`` rows, to ``rows`` of them a call."""

    whole: Function
    rows: int = 1

    def __post_init__(self) -> None:
        self.length = sequence_length(self.whole)
        self.builder = Builder(fold=False)
        self.function = Function(self.whole.name)
        self.values: dict[int, Value] = {}
        self.axes: dict[int, int | None] = {}
        self._position: Value | None = None
        self._once: dict[tuple[Hashable, ...], Value] = {}
        self._op: Op | None = None

    def run(self) -> Function:
        """The function of a few rows. Raises UnsupportedError for an op that needs rows to come."""
        for v in self.whole.inputs:
            axis = time_axis(v, self.whole)
            self.values[id(v)] = Value(self.shorter(v.type, axis), v.name)
            self.axes[id(v)] = axis
            self.function.inputs.append(self.values[id(v)])
        for op in self.whole.ops:
            self._op, self.builder.loc = op, op.loc
            results, found = self._one(op)
            axes = found if isinstance(found, tuple) else (found, *[None] * (len(results) - 1))
            for old, new, axis in zip(op.results, results, axes, strict=True):
                self.values[id(old)], self.axes[id(old)] = new, axis
                new.name = new.name or old.name
        for name, v in self.whole.outputs.items():
            self.function.outputs[name] = self.get(v)
        self._count()
        self.function.ops = self.builder.ops
        self.function.prune()
        return self.function

    def _one(self, op: Op) -> tuple[Sequence[Value], Axes]:
        known = RULES.get(op.opcode)
        if all(self.axis(v) is None for v in op.operands if v is not None):
            return self.again(op, None), None
        if known is None:
            raise self.refuse(f"{op.opcode} over time has no form for single steps")
        return known(op, self)

    # --- what rules use --------------------------------------------------------------------------

    def get(self, v: Value) -> Value:
        """The value that stands for ``v``."""
        return v if isinstance(v, Constant) else self.values[id(v)]

    def axis(self, v: Value | None) -> int | None:
        """The time axis of ``v``; None where it is the same for all rows."""
        return None if v is None or isinstance(v, Constant) else self.axes[id(v)]

    def shorter(self, t: TensorType, axis: int | None) -> TensorType:
        """The type for ``rows`` rows."""
        return t if axis is None else t.with_shape([self.rows if i == axis else s for i, s in enumerate(t.shape)])

    def again(self, op: Op, axis: int | None, **attrs: Any) -> list[Value]:
        """The same op on the new operands, with other attributes where given."""
        operands = [None if v is None else self.get(v) for v in op.operands]
        types = [self.shorter(r.type, axis) for r in op.results]
        new = type(op).from_parts(operands, {**op.attrs, **attrs}, types, op.loc)
        self.builder.ops.append(new)
        return new.results

    def emit(self, cls: type[O], *operands: Any, type: TensorType | None = None, **fields: Any) -> Value:
        """Appends an op of one result."""
        return self.builder.emit(cls, *operands, types=None if type is None else [type], **fields)

    def state(
        self, t: TensorType, hint: str, fill: int = 0, start: Constant | None = None, limit: int | None = None
    ) -> Value:
        """A new state, as the function's input; :meth:`keep` says what it becomes."""
        name = f"{hint}_{len(self.function.states)}"
        self.function.states.append(State(name, f"{name}_after", fill, start, limit))
        self.function.inputs.append(Value(t, name))
        return self.function.inputs[-1]

    def keep(self, state: Value, after: Value) -> None:
        """``after`` is what ``state`` is in the next call."""
        self.function.outputs[f"{state.name}_after"] = after

    def position(self) -> Value:
        """int32 [1]: how many rows earlier calls have seen. Caches and tables have no row beyond the length."""
        if self._position is None:
            self._position = self.state(TensorType(DType.I32, (1,)), "position", limit=self.length)
        return self._position

    def positions(self) -> Value:
        """int32 [rows]: where in the sequence this call's rows are."""
        if self.rows == 1:
            return self.position()
        return self.emit(Index, self.position(), Constant(np.arange(self.rows, dtype=np.int32)), kind="add")

    def once(self, key: tuple[Hashable, ...], make: Callable[[], Value]) -> Value:
        """What ``make`` emits, the first time; later ops with the same ``key`` read the same value."""
        if key not in self._once:
            self._once[key] = make()
        return self._once[key]

    def rows_of(self, data: Array, axis: int, name: str | None, t: TensorType) -> Value:
        """This call's rows of a constant that has one for every step."""
        first = np.take(data, range(self.rows), axis)
        if (data == np.take(data, [0], axis)).all():
            return Constant(np.ascontiguousarray(first), name, t.quant)
        return self.emit(Gather, Constant(data, name, t.quant), self.positions(), type=self.shorter(t, axis), axis=axis)

    def refuse(self, problem: str, *hints: str) -> UnsupportedError:
        """The error for the op at hand."""
        known = [*hints, "compile without --streaming: the whole sequence in one call"]
        return UnsupportedError(f"streaming: {problem}", at=self._op.loc if self._op else "", hints=known)

    def _count(self) -> None:
        if self._position is not None:
            more = Constant(np.array([self.rows], np.int32))
            self.keep(self._position, self.emit(Index, self._position, more, kind="add"))


def time_axis(v: Value, function: Function) -> int | None:
    """Where an input's rows are: axis 1 behind a batch of one (axis 2 where ``channels_first``), else axis 0; None for
    one that all rows share."""
    length = sequence_length(function)
    for axis in (2,) if channels_first(v) else (1, 0):
        if v.type.rank > axis and v.shape[axis] == length and (axis == 2 or all(s == 1 for s in v.shape[:axis])):
            return axis
    return None


def channels_first(v: Value) -> bool:
    """Whether ``v`` is [1, C, L], as torch's convolutions over time take it: one slides along its last axis."""
    swapped = [u.results[0] for u in v.users if u.opcode == "q.transpose" and u.attrs["perm"] == [0, 2, 1]]
    return v.type.rank == 3 and v.shape[0] == 1 and any(u.opcode in SLIDING for s in swapped for u in s.users)


def sequence_length(function: Function) -> int:
    """L, from the first input. Raises UnsupportedError where there is none to read it from."""
    for v in function.inputs:
        if channels_first(v):
            return v.shape[2]
        if v.type.rank >= 2 and v.shape[0] == 1:
            return v.shape[1]
        if v.type.rank >= 1:
            return v.shape[0]
    raise UnsupportedError("streaming: the model has no input with a time axis")
