"""Function and Module: ops in execution order over SSA values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.op import Op
from emberc.ir.types import Array, TensorType
from emberc.ir.values import Constant, Value


@dataclass(frozen=True)
class State:
    """What is kept from one call to the next: input ``name`` of the function is its output ``after`` of the call
    before. At the beginning it is ``start``, or all elements are ``fill`` without one. A state with a ``limit`` counts
    steps: once it is the limit the sequence is full, and a further step is an error that leaves all states as they are.
    """

    name: str
    after: str
    fill: int = 0
    start: Constant | None = None
    limit: int | None = None

    def first(self, t: TensorType) -> Array:
        """Its value before the first call, for an input of type ``t``."""
        return np.full(t.shape, self.fill, t.dtype.numpy) if self.start is None else self.start.data


def root(value: Value) -> Value:
    """The value whose bytes ``value`` shows: itself unless it is a view."""
    while value.producer is not None and value.producer.is_view:
        source = value.producer.operands[0]
        if source is None:
            break
        value = source
    return value


def _readers(value: Value) -> Iterator[Op]:
    """The ops that read the bytes of ``value``, under whatever shape."""
    for op in value.users:
        if op.is_view:
            yield from _readers(op.results[0])
        else:
            yield op


@dataclass(eq=False)
class Function:
    """Inputs, ops in order, outputs. ``outputs`` maps the output's name to its value.

    ``states`` pairs those inputs and outputs that are no business of the caller (not part of the text form).
    """

    name: str
    inputs: list[Value] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    outputs: dict[str, Value] = field(default_factory=dict)
    states: list[State] = field(default_factory=list)

    def constants(self) -> list[Constant]:
        """Constants in order of first use."""
        seen: dict[int, Constant] = {}
        for v in self._read():
            if isinstance(v, Constant):
                seen.setdefault(id(v), v)
        return list(seen.values())

    def replace(self, old: Value, new: Value) -> None:
        """Every use of ``old``, outputs included, becomes ``new``."""
        old.replace_by(new)
        for k, v in self.outputs.items():
            if v is old:
                self.outputs[k] = new

    def caller_inputs(self) -> list[Value]:
        """The inputs that are no states."""
        kept = {s.name for s in self.states}
        return [v for v in self.inputs if v.name not in kept]

    def caller_outputs(self) -> dict[str, Value]:
        """The outputs that are no states."""
        kept = {s.after for s in self.states}
        return {name: v for name, v in self.outputs.items() if name not in kept}

    def in_place(self, state: State) -> bool:
        """Whether the op that makes the next value of a state may write it over the old one: no other op reads that."""
        before, after = next(v for v in self.inputs if v.name == state.name), root(self.outputs[state.after])
        op = after.producer
        if op is None or list(_readers(before)) != [op] or any(root(v) is before for v in self.outputs.values()):
            return False
        over = op.overwrites().get(op.result_fields[op.results.index(after)], ())
        return any(name in over and root(v) is before for name, v in op.named_operands())

    def is_output(self, value: Value) -> bool:
        return any(v is value for v in self.outputs.values())

    def prune(self) -> int:
        """Drops ops whose results nobody reads; returns how many."""
        live = {id(v) for v in self.outputs.values()}
        kept: list[Op] = []
        for op in reversed(self.ops):
            if any(id(r) in live for r in op.results):
                live.update(id(v) for v in op.operands if v is not None)
                kept.append(op)
            else:
                op.drop_operands()
        dropped = len(self.ops) - len(kept)
        self.ops = kept[::-1]
        return dropped

    def sort(self) -> None:
        """Puts every op behind those that it reads from, and changes the order no more than that needs.

        Raises VerifyError for a cycle.
        """
        here, placed, entered = {id(op) for op in self.ops}, set[int](), set[int]()
        ordered: list[Op] = []
        todo = self.ops[::-1]
        while todo:
            op = todo[-1]
            makers = [v.producer for v in op.operands if v is not None and v.producer is not None]
            waits = [m for m in makers if id(m) in here and id(m) not in placed]
            if id(op) in placed or not waits:
                todo.pop()
                if id(op) not in placed:
                    placed.add(id(op))
                    ordered.append(op)
                continue
            if id(op) in entered:
                raise VerifyError(f"@{self.name}: {op.opcode} reads what it makes itself", at=op.loc)
            entered.add(id(op))
            todo += waits[::-1]
        self.ops = ordered

    def _read(self) -> Iterator[Value]:
        for op in self.ops:
            yield from (v for v in op.operands if v is not None)
        yield from self.outputs.values()


@dataclass(eq=False)
class Module:
    """One model.

    ``notes`` collects what passes want the report to say, one line each. ``calibration`` is the data that
    quantization observes the model on (``quant.calibration.CalibrationData``); it is not part of the text form.
    ``forms`` says which weights are squeezed, and how (``quant.forms.Form`` by name of ``passes.squeezable``).
    ``vocabulary`` says which words stay (``quant.vocabulary.Vocabulary``; None: all).
    ``layers`` is what quantization measured value by value (``quant.layers.LayerAccuracy``), worst first.
    ``choices`` is which weights and values got 16 bits, and why (``quant.widen.Choice``), costliest at 8 bits first.
    ``whole`` is the module over the whole sequence of which this one is a single step.
    ``unread_inputs`` names inputs of the ONNX model that were fixed or that nothing reads: data may still have them.
    """

    name: str
    functions: dict[str, Function] = field(default_factory=dict)
    target: str | None = None
    budget: int | None = None
    notes: list[str] = field(default_factory=list)
    calibration: object = None
    forms: Mapping[str, Any] = field(default_factory=dict)
    vocabulary: object = None
    layers: list[Any] = field(default_factory=list)
    choices: list[Any] = field(default_factory=list)
    whole: Module | None = None
    unread_inputs: frozenset[str] = frozenset()

    @property
    def main(self) -> Function:
        return self.functions["main"]

    @property
    def is_step(self) -> bool:
        """Whether a call is one step of a sequence, with what must be remembered kept in between."""
        return self.whole is not None or bool(self.main.states)

    def ops(self) -> Iterator[Op]:
        """The ops of all functions."""
        for f in self.functions.values():
            yield from f.ops

    def constants(self) -> list[Constant]:
        """The constants of all functions, each once."""
        found = {id(c): c for f in self.functions.values() for c in f.constants()}
        return list(found.values())

    def link(self) -> None:
        """Points every op that calls a function at it (None where the module has none of that name)."""
        for op in self.ops():
            if op.calls is not None:
                op.callee = self.functions.get(str(op.attrs[op.calls]))
