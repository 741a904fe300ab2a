"""Which weights and values get 16 bits: those whose rounding to 8 bits costs the outputs most, for their bytes.

``--precision int16`` gives every value 16 bits, and weights where 8 would leave the outputs below ``INT16_DB``.
``--precision mixed:30dB`` starts from the choice of int8 and widens as little as the outputs then need: weights and
values may each leave half of the noise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from emberc.ir.graph import Function
from emberc.ir.op import Op
from emberc.ir.ops.float_fused import Attention, Embed, Linear
from emberc.ir.ops.float_rows import DepthwiseRows
from emberc.ir.ops.float_scan import CausalConv
from emberc.ir.ops.float_windows import ConvRows
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Value
from emberc.quant.grid import row_grids
from emberc.quant.noise import Meter, Place, Rounding
from emberc.quant.precision import root_of

#: what int8 weights may leave at the outputs of ``--precision int16``: a sixth of the noise power of 40 dB
INT16_DB = 48.0
#: times that a choice is made again because errors that were measured apart add up to more together
TRIES = 4


@dataclass(frozen=True)
class Choice:
    """A weight or value and its type. ``alone_db``: SQNR of the outputs where its rounding to int8 is the only error;
    None where that changes nothing. ``bytes``: what 16 bits take more, flash of a weight, RAM of a value."""

    node: str
    op: str
    what: str
    dtype: str
    alone_db: float | None
    bytes: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Candidate:
    """``keys`` are the values or the weight that take 16 bits together. ``node``: the ONNX node, or an input's name."""

    node: str
    op: str
    what: str
    keys: frozenset[int]
    place: Place
    bytes: int


def choose(meter: Meter, candidates: Sequence[Candidate], limit: float) -> tuple[set[int], list[Choice]]:
    """The keys that get 16 bits so that the others leave at most ``limit`` of noise to signal; and all choices."""
    if not candidates:
        return set(), []
    noise = meter.measure([c.place for c in candidates])
    order = sorted(range(len(candidates)), key=lambda i: (-noise[i] / max(1, candidates[i].bytes), i))
    goal, wide = limit, set[int]()
    for _ in range(TRIES):
        left = sum(noise)
        wide = set()
        for i in order:
            if left <= goal:
                break
            wide.add(i)
            left -= noise[i]
        got = meter.together([c.place for i, c in enumerate(candidates) if i not in wide])
        if got <= limit:
            break
        goal *= 0.8 * limit / got
    rows = [
        Choice(c.node, c.op, c.what, "i16" if i in wide else "i8", _decibels(noise[i]), c.bytes)
        for i, c in enumerate(candidates)
    ]
    return {k for i in wide for k in candidates[i].keys}, [rows[i] for i in order]


def weight_candidates(function: Function, types: Mapping[int, TensorType], taken: Collection[int]) -> list[Candidate]:
    """Weights that two int8 matrices can stand for, each once. ``taken``: ids of those that have a form of their own;
    and where Q, K and V have a scale each, int8 is all that their sum can be."""
    found: dict[int, Candidate] = {}
    for op in function.ops:
        quant = types[id(op.results[0])].quant if id(op.results[0]) in types else None
        if quant is None or quant.axis is not None:
            continue
        for weight, axis in _weights(op):
            if weight.const is None or id(weight) in found or id(weight) in taken:
                continue
            key = id(weight)
            place = Place({key: _weight_rounding(axis)})
            found[key] = Candidate(op.loc, op.opcode, "weight", frozenset({key}), place, weight.type.elements)
    return list(found.values())


def value_candidates(function: Function, types: Mapping[int, TensorType], fixed: Collection[int]) -> list[Candidate]:
    """Values that are int8 in ``types``; what attention reads goes together. ``fixed``: ids of those that stay so."""
    roots = [*function.inputs, *(root_of(r) for op in function.ops for r in op.results)]
    group: dict[int, int] = {}
    for op in function.ops:
        if isinstance(op, Attention):
            keys = [id(root_of(v)) for v in (op.q, op.k, op.v)]
            for old in {group.get(k, k) for k in keys}:
                group.update(dict.fromkeys([*[k for k, g in group.items() if g == old], old], keys[0]))
    members: dict[int, list[Value]] = {}
    for r in roots:
        if id(r) in types:
            known = members.setdefault(group.get(id(r), id(r)), [])
            if not any(r is m for m in known):
                known.append(r)
    return [c for values in members.values() if (c := _values(values, types, fixed)) is not None]


def _values(values: list[Value], types: Mapping[int, TensorType], fixed: Collection[int]) -> Candidate | None:
    keys = frozenset(id(v) for v in values)
    narrow = {k: types[k] for k in keys if types[k].dtype is DType.I8}
    if not narrow or keys & set(fixed):
        return None
    op = values[0].producer
    node, code = (op.loc, op.opcode) if op is not None else (values[0].name or "", "input")
    place = Place({k: _value_rounding(t) for k, t in narrow.items()})
    return Candidate(node, code, "value", keys, place, sum(t.elements for t in narrow.values()))


def _weights(op: Op) -> Iterator[tuple[Value, int]]:
    """Weights of an op, and the axis that has a scale per index."""
    if isinstance(op, Linear):
        yield op.weight, 0
    elif isinstance(op, ConvRows):
        yield op.w, 0
    elif isinstance(op, DepthwiseRows | CausalConv):
        yield op.w, 1
    elif isinstance(op, Embed):
        yield from ((table, 1) for table in op.parts[op.count :])


def _weight_rounding(axis: int) -> Rounding:
    def rounding(w: Array) -> Array:
        rows = np.moveaxis(w, axis, 0).reshape(w.shape[axis], -1).astype(np.float64)
        top = np.abs(rows).max(axis=1, initial=0.0)
        grid = row_grids(rows)
        step = np.where(grid.step > 0, grid.step, np.where(top > 0, top, 1.0) / 127)[:, None]
        center = grid.center[:, None]
        rounded = (np.rint(rows / step - center) + center) * step
        moved = rounded.reshape(np.moveaxis(w, axis, 0).shape)
        return np.ascontiguousarray(np.moveaxis(moved, 0, axis), w.dtype)

    return rounding


def _value_rounding(t: TensorType) -> Rounding:
    def rounding(x: Array) -> Array:
        assert t.quant is not None
        return t.quant.dequantize(t.quant.quantize(x, t.dtype)).astype(x.dtype)

    return rounding


def _decibels(noise: float) -> float | None:
    return round(-10 * float(np.log10(noise)), 1) if noise > 0 else None
