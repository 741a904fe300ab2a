"""Explicit states as firmware keeps them: one tensor each, in the form of the op that makes them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.graph import Function, Module, State
from emberc.ir.op import Op
from emberc.ir.ops.float_cells import Lstm
from emberc.ir.ops.float_movement import Reshape, Slice
from emberc.ir.types import Array
from emberc.ir.values import Value
from emberc.passes.canonicalize import Canonicalize
from emberc.passes.manager import PassManager, Pipeline
from emberc.quant.calibration import CalibrationData, Sample


@dataclass(frozen=True)
class _Split:
    """A state, the slices that read its parts, and the values that the parts are in the next call."""

    state: State
    axis: int
    readers: list[Op]
    parts: list[Value]

    @property
    def names(self) -> list[str]:
        return [f"{self.state.name}_{k}" for k in range(len(self.parts))]


def prepare_states(module: Module) -> None:
    """h, c = slice(state, 0, 1), slice(state, 1, 2);  state' = concat(h', c')  -->  two states, h' and c'
    h' = reshape(slice(lstm.y, the last step))                              -->  h' = reshape(lstm.hidden)

    Each then has a scale of its own: an h below 1 does not share that of a c of 70, and a cell finds its states in
    its own steps. Nobody outside sees it, a state is no business of the caller. The calibration of ``module`` follows.
    Does nothing for a module without states; a packed state that is also read whole stays.
    """
    function = module.main
    if not function.states:
        return
    PassManager(Pipeline([Canonicalize()])).run(module)
    for split in [s for state in function.states if (s := _find(function, state)) is not None]:
        _apply(function, split)
        data = module.calibration
        if isinstance(data, CalibrationData):
            samples, held = (tuple(_cut(s, split) for s in part) for part in (data.samples, data.held))
            module.calibration = replace(data, samples=samples, held=held)
    for state in function.states:
        _take_hidden(function, state)
    function.prune()


def _find(function: Function, state: State) -> _Split | None:
    before = next(v for v in function.inputs if v.name == state.name)
    joined = function.outputs[state.after].producer
    if joined is None or joined.opcode != "f.concat" or not before.type.dtype.is_float:
        return None
    axis = int(str(joined.attrs["axis"])) % before.type.rank
    parts = [v for v in joined.operands if v is not None]
    ends = np.cumsum([p.shape[axis] for p in parts]).tolist()
    wanted = {(start, end): k for k, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True))}
    readers = sorted((u for u in before.users if _range(u, axis) in wanted), key=lambda u: wanted[_range(u, axis)])
    whole = len(readers) != len(before.users) or any(v is before for v in function.outputs.values())
    if len(parts) < 2 or whole or [_range(u, axis) for u in readers] != list(wanted):
        return None
    return _Split(state, axis, readers, parts)


def _range(op: Op, axis: int) -> tuple[int, int]:
    """Where a slice along ``axis`` alone starts and ends; nowhere for any other op."""
    if not isinstance(op, Slice) or op.axes != [axis] or op.steps != [1]:
        return (-1, -1)
    [(_, taken)] = op.ranges().items()
    return taken.start, taken.stop


def _apply(function: Function, split: _Split) -> None:
    at = next(i for i, v in enumerate(function.inputs) if v.name == split.state.name)
    inputs = [Value(r.result.type, name) for r, name in zip(split.readers, split.names, strict=True)]
    function.inputs[at : at + 1] = inputs
    place = function.states.index(split.state)
    outputs = [f"{split.state.after}_{k}" for k in range(len(split.parts))]
    states = [replace(split.state, name=n, after=a) for n, a in zip(split.names, outputs, strict=True)]
    function.states[place : place + 1] = states
    function.outputs |= dict(zip(outputs, split.parts, strict=True))
    del function.outputs[split.state.after]
    for reader, v in zip(split.readers, inputs, strict=True):
        function.replace(reader.result, v)


def _take_hidden(function: Function, state: State) -> None:
    """The h of an LSTM as its products read it, instead of the last row of y, which others quantize as they like."""
    after = v = function.outputs[state.after]
    while v.producer is not None and v.producer.opcode in ("f.reshape", "f.slice"):
        (source,) = v.producer.operands
        assert source is not None
        if isinstance(v.producer, Slice):
            steps, cell = source.shape[0], source.producer
            last = isinstance(cell, Lstm) and _range(v.producer, 0) == ((0, 1) if cell.reverse else (steps - 1, steps))
            if not last:
                return
        v = source
    cell = v.producer
    if isinstance(cell, Lstm) and v is cell.y and after.type.elements == cell.hidden.type.elements:
        b = Builder(cell.loc)
        function.outputs[state.after] = b.emit(Reshape, cell.hidden, shape=list(after.shape))
        function.ops += b.ops


def _cut(sample: Sample, split: _Split) -> Sample:
    """The sample with the parts in the place of the packed state."""
    packed: Array = sample[split.state.name]
    ends = np.cumsum([p.shape[split.axis] for p in split.parts])[:-1]
    rest = {name: a for name, a in sample.items() if name != split.state.name}
    return rest | dict(zip(split.names, np.split(packed, ends, split.axis), strict=True))
