"""Loop and Scan: their steps one after the other, as many as are known at compile time.

A body is converted once a step, so that counters, conditions and indices that depend on them fold to constants. What
is left are equal steps; ``recover-recurrence`` makes one op of them where they are a linear recurrence, or compute
the same for every element. Time is linear in steps times nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from emberc.errors import ModelError, UnsupportedError
from emberc.frontend.context import Attributes
from emberc.frontend.emitter import Emitter
from emberc.frontend.tensor_list import TensorList
from emberc.frontend.tensors import element_type
from emberc.ir.builder import Builder
from emberc.ir.values import Constant, Value

#: what one Loop or Scan may unroll to; 60 times a Mamba block of 256 steps
OP_LIMIT = 100_000
STEP_LIMIT = 1 << 16

#: converts the body for one step, given values by name; None where a node of it was refused
RunBody = Callable[[onnx.GraphProto, Mapping[str, Value], int], "Sequence[Value | None] | None"]


@dataclass
class Repeated:
    """A node with a body: its inputs and attributes, and ``run``, which converts the body for one step."""

    op_type: str
    inputs: Sequence[Value | None]
    attributes: Attributes
    builder: Builder
    run: RunBody
    place: str  # for errors
    loc: str  # for ops

    def __post_init__(self) -> None:
        self.emitter = Emitter(self.builder)
        self.start = len(self.builder.ops)

    @property
    def body(self) -> onnx.GraphProto:
        if "body" not in self.attributes:
            raise ModelError(f"{self.op_type} lacks its attribute 'body'", at=self.place)
        return self.attributes["body"].g

    def integers(self, name: str, default: Sequence[int]) -> list[int]:
        return list(self.attributes[name].ints) if name in self.attributes else list(default)

    def step(self, values: Sequence[Value], t: int) -> list[Value] | None:
        """The body's outputs for its inputs in order. Raises UnsupportedError where there are too many steps."""
        names = [i.name for i in self.body.input]
        if len(names) != len(values):
            raise ModelError(f"{self.op_type}: its body takes {len(names)} inputs, not {len(values)}", at=self.place)
        if t >= STEP_LIMIT or len(self.builder.ops) - self.start > OP_LIMIT:
            ops = len(self.builder.ops) - self.start
            raise UnsupportedError(
                f"{self.op_type}: more than {t} steps ({ops:,} ops), which are too many to unroll",
                at=self.place,
                hints=["shorten the sequence", "export one step with the state as input and output"],
            )
        results = self.run(self.body, dict(zip(names, values, strict=True)), t)
        if results is None:
            return None
        found = [v for v in results if v is not None]
        if len(found) != len(results):
            raise ModelError(f"{self.op_type}: its body does not make all of its outputs", at=self.place)
        return found

    def joined(self, rows: Sequence[Value], axis: int, output: onnx.ValueInfoProto) -> Value:
        """Values of all steps along a new axis; without any step, nothing of the shape that the body declares."""
        self.builder.loc = self.loc
        e = self.emitter
        if rows:
            axis = axis % (rows[0].type.rank + 1)
            return e.concat([e.unsqueeze(v, axis) for v in rows], axis)
        tensor = output.type.tensor_type
        shape = [d.dim_value for d in tensor.shape.dim]
        if not tensor.HasField("shape") or not all(shape):
            raise UnsupportedError(f"{self.op_type}: it runs no step, and its output has no known shape", at=self.place)
        shape.insert(axis % (len(shape) + 1), 0)
        return Constant(np.zeros(shape, element_type(tensor.elem_type, self.place).numpy))


def loop(node: Repeated) -> list[Value | None] | None:
    """ONNX Loop: a fixed number of steps, a condition that folds to a constant at every step, or both."""
    if len(node.inputs) < 2:
        raise ModelError("Loop takes a number of steps and a condition", at=node.place)
    steps = None if node.inputs[0] is None else _known(node, node.inputs[0], "number of steps")
    going = node.inputs[1] is None or bool(_known(node, node.inputs[1], "condition"))
    states = [v for v in node.inputs[2:] if v is not None]
    rows: list[list[Value]] = [[] for _ in node.body.output[1 + len(states) :]]
    t = 0
    while going and (steps is None or t < steps):
        counter, condition = Constant(np.asarray(t, np.int64)), Constant(np.asarray(True))
        results = node.step([counter, condition, *states], t)
        if results is None:
            return None
        going = bool(_known(node, results[0], "condition"))
        states = results[1 : 1 + len(states)]
        for row, value in zip(rows, results[1 + len(states) :], strict=True):
            row.append(value)
        t += 1
    outputs = node.body.output[1 + len(states) :]
    return [*states, *[node.joined(row, 0, o) for row, o in zip(rows, outputs, strict=True)]]


def _known(node: Repeated, value: Value, what: str) -> int:
    if isinstance(value, TensorList) or not isinstance(value, Constant) or value.data.size != 1:
        raise UnsupportedError(
            f"Loop: its {what} depends on the model's input data",
            at=node.place,
            hints=["export with a fixed number of steps", "export one step with the state as input and output"],
        )
    return int(value.data.reshape(-1)[0])


def scan(node: Repeated) -> list[Value | None] | None:
    """ONNX Scan since opset 9: one step for each slice of its inputs."""
    count = int(node.attributes["num_scan_inputs"].i) if "num_scan_inputs" in node.attributes else 0
    given = [v for v in node.inputs if v is not None]
    if not 0 < count <= len(given):
        raise ModelError(f"Scan: num_scan_inputs is {count}, it has {len(given)} inputs", at=node.place)
    states, xs = given[: len(given) - count], given[len(given) - count :]
    axes = [a % max(1, x.type.rank) for a, x in zip(node.integers("scan_input_axes", [0] * count), xs, strict=True)]
    if any(not x.type.rank for x in xs) or len({x.shape[a] for x, a in zip(xs, axes, strict=True)}) != 1:
        raise ModelError("Scan: its scan inputs differ in length", at=node.place)
    steps = xs[0].shape[axes[0]]
    backwards = node.integers("scan_input_directions", [0] * count)
    outputs = node.body.output[len(states) :]
    rows: list[list[Value]] = [[] for _ in outputs]
    for t in range(steps):
        at = [steps - 1 - t if back else t for back in backwards]
        node.builder.loc = f"{node.loc}[{t}]/"
        slices = [_slice(node.emitter, x, a, i) for x, a, i in zip(xs, axes, at, strict=True)]
        results = node.step([*states, *slices], t)
        if results is None:
            return None
        states = results[: len(states)]
        for row, value in zip(rows, results[len(states) :], strict=True):
            row.append(value)
    along = node.integers("scan_output_axes", [0] * len(outputs))
    turned = node.integers("scan_output_directions", [0] * len(outputs))
    rows = [row[::-1] if back else row for row, back in zip(rows, turned, strict=True)]
    return [*states, *[node.joined(r, a, o) for r, a, o in zip(rows, along, outputs, strict=True)]]


def _slice(e: Emitter, x: Value, axis: int, t: int) -> Value:
    part = e.slice(x, axis, t, t + 1)
    return e.reshape(part, [n for i, n in enumerate(x.shape) if i != axis])


#: operators with a body, the opset since which their form is the one here
REPEATED: dict[str, tuple[int, Callable[[Repeated], list[Value | None] | None]]] = {
    "Loop": (1, loop),
    "Scan": (9, scan),
}
