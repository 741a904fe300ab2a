"""Re-rolling: values that unrolled steps compute alike become one value with the steps as its first axis.

``Steps.stack([y0, y1, ..])`` walks the expressions of all steps side by side. Where every step reads its own slice of
one tensor, the tensor itself is taken; where all read the same value, that value; and every op above is emitted once,
over all steps. Cost is linear in steps times ops of one step. Whatever differs in any other way has no stack (None).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from emberc.ir.builder import Builder
from emberc.ir.op import Op, op_class
from emberc.ir.ops.float_binary import Binary, Where
from emberc.ir.ops.float_unary import Unary
from emberc.ir.values import Value
from emberc.passes.loop_notes import without_step


@dataclass(frozen=True)
class Rolled:
    """A value over all steps, [steps, ...] if ``varies``; else the same value at every step."""

    value: Value
    varies: bool


#: op of one step, its operands over all steps, number of steps, builder -> its result over all steps
Roll = Callable[[Op, list[Rolled], int, Builder], Value | None]


def roll_op(op: Op, operands: list[Rolled], steps: int, b: Builder) -> Value | None:
    """``op`` of one step, over all steps: operands that vary have the steps in front, so has the result."""
    if isinstance(op, Unary):
        return b.emit(type(op), operands[0].value, **op.attrs)
    if isinstance(op, Binary | Where):
        both = [aligned(r, op.result.type.rank, b) for r in operands]
        return b.emit(type(op), *both, **op.attrs)
    roll = _ROLLS.get(op.opcode)
    return None if roll is None else roll(op, operands, steps, b)


def aligned(r: Rolled, rank: int, b: Builder) -> Value:
    """Axes of size 1 after the steps, so that what varies broadcasts as one step of rank ``rank`` would."""
    v = r.value
    missing = rank + 1 - v.type.rank
    if not r.varies or missing <= 0:
        return v
    return reshape(v, [v.shape[0], *[1] * missing, *v.shape[1:]], b)


def _matmul(op: Op, operands: list[Rolled], steps: int, b: Builder) -> Value:
    """A vector becomes a matrix of one row (left) or one column (right): it has no place for the steps otherwise."""
    rank = max(2, *[v.type.rank for v in op.operands if v is not None])
    both: list[Value] = []
    for r, vector in zip(operands, ([1, -1], [-1, 1]), strict=True):
        if r.value.type.rank == 1 + r.varies:
            shape = [r.value.shape[-1] if n < 0 else n for n in vector]
            r = Rolled(reshape(r.value, [steps, *shape] if r.varies else shape, b), r.varies)
        both.append(aligned(r, rank, b))
    return reshape(b.emit(type(op), *both), [steps, *op.result.shape], b)


def _reshape(op: Op, operands: list[Rolled], steps: int, b: Builder) -> Value:
    return reshape(operands[0].value, [steps, *op.result.shape], b)


def _transpose(op: Op, operands: list[Rolled], steps: int, b: Builder) -> Value:
    perm = op.attrs["perm"]
    assert isinstance(perm, list)
    return b.emit(op_class("f.transpose"), operands[0].value, perm=[0, *[p + 1 for p in perm]])


def _axes(op: Op, operands: list[Rolled], steps: int, b: Builder) -> Value:
    """f.slice and f.reduce: the axes count one more."""
    axes = op.attrs["axes"]
    assert isinstance(axes, list)
    return b.emit(type(op), operands[0].value, **{**op.attrs, "axes": [a + 1 for a in axes]})


def _axis(op: Op, operands: list[Rolled], steps: int, b: Builder) -> Value | None:
    """f.concat and f.softmax: the axis counts one more."""
    axis = op.attrs["axis"]
    assert isinstance(axis, int)
    if not all(r.varies for r in operands):
        return None
    values = [r.value for r in operands]
    return b.emit(type(op), *([values] if op.opcode == "f.concat" else values), **{**op.attrs, "axis": axis + 1})


def _expand(op: Op, operands: list[Rolled], steps: int, b: Builder) -> Value:
    v = aligned(operands[0], op.result.type.rank, b)
    return b.emit(op_class("f.expand"), v, shape=[steps, *op.result.shape])


_ROLLS: dict[str, Roll] = {
    "f.matmul": _matmul,
    "f.reshape": _reshape,
    "f.transpose": _transpose,
    "f.slice": _axes,
    "f.reduce": _axes,
    "f.concat": _axis,
    "f.softmax": _axis,
    "f.expand": _expand,
}


@dataclass
class Steps:
    """Stacks values of ``count`` steps with one builder. ``sources`` are the tensors of which steps read slices."""

    builder: Builder
    count: int
    sources: list[Value] = field(default_factory=list)
    _known: dict[tuple[int, ...], Rolled | None] = field(default_factory=dict)

    def stack(self, values: Sequence[Value]) -> Value | None:
        """[count, *S] of ``count`` values of shape S; None where they are not computed alike or do not vary."""
        rolled = self.roll(values)
        return rolled.value if rolled is not None and rolled.varies else None

    def roll(self, values: Sequence[Value]) -> Rolled | None:
        """The same, for values that may also be one and the same."""
        key = tuple(map(id, values))
        if key not in self._known:
            self._known[key] = self._roll(values)
        return self._known[key]

    def _roll(self, values: Sequence[Value]) -> Rolled | None:
        first = values[0]
        if all(v is first or _equal(v, first) for v in values):
            return Rolled(first, False)
        ops = [v.producer for v in values]
        if any(op is None or not _alike(op, ops[0]) for op in ops):
            return None
        alike = [op for op in ops if op is not None]
        if alike[0].opcode == "f.slice":
            taken = self._slices(alike)
            if taken is not None:
                return Rolled(taken, True)
        if any(op.attrs != alike[0].attrs for op in alike):
            return None
        return self._over_all(alike)

    def _over_all(self, ops: list[Op]) -> Rolled | None:
        operands: list[Rolled] = []
        for column in zip(*[op.operands for op in ops], strict=True):
            present = [v for v in column if v is not None]
            rolled = self.roll(present) if len(present) == len(column) else None
            if rolled is None:
                return None
            operands.append(rolled)
        self.builder.loc = without_step(ops[0].loc)
        value = roll_op(ops[0], operands, self.count, self.builder)
        return None if value is None else Rolled(value, True)

    def _slices(self, ops: list[Op]) -> Value | None:
        """Step t takes index ``start + t * step`` of one axis of one tensor: that axis, moved to the front."""
        x, first = ops[0].operands[0], ops[0]
        if x is None or any(op.operands[0] is not x for op in ops):
            return None
        starts = [_ints(op, "starts") for op in ops]
        moving = [k for k in range(len(starts[0])) if any(s[k] != starts[0][k] for s in starts)]
        axes, size = _ints(first, "axes"), first.result.shape
        if len(moving) != 1 or size[axes[moving[0]]] != 1 or any(op.attrs["axes"] != axes for op in ops):
            return None
        k = moving[0]
        stride = starts[1][k] - starts[0][k]
        if any(s[k] != starts[0][k] + t * stride for t, s in enumerate(starts)):
            return None
        attrs = {n: list(_ints(first, n)) for n in ("starts", "ends", "axes", "steps")}
        others = [i for i in range(len(axes)) if i != k]
        if any(_ints(op, n)[i] != attrs[n][i] for op in ops for n in ("ends", "steps") for i in others):
            return None
        attrs["ends"][k], attrs["steps"][k] = max(-1, starts[0][k] + self.count * stride), stride
        if stride > 0:
            attrs["ends"][k] = starts[-1][k] + 1
        self.sources.append(x)
        self.builder.loc = without_step(first.loc)
        whole = list(range(starts[0][k], attrs["ends"][k], stride)) == list(range(x.shape[axes[k]]))
        part = x if whole and not others else self.builder.emit(op_class("f.slice"), x, **attrs)
        return self._front(part, axes[k], size)

    def _front(self, x: Value, axis: int, one: tuple[int, ...]) -> Value:
        """x with ``axis`` moved to the front and, of size 1, back at its old place."""
        order = [axis, *[i for i in range(x.type.rank) if i != axis]]
        moved = x if axis == 0 else self.builder.emit(op_class("f.transpose"), x, perm=order)
        return reshape(moved, [self.count, *one], self.builder)


def reshape(x: Value, shape: Sequence[int], b: Builder) -> Value:
    """x under ``shape``; canonicalize merges reshapes of reshapes."""
    return x if x.shape == tuple(shape) else b.emit(op_class("f.reshape"), x, shape=list(shape))


def discard(builder: Builder) -> None:
    """Forgets what was built: the values that it reads no longer list it."""
    for op in builder.ops:
        op.drop_operands()


def _ints(op: Op, name: str) -> list[int]:
    value = op.attrs[name]
    assert isinstance(value, list)
    return value


def _alike(op: Op, first: Op | None) -> bool:
    return (
        first is not None
        and op.opcode == first.opcode
        and len(op.operands) == len(first.operands)
        and len(op.results) == 1
        and op.result.type == first.result.type
    )


def _equal(a: Value, b: Value) -> bool:
    """Exporters repeat small constants at every step."""
    if a.const is None or b.const is None or a.type != b.type or a.type.nbytes > 1024:
        return False
    return a.const.tobytes() == b.const.tobytes()
