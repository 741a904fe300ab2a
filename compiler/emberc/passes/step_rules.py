"""How each integer op is written for a few rows of a sequence; see ``steps.py``."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from emberc.ir.op import Op
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.integer_cells import Cell, Lstm
from emberc.ir.ops.integer_compare import Compare
from emberc.ir.ops.integer_conv import CausalConv
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.ops.integer_movement import Concat, Expand, Gather, Pad, Reshape, Slice, Transpose
from emberc.ir.ops.integer_reduce import Reduce, ReduceMax, ReduceSum, TopK
from emberc.ir.ops.integer_scan import SelectiveScan
from emberc.ir.ops.integer_stream import Cache, RunningSum
from emberc.ir.types import DType, Quant, TensorType
from emberc.ir.values import Constant, Value
from emberc.passes.steps import Steps, rule

Written = tuple[Sequence[Value], int | None]


@rule("q.table", "q.table16", "q.requantize", "q.nonzero", "q.widen", "q.remap")
def _elementwise(op: Op, steps: Steps) -> Written:
    axis = steps.axis(op.operands[0])
    return steps.again(op, axis), axis


@rule("q.matmul", "q.layer_norm", "q.softmax", "q.softmax16")
def _row_wise(op: Op, steps: Steps) -> Written:
    x = op.operands[0]
    axis = steps.axis(x)
    assert x is not None and axis is not None
    if axis == x.type.rank - 1:
        raise steps.refuse(f"{op.opcode} mixes all steps")
    return steps.again(op, axis), axis


@rule("q.add", "q.mul", "q.compare", "q.logical", "q.where", "q.index")
def _broadcast(op: Op, steps: Steps) -> Written:
    rank = op.results[0].type.rank
    found = {axis + rank - v.type.rank for v in op.operands if v is not None and (axis := steps.axis(v)) is not None}
    if len(found) != 1:
        raise steps.refuse(f"the operands of {op.opcode} have time on different axes")
    (axis,) = found
    operands: list[Value | None] = []
    for v in op.operands:
        at = axis - rank + (v.type.rank if v is not None else 0)
        if v is None or steps.axis(v) is not None or at < 0 or v.shape[at] == 1:
            operands.append(None if v is None else steps.get(v))
        elif v.const is not None:
            operands.append(steps.rows_of(v.const, at, v.name, v.type))
        else:
            raise steps.refuse(f"{op.opcode} adds rows that are computed apart from the sequence")
    types = [steps.shorter(op.results[0].type, axis)]
    new = type(op).from_parts(operands, op.attrs, types, op.loc)
    steps.builder.ops.append(new)
    return new.results, axis


@rule("q.embed")
def _embed(op: Embed, steps: Steps) -> Written:
    shape = op.y.shape[:-1]
    axes = {steps.axis(p.ids) for p in op.tables() if p.ids is not None} - {None}
    if len(axes) != 1:
        raise steps.refuse("the ids of an embedding have time on different axes")
    (axis,) = axes
    assert axis is not None
    short = TensorType(DType.I32, shape).with_shape([steps.rows if i == axis else s for i, s in enumerate(shape)])
    parts: list[Value] = []
    for p in op.tables():
        if p.ids is None:
            ids = steps.emit(Reshape, steps.positions(), type=short, shape=list(short.shape))
        elif p.ids.const is not None:
            ids = steps.rows_of(p.ids.const, axis, p.ids.name, p.ids.type)
        else:
            ids = steps.get(p.ids)
        parts += [p.table, p.m, ids]
    attrs = {**op.attrs, "has_ids": [True] * len(op.has_ids)}
    return [steps.emit(Embed, op.bias, parts, type=steps.shorter(op.y.type, axis), **attrs)], axis


@rule("q.gather")
def _gather(op: Gather, steps: Steps) -> Written:
    at, x_axis = steps.axis(op.ids), steps.axis(op.x)
    if x_axis is not None:
        raise steps.refuse("it picks steps of the sequence")
    assert at is not None
    return steps.again(op, op.axis + at), op.axis + at


@rule("q.transpose")
def _transpose(op: Transpose, steps: Steps) -> Written:
    axis, x = op.perm.index(steps.axis(op.x) or 0), steps.get(op.x)
    if [p for p in op.perm if x.shape[p] > 1] == [p for p, n in enumerate(x.shape) if n > 1]:
        t = steps.shorter(op.result.type, axis)  # of one step nothing moves: it is a view
        return [steps.emit(Reshape, x, type=t, shape=list(t.shape))], axis
    return steps.again(op, axis), axis


@rule("q.reshape")
def _reshape(op: Reshape, steps: Steps) -> Written:
    axis, shape = steps.axis(op.x), op.results[0].shape
    before = prod(op.x.shape[:axis])
    for i, size in enumerate(shape):
        if size == steps.length and prod(shape[:i]) == before:
            return steps.again(op, i, shape=[steps.rows if k == i else s for k, s in enumerate(shape)]), i
    raise steps.refuse(f"the steps of {list(op.x.shape)} are no axis of {list(shape)}")


@rule("q.expand")
def _expand(op: Expand, steps: Steps) -> Written:
    axis = (steps.axis(op.x) or 0) + len(op.shape) - op.x.type.rank
    return steps.again(op, axis, shape=[steps.rows if i == axis else s for i, s in enumerate(op.shape)]), axis


@rule("q.concat")
def _concat(op: Concat, steps: Steps) -> Written:
    axes = {steps.axis(v) for v in op.operands}
    if len(axes) != 1 or op.axis in axes:
        raise steps.refuse("it joins steps of the sequence with other rows")
    (axis,) = axes
    return steps.again(op, axis), axis


@rule("q.pad")
def _pad(op: Pad, steps: Steps) -> Written:
    axis, rank = steps.axis(op.x), op.x.type.rank
    assert axis is not None
    if op.pads[axis] or op.pads[rank + axis]:
        raise steps.refuse("it pads the sequence")
    return steps.again(op, axis), axis


@rule("q.slice")
def _slice(op: Slice, steps: Steps) -> Written:
    axis = steps.axis(op.x)
    taken = op.ranges().get(-1 if axis is None else axis)
    if taken is None or taken == range(steps.length):
        return steps.again(op, axis), axis
    if taken == range(steps.length - 1, steps.length) and len(op.axes) == 1:  # the last step so far
        last = {**op.attrs, "starts": [steps.rows - 1], "ends": [steps.rows]}
        x = steps.get(op.x)
        return [x if steps.rows == 1 else steps.emit(Slice, x, type=op.results[0].type, **last)], None
    ways = ["take the last step, as x[:, -1:]", "or export one step, its state as inputs and outputs"]
    raise steps.refuse("it takes other steps than the last", *ways)


@rule("q.reduce_sum", "q.reduce_max")
def _reduce(op: Reduce, steps: Steps) -> Written:
    axis = steps.axis(op.x)
    assert axis is not None
    if axis != op.axis:
        moved = axis - (op.axis < axis and not op.keepdims)
        return steps.again(op, moved), moved
    if isinstance(op, ReduceMax) or not isinstance(op, ReduceSum):
        raise steps.refuse("a maximum over time is not kept from step to step", "pool with a mean, or the last step")
    shape = tuple(1 if i == axis else s for i, s in enumerate(op.x.shape))
    total = steps.state(TensorType(DType.I32, shape), "sum")
    common = {k: op.attrs[k] for k in ("axis", "zx", "m", "shift", "zero_point", "dtype")}
    y, after = steps.builder.add(
        RunningSum,
        steps.get(op.x),
        total,
        types=[op.y.type.with_shape(shape), total.type],
        limit=steps.length,
        **common,
    )
    steps.keep(total, after)
    return [y if op.keepdims else steps.emit(Reshape, y, type=op.y.type, shape=list(op.y.shape))], None


@rule("q.top_k")
def _top_k(op: TopK, steps: Steps) -> tuple[Sequence[Value], tuple[int, int]]:
    axis = steps.axis(op.x)
    assert axis is not None
    if axis == op.axis:
        raise steps.refuse("it ranks the steps of the sequence, which are not all there", "rank what each step has")
    return steps.again(op, axis), (axis, axis)


@rule("q.selective_scan")
def _scan(op: SelectiveScan, steps: Steps) -> Written:
    return _with_states(op, op.x.type.rank - 2, {"initial": ("state", "scan", 0)}, steps)


@rule("q.causal_conv")
def _conv(op: CausalConv, steps: Steps) -> Written:
    return _with_states(op, op.x.type.rank - 2, {"initial": ("tail", "conv", op.zx)}, steps)


@rule("q.lstm", "q.gru")
def _cell(op: Cell, steps: Steps) -> Written:
    if op.reverse:
        raise steps.refuse("the cell begins at the last step", "train with direction=forward, one way through time")
    ports = {"h0": ("hidden", "h", 0), "c0": ("last", "c", 0)} if isinstance(op, Lstm) else {"s0": ("last", "h", 0)}
    return _with_states(op, 0, ports, steps)


def _with_states(op: Op, along: int, ports: dict[str, tuple[str, str, int]], steps: Steps) -> Written:
    """The op, which goes along that axis, takes results of the call before as operands.

    ``ports``: operand -> the result that it takes, the name of the state, what fills it where the model gives none.
    """
    if steps.axis(op.operands[0]) != along:
        raise steps.refuse(f"{op.opcode} does not go along the time axis of the model")
    operands = [None if v is None else steps.get(v) for v in op.operands]
    states: list[tuple[Value, str]] = []
    for port, (after, hint, fill) in ports.items():
        at = list(op.operand_fields).index(port)
        given = operands[at]
        if given is not None and not isinstance(given, Constant):
            hints = ["pair it with the output that it becomes: --state IN=OUT", "or begin with zeros: --fix IN=0"]
            raise steps.refuse("the model has this state as an input", *hints)
        t = op.results[op.result_fields.index(after)].type
        state = steps.state(t, hint, fill, given if given is not None and given.data.any() else None)
        operands[at] = state
        states.append((state, after))
    types = [steps.shorter(op.results[0].type, along), *(r.type for r in op.results[1:])]
    new = type(op).from_parts(operands, op.attrs, types, op.loc)
    steps.builder.ops.append(new)
    for state, after in states:
        steps.keep(state, new.results[new.result_fields.index(after)])
    return new.results, along


@rule("q.attention")
def _attention(op: Attention, steps: Steps) -> Written:
    """Keys and values go into caches as long as the sequence; a mask hides what is not there yet."""
    if not op.causal or op.mask is not None or {steps.axis(v) for v in (op.q, op.k, op.v)} != {1}:
        raise steps.refuse(
            "attention looks at steps to come, or has a mask",
            "streaming needs a causal decoder; fix the mask: --fix attention_mask=1",
        )
    width = op.heads // op.group * op.head_dim
    caches = {(id(v), o): (v, o) for v, o in ((op.k, op.k_offset), (op.v, op.v_offset))}
    kept = {key: _cache(v, o, width, steps) for key, (v, o) in caches.items()}
    k, v = kept[id(op.k), op.k_offset], kept[id(op.v), op.v_offset]
    length, rows = steps.length, steps.rows
    at = steps.emit(Reshape, steps.positions(), type=TensorType(DType.I32, (rows, 1)), shape=[rows, 1])
    seen = TensorType(DType.BOOL, (rows, length))
    mask = steps.emit(Compare, Constant(np.arange(length, dtype=np.int32)[None]), at, type=seen, kind="le")
    mask = steps.emit(Reshape, mask, type=seen.with_shape((1, 1, rows, length)), shape=[1, 1, rows, length])
    attrs = {**op.attrs, "causal": False, "k_offset": 0, "v_offset": 0}
    y = steps.emit(Attention, steps.get(op.q), k, v, op.table, mask, type=steps.shorter(op.y.type, 1), **attrs)
    return [y], 1


def _cache(v: Value, offset: int, width: int, steps: Steps) -> Value:
    """The columns of ``v`` that attention reads, of every step so far."""
    rows = steps.get(v)
    quant = None
    if v.type.quant is not None:
        quant = Quant.per_tensor(v.type.quant.scale[offset if v.type.quant.axis is not None else 0])
    part = TensorType(v.type.dtype, (v.shape[0], steps.rows, width), quant)
    if width != v.shape[2]:
        cut = {"starts": [offset], "ends": [offset + width], "axes": [2], "steps": [1]}
        rows = steps.emit(Slice, rows, type=part, **cut)
    cache = steps.state(part.with_shape((v.shape[0], steps.length, width)), "cache")
    after = steps.emit(Cache, cache, rows, steps.position(), type=cache.type)
    steps.keep(cache, after)
    return after
