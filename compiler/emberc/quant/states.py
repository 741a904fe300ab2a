"""One quantization for what a state is before a step and after it.

The output of a call is the input of the next as it stands, no step in between could rescale it. So both have the type
that the op making the state gives it, over the range that calibration saw on either side: a scan's own, the power of
two of a cell's, the input's of a convolution that keeps its rows, min-max of both sides for all others.
"""

from __future__ import annotations

from math import floor, log2

from emberc.ir.graph import Function
from emberc.ir.ops.float_cells import Cell, Gru, Lstm
from emberc.ir.ops.integer_cells import ONE_BITS
from emberc.ir.types import DType, Quant, TensorType
from emberc.ir.values import Constant, Value
from emberc.quant.observers import Statistics
from emberc.quant.precision import MOVES


def share_statistics(function: Function, stats: dict[int, Statistics]) -> None:
    """Both sides of every state have seen what either has."""
    for before, after in float_states(function):
        one, other = stats.get(id(before)), stats.get(id(after))
        if one is not None and other is not None:
            one.lo = other.lo = min(one.lo, other.lo)
            one.hi = other.hi = max(one.hi, other.hi)


def tie_states(function: Function, types: dict[int, TensorType]) -> None:
    """Gives both sides of every state one type in ``types``, and what only moves them the same."""
    own = cell_types(function, types)
    for before, after in float_states(function):
        chain = moved_from(after)
        made = own.get(id(chain[-1]), types[id(chain[-1])])
        for v in (*chain, *moved_to(before)):
            types[id(v)] = made.with_shape(v.shape)


def state_values(function: Function) -> frozenset[int]:
    """What shows a state, before or after a call, by ``id``: clipping it would add up over the steps."""
    return frozenset(id(v) for a, b in float_states(function) for v in (*moved_to(a), *moved_from(b)))


def float_states(function: Function) -> list[tuple[Value, Value]]:
    """Every state that holds floats, before and after a call."""
    inputs = {v.name: v for v in function.inputs}
    pairs = [(inputs[s.name], function.outputs[s.after]) for s in function.states]
    return [(a, b) for a, b in pairs if a.type.dtype.is_float and not isinstance(b, Constant)]


def moved_from(v: Value) -> list[Value]:
    """``v``, and the values whose elements it shows, the one that an op computes last."""
    chain = [v]
    while chain[-1].producer is not None and chain[-1].producer.opcode in MOVES:
        source = chain[-1].producer.operands[0]
        assert source is not None
        chain.append(source)
    return chain


def moved_to(v: Value) -> list[Value]:
    """``v``, and the values that show its elements."""
    shown = [u.result for u in v.users if u.opcode in MOVES and u.operands[0] is v]
    return [v, *(w for s in shown for w in moved_to(s))]


def cell_types(function: Function, types: dict[int, TensorType]) -> dict[int, TensorType]:
    """The types that cells keep their states in, by ``id`` of the result."""
    own: dict[int, TensorType] = {}
    for op in function.ops:
        if isinstance(op, Lstm):
            own[id(op.last)] = state_type(op, state_bits(types[id(op.span)]))
            own[id(op.hidden)] = hidden_type(types[id(op.x)].dtype, op, types[id(op.y)])
        elif isinstance(op, Gru):
            start = types.get(id(op.h0))
            own[id(op.last)] = state_type(op, min(state_bits(t) for t in (types[id(op.y)], start) if t is not None))
    return own


def hidden_type(dtype: DType, op: Cell, y: TensorType) -> TensorType:
    """h as the products of a cell read it: x's element type, symmetric, over the range of y."""
    return TensorType(dtype, op.h0.shape, Quant.per_tensor(reach(y) / dtype.limits[1]))


def state_type(op: Cell, bits: int) -> TensorType:
    """int16 in steps of 2^-bits: the state that adds up over time."""
    return TensorType(DType.I16, op.h0.shape, Quant.per_tensor(2.0**-bits))


def state_bits(t: TensorType) -> int:
    """The most fraction bits, at most 15, with which int16 holds all that ``t`` stands for."""
    largest = (1 << ONE_BITS) - 1
    return max(0, min(ONE_BITS, floor(log2(largest / max(reach(t), 2.0**-ONE_BITS)) + 1e-9)))


def reach(t: TensorType) -> float:
    """The largest absolute value that a type stands for, the odd one at the low end of a symmetric type left out."""
    assert t.quant is not None
    lo, hi = t.dtype.limits
    zero = t.quant.zero_point
    return float(max(t.quant.scale)) * max(hi - zero, zero - max(lo, -hi) if zero == 0 else zero - lo)
