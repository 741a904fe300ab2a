"""Which weights and values get 16 bits: those whose rounding to 8 bits costs the outputs most, for their bytes.

The default widens nothing where that leaves the outputs above ``default_db``, which one run of the calibration samples
tells; elsewhere it is ``mixed:22dB`` with few wide weights, where that comes near. ``--precision mixed:30dB`` starts
from the choice of int8 and widens as little as the outputs then need: values first, where weights alone leave less than
half of the noise, else values for half of it and weights for what is left.
What stays int8 whatever is asked for (what scans read) counts with the weights.
``--precision int16`` gives every value 16 bits, and weights where 8 would leave the outputs below ``INT16_DB``.
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
from emberc.ir.ops.float_scan import CausalConv, SelectiveScan
from emberc.ir.ops.float_windows import ConvRows
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Value
from emberc.quant.grid import row_grids
from emberc.quant.noise import Meter, Place, Rounding
from emberc.quant.precision import root_of

#: what the default leaves the outputs, at least: 20 dB, and 2 for what norms, softmax and products round inside
INT8_DB = 22.0
#: the same where selective scans are: 25 dB, and 2 for other samples and for what rounds inside a scan
SCAN_DB = 27.0
#: share of the weights' bytes that the default may double: 24 random layers of MobileBERT asked for all of them and
#: were hardly better for it
MOST_WIDE = 1 / 8
#: times the noise that the default asks for which is near enough to widen anything for
NEAR = 2.0
#: what int8 weights may leave at the outputs of ``--precision int16``: a sixth of the noise power of 40 dB
INT16_DB = 48.0
#: the types of values, with the i-th sample left out of the ranges of the i-th
Apart = Sequence[Mapping[int, TensorType]]


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


def choose(
    meter: Meter,
    candidates: Sequence[Candidate],
    limit: float,
    beside: Sequence[Place] = (),
    *,
    share: float = 1.0,
) -> tuple[set[int], list[Choice]]:
    """The keys that get 16 bits so that the others leave at most ``limit`` of noise to signal; and all choices.
    ``beside`` is rounded along with them. No more than ``share`` of the candidates' bytes double."""
    if not candidates:
        return set(), []
    noise = meter.measure([c.place for c in candidates])
    order = sorted(range(len(candidates)), key=lambda i: (-noise[i] / max(1, candidates[i].bytes), i))
    fewest, count = 0, len(order)
    while fewest < count:
        middle = (fewest + count) // 2
        if meter.together([*beside, *(candidates[i].place for i in order[middle:])]) <= limit:
            count = middle
        else:
            fewest = middle + 1
    wide: set[int] = set()
    left = share * sum(c.bytes for c in candidates)
    for i in order[:count]:
        if candidates[i].bytes <= left:
            wide.add(i)
            left -= candidates[i].bytes
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


def value_candidates(
    function: Function, types: Mapping[int, TensorType], fixed: Collection[int], apart: Apart = ()
) -> list[Candidate]:
    """Values that are int8 in ``types``; what attention reads goes together. ``fixed``: ids of those that stay so;
    ``apart``: the types over the ranges of all samples but the i-th, for which that one is rounded."""
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
    return [c for values in members.values() if (c := _values(values, types, fixed, apart)) is not None]


def default_db(function: Function) -> float:
    """The SQNR of the outputs that the default asks of what it measures."""
    return SCAN_DB if any(isinstance(op, SelectiveScan) for op in function.ops) else INT8_DB


def too_noisy(before: float, after: float, goal: float) -> str:
    """Why the default widens values, or why it does not or not enough, for the report."""
    limit = 10 ** (-goal / 10)
    more = f"--precision mixed:{goal:.0f}dB gives 16 bits to more of the weights than a default may"
    does = "what costs them most has 16 bits"
    if after > NEAR * limit:
        does = more
    elif after > limit:
        does = f"{does}, which leaves {_decibels(after)} dB; {more}"
    return f"int8 alone may leave the outputs at {_decibels(before)} dB, below the default's {goal:.0f}: {does}"


def _values(
    values: list[Value], types: Mapping[int, TensorType], fixed: Collection[int], apart: Apart
) -> Candidate | None:
    keys = frozenset(id(v) for v in values)
    narrow = {k: types[k] for k in keys if types[k].dtype is DType.I8}
    if not narrow or keys & set(fixed):
        return None
    op = values[0].producer
    node, code = (op.loc, op.opcode) if op is not None else (values[0].name or "", "input")
    place = Place({k: _value_rounding([a[k] for a in apart] or [t]) for k, t in narrow.items()})
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
    def rounding(w: Array, _: int) -> Array:
        rows = np.moveaxis(w, axis, 0).reshape(w.shape[axis], -1).astype(np.float64)
        top = np.abs(rows).max(axis=1, initial=0.0)
        grid = row_grids(rows)
        step = np.where(grid.step > 0, grid.step, np.where(top > 0, top, 1.0) / 127)[:, None]
        center = grid.center[:, None]
        rounded = (np.rint(rows / step - center) + center) * step
        moved = rounded.reshape(np.moveaxis(w, axis, 0).shape)
        return np.ascontiguousarray(np.moveaxis(moved, 0, axis), w.dtype)

    return rounding


def _value_rounding(types: Sequence[TensorType]) -> Rounding:
    def rounding(x: Array, sample: int) -> Array:
        t = types[sample % len(types)]
        assert t.quant is not None
        return t.quant.dequantize(t.quant.quantize(x, t.dtype)).astype(x.dtype)

    return rounding


def _decibels(noise: float) -> float | None:
    return round(-10 * float(np.log10(noise)), 1) if noise > 0 else None
