"""LSTM and GRU with constant weights and the usual functions: one op a direction, which loops over the steps."""

from __future__ import annotations

import numpy as np

from emberc.frontend.context import NodeContext
from emberc.ir.ops.float_cells import Gru, Lstm
from emberc.ir.types import Array
from emberc.ir.values import Constant, Value

FUNCTIONS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]}


def fits_cell(node: NodeContext, functions: list[str]) -> bool:
    """Whether the cell ops know this node: constant weights, Sigmoid and Tanh where they usually are."""
    usual = FUNCTIONS[node.op_type]
    same = [f.lower() for f in functions] in ([], [f.lower() for f in usual], [f.lower() for f in usual * 2])
    weights = [node.optional(i) for i in (1, 2, 3)]
    return same and all(v is None or isinstance(v, Constant) for v in weights)


def run_cells(node: NodeContext, x: Value, size: int, backwards: list[bool], states: list[list[Value]]) -> list[Value]:
    """x [S, B, I] through one cell a direction; ``states`` are the initial ones [B, H] of each.

    Returns Y [S, D, B, H], Y_h [D, B, H] and, of an LSTM, Y_c.
    """
    steps, batch, _ = x.shape
    outputs: list[Value] = []
    lasts: list[list[Value]] = []
    for k, reverse in enumerate(backwards):
        weights = _weights(node, k, size)
        more = {"reverse": reverse, "clip": node.number("clip", 0.0)}
        end = 0 if reverse else steps - 1
        if node.op_type == "LSTM":
            y, cell, _, _ = node.emit_all(Lstm, x, *weights, *states[k], **more)
            last = [node.reshape(node.slice(y, 0, end, end + 1), [batch, size]), cell]
        else:
            late = bool(node.integer("linear_before_reset"))
            y, *last = node.emit_all(Gru, x, *weights, *states[k], late=late, **more)
        outputs.append(node.reshape(y, [steps, 1, batch, size]))
        lasts.append([node.reshape(v, [1, batch, size]) for v in last])
    return [node.concat(outputs, 1), *[node.concat(list(parts), 0) for parts in zip(*lasts, strict=True)]]


def _weights(node: NodeContext, k: int, size: int) -> list[Value]:
    """w, w_bias, r, r_bias of direction ``k``."""
    rows = (Lstm if node.op_type == "LSTM" else Gru).gates * size
    w, r = (_part(node.input(i), k) for i in (1, 2))
    both = node.optional(3)
    bias = np.zeros(2 * rows, w.dtype) if both is None else _part(both, k)
    arrays = {"w": w, "w_bias": bias[:rows], "r": r, "r_bias": bias[rows:]}
    return [Constant(a, f"{node.builder.loc}_{name}") for name, a in arrays.items()]


def _part(v: Value, k: int) -> Array:
    assert isinstance(v, Constant)
    part: Array = v.data[k]
    return part
