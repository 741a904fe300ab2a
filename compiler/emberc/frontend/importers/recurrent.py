"""LSTM, GRU and RNN. With constant weights the first two are ops of their own (``cells.py``); all else is unrolled over
the sequence: one step with its state as input and output stays one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from emberc.frontend.context import NodeContext
from emberc.frontend.importers.cells import FUNCTIONS, fits_cell, run_cells
from emberc.frontend.registry import importer
from emberc.ir.op import Op
from emberc.ir.ops import float_unary as fu
from emberc.ir.values import Constant, Value

ACTIVATIONS: dict[str, type[Op]] = {"Sigmoid": fu.Sigmoid, "Tanh": fu.Tanh, "Relu": fu.Relu}

#: state, the input's share of the gates [B, G * H], direction -> next state, of which the first part is h
Step = Callable[[list[Value], Value, "Direction"], list[Value]]


@dataclass(frozen=True)
class Direction:
    """Weights of one direction, transposed to stand right of a product."""

    w: Value  # [I, G * H]
    r: Value  # [H, G * H]
    input_bias: Value | None  # [G * H]
    state_bias: Value | None  # [G * H]
    activations: Sequence[type[Op]]


@importer("LSTM")
def lstm(node: NodeContext) -> list[Value | None]:
    """i, o, f = sigmoid(..), g = tanh(..); c' = f c + i g; h' = o tanh(c'). Hochreiter and Schmidhuber 1997."""
    if node.optional(7) is not None:
        raise node.refuse("the input 'P' (peepholes)", "no peepholes")
    if node.integer("input_forget"):
        raise node.refuse("input_forget=1", "0")

    def step(state: list[Value], gates: Value, d: Direction) -> list[Value]:
        h, c = state
        total = node.add(gates, node.matmul(h, d.r))
        total = total if d.state_bias is None else node.add(total, d.state_bias)
        i, o, f, g = _split(node, total, 4)
        gate, cell, out = d.activations
        kept = node.mul(node.emit(gate, f), c)
        c = node.add(kept, node.mul(node.emit(gate, i), node.emit(cell, g)))
        return [node.mul(node.emit(gate, o), node.emit(out, c)), c]

    return _run(node, 4, ["Sigmoid", "Tanh", "Tanh"], step, states=2)


@importer("GRU")
def gru(node: NodeContext) -> list[Value | None]:
    """z, r = sigmoid(..), n = tanh(..); h' = (1 - z) n + z h. Cho et al. 2014; ``linear_before_reset`` applies the
    reset gate after the product, as torch does."""
    late = bool(node.integer("linear_before_reset"))

    def step(state: list[Value], gates: Value, d: Direction) -> list[Value]:
        (h,) = state
        gate, new = d.activations
        size = h.shape[-1]
        xz, xr, xn = _split(node, gates, 3)
        rz, rr, rn = (node.slice(d.r, 1, k * size, (k + 1) * size) for k in range(3))
        bz, br, bn = [None] * 3 if d.state_bias is None else _split(node, d.state_bias, 3)

        def product(v: Value, weight: Value, bias: Value | None) -> Value:
            y = node.matmul(v, weight)
            return y if bias is None else node.add(y, bias)

        z = node.emit(gate, node.add(xz, product(h, rz, bz)))
        r = node.emit(gate, node.add(xr, product(h, rr, br)))
        inner = node.mul(r, product(h, rn, bn)) if late else product(node.mul(r, h), rn, bn)
        n = node.emit(new, node.add(xn, inner))
        return [node.add(n, node.mul(z, node.sub(h, n)))]

    return _run(node, 3, ["Sigmoid", "Tanh"], step, states=1)


@importer("RNN")
def rnn(node: NodeContext) -> list[Value | None]:
    """h' = tanh(x W + h R + b). Elman 1990."""

    def step(state: list[Value], gates: Value, d: Direction) -> list[Value]:
        total = node.add(gates, node.matmul(state[0], d.r))
        total = total if d.state_bias is None else node.add(total, d.state_bias)
        return [node.emit(d.activations[0], total)]

    return _run(node, 1, ["Tanh"], step, states=1)


def _run(node: NodeContext, gates: int, defaults: list[str], step: Step, states: int) -> list[Value | None]:
    """All directions over all steps: Y [S, D, B, H] and the last states [D, B, H], axes as ``layout`` says."""
    batch_first = bool(node.integer("layout"))
    x = node.input(0)
    x = node.transpose(x, [1, 0, 2]) if batch_first else x
    steps, batch, _ = x.shape
    size = node.integer("hidden_size") or node.input(2).shape[2]
    _check_lengths(node, steps)
    direction = node.text("direction", "forward")
    backwards = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[direction]
    if node.op_type in FUNCTIONS and fits_cell(node, _texts(node, "activations")):
        starts = [
            [_initial(node, 5 + s, k, batch, size, batch_first) for s in range(states)] for k in range(len(backwards))
        ]
        y, *last = run_cells(node, x, size, backwards, starts)
        return _as_laid_out(node, y, last, batch_first)
    outputs: list[list[Value]] = []
    finals: list[list[Value]] = []
    for k, reverse in enumerate(backwards):
        d = _direction(node, k, size, gates, defaults)
        state = [_initial(node, 5 + s, k, batch, size, batch_first) for s in range(states)]
        share = node.matmul(x, d.w)
        share = share if d.input_bias is None else node.add(share, d.input_bias)
        row: list[Value] = []
        for t in range(steps)[:: -1 if reverse else 1]:
            at = node.reshape(node.slice(share, 0, t, t + 1), [batch, gates * size])
            state = step(state, at, d)
            row.append(node.reshape(state[0], [1, 1, batch, size]))
        outputs.append(row[::-1] if reverse else row)
        finals.append([node.reshape(s, [1, batch, size]) for s in state])
    y = node.concat([node.concat(row, 0) for row in outputs], 1)
    last = [node.concat([f[s] for f in finals], 0) for s in range(states)]
    return _as_laid_out(node, y, last, batch_first)


def _as_laid_out(node: NodeContext, y: Value, last: list[Value], batch_first: bool) -> list[Value | None]:
    if batch_first:
        y = node.transpose(y, [2, 0, 1, 3])
        last = [node.transpose(s, [1, 0, 2]) for s in last]
    return [y, *last]


def _direction(node: NodeContext, k: int, size: int, gates: int, defaults: list[str]) -> Direction:
    count = len(defaults)
    names = _texts(node, "activations") or defaults * 2
    names = names[k * count : (k + 1) * count]
    unknown = [n for n in names if n not in ACTIVATIONS]
    if unknown:
        raise node.refuse(f"the activation {unknown[0]}", ", ".join(ACTIVATIONS))
    if node.number("clip"):
        raise node.refuse("clip", "no clip")

    def part(index: int) -> Value:
        v = node.slice(node.input(index), 0, k, k + 1)
        return node.reshape(v, v.shape[1:])

    bias = None if node.optional(3) is None else part(3)
    width = gates * size
    return Direction(
        node.swap_last(part(1)),
        node.swap_last(part(2)),
        None if bias is None else node.slice(bias, 0, 0, width),
        None if bias is None else node.slice(bias, 0, width, 2 * width),
        [ACTIVATIONS[n] for n in names],
    )


def _initial(node: NodeContext, index: int, k: int, batch: int, size: int, batch_first: bool) -> Value:
    given = node.optional(index)
    if given is None:
        return node.constant(np.zeros((batch, size)), node.input(0).type.dtype)
    return node.reshape(node.slice(given, 1 if batch_first else 0, k, k + 1), [batch, size])


def _check_lengths(node: NodeContext, steps: int) -> None:
    lengths = node.optional(4)
    if lengths is not None and not (isinstance(lengths, Constant) and (lengths.data == steps).all()):
        raise node.refuse("sequence_lens", f"left out, or the constant {steps} (the whole sequence)")


def _texts(node: NodeContext, name: str) -> list[str]:
    a = node.attribute(name)
    return [] if a is None else [s.decode(errors="replace") for s in a.strings]


def _split(node: NodeContext, x: Value, parts: int) -> list[Value]:
    """Equal parts of the last axis."""
    axis = x.type.rank - 1
    part = x.shape[axis] // parts
    return [node.slice(x, axis, k * part, (k + 1) * part) for k in range(parts)]
