"""Which integers stand for each value: int8 or int16, symmetric or not, and over which range.

int8 is the default. int16 goes where 8 bits cost accuracy and 16 cost little: values that only feed a sum or a
normalisation (residual streams: their error is added up layer by layer, and no product reads them), and outputs of
the model. Calibrated ranges come from ``observers``; a value that only feeds a saturating function (GELU, tanh,
ReLU) spans no more than the part of the range that the function can tell apart.

What the model file itself quantizes (``f.fake_quant``) keeps the file's integers, and calibration has no say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from emberc.errors import UsageError
from emberc.ir.graph import Function
from emberc.ir.op import Op
from emberc.ir.ops.float_cells import Cell
from emberc.ir.ops.float_fused import Attention, Linear
from emberc.ir.ops.float_quant import FakeQuant
from emberc.ir.ops.float_unary import FloatUnary
from emberc.ir.ops.float_windows import ConvRows
from emberc.ir.types import Array, DType, Quant, TensorType
from emberc.ir.values import Value
from emberc.quant.observers import Statistics, choose_range

#: ops that hand elements on unchanged: the result has the operand's integers
MOVES = {"f.reshape", "f.transpose", "f.slice", "f.expand", "f.gather", "f.gather_nd"}
#: readers that leave a value's integers alone, so that it may have the type prescribed for their result
PASSES_ON = {"f.reshape", "f.transpose", "f.slice", "f.expand", "f.relu"}
#: readers that a value may feed at 16 bits for free: no product reads it
FORGIVING = {"f.add", "f.sub", "f.magnitude", "f.layer_norm", "f.rms_norm", "f.argmax", "f.topk"}
#: functions whose results lie within -1 .. 1
BOUNDED = {"f.softmax", "f.sigmoid", "f.tanh"}
#: outputs up to this many elements are int16: a classifier's logits, not a language model's vocabulary
WIDE_OUTPUT_ELEMENTS = 4096
#: a masked score, as ``passes.mask_scores`` writes it, is not above this
MASKED = -1e3
#: room below the lowest score for masked ones: e^-8 is no step of a softmax that has 256, e^-12 none of one with 2^15
UNSEEN = {DType.I8: 8.0, DType.I16: 12.0}
#: int16 spans more than calibration saw: a clipped element costs tens of decibels, a spare bit none. With int8 about
#: it a quarter of the range is spared, which int8's own noise hides.
HEADROOM = {"int8": 1.25, "mixed": 2.0, "int16": 2.0}
#: no range is narrower than this (a value that calibration saw as constant zero)
SMALLEST_RANGE = 1e-6
#: nor wider than this: what is one step beyond must be a float32 too
LARGEST_RANGE = 1e38


@dataclass(frozen=True)
class Policy:
    """``observer`` and ``percentile`` as in ``choose_range``; ``precision``: "int8" (int16 where it is free),
    "int16" (everywhere that it helps), "mixed" (as int8, and for the values in ``wide``, by ``id``); ``overrides``:
    ONNX node name -> "i8" or "i16" for its results; values in ``whole``, by ``id``, are not clipped by the observer."""

    observer: str = "minmax"
    percentile: float = 99.99
    precision: str = "int8"
    overrides: dict[str, str] = field(default_factory=dict)
    wide: frozenset[int] = frozenset()
    whole: frozenset[int] = frozenset()


def parse_precision(text: str) -> tuple[str, float | None]:
    """``"int8"``, ``"int16"``, or ``"mixed:30dB"`` as ("mixed", 30.0). Raises UsageError for anything else."""
    kind, _, target = text.partition(":")
    if kind in ("int8", "int16") and not target:
        return kind, None
    number = target.lower().removesuffix("db")
    if kind == "mixed" and number.replace(".", "", 1).isdecimal():
        return kind, float(number)
    hints = ["precisions are: int8, int16, mixed:NdB (the output SQNR to reach, as mixed:30dB)"]
    raise UsageError(f"unknown precision '{text}'", hints=hints)


def root_of(v: Value) -> Value:
    """The value whose integers ``v`` has, moved."""
    while v.producer is not None and v.producer.opcode in MOVES and v.producer.operands[0] is not None:
        v = v.producer.operands[0]
    return v


def prescribed(function: Function) -> set[int]:
    """Ids of the values whose integers the model file fixes."""
    chooser = _Chooser(function, {}, Policy())
    for v in reversed([*function.inputs, *(r for op in function.ops for r in op.results)]):
        chooser.collect(v)
    return set(chooser.prescribed)


def choose_types(function: Function, stats: dict[int, Statistics], policy: Policy) -> dict[int, TensorType]:
    """Integer type of every float value of ``function``, by ``id(value)``; constants are the lowerings' business."""
    values = [*function.inputs, *(r for op in function.ops for r in op.results)]
    chooser = _Chooser(function, stats, policy)
    for v in reversed(values):  # readers first: they say what they need
        chooser.collect(v)
    types: dict[int, TensorType] = {}
    for v in values:
        if v.type.dtype.is_float:
            types[id(v)] = chooser.type_of(v, types)
    return types


class _Chooser:
    def __init__(self, function: Function, stats: dict[int, Statistics], policy: Policy) -> None:
        self.outputs = {id(v) for v in function.outputs.values()}
        self.stats = stats
        self.policy = policy
        self.prescribed: dict[int, TensorType] = {}
        self.symmetric: set[int] = set()
        self.wide: set[int] = set()
        self.narrow: set[int] = set()
        self.carried: set[int] = set()

    def collect(self, v: Value) -> None:
        """What the readers of ``v`` need of it."""
        if not v.type.dtype.is_float:
            return
        key = id(v)
        given = self._prescription(v)
        if given is not None:
            self.prescribed[key] = given
            return
        readers = [u for u in v.users if u.opcode not in MOVES]
        moved = [r for u in v.users if u.opcode in MOVES for r in u.results]
        attends = any(isinstance(u, Attention) for u in readers)
        if attends or any(id(r) in self.symmetric for r in moved):
            self.symmetric.add(key)  # attention's zero points are 0
        if (attends and not self._chosen(v)) or any(id(r) in self.narrow for r in moved):
            self.narrow.add(key)
        if any(u.opcode == "f.rms_norm" for u in readers):
            self.symmetric.add(key)
        if self._is_carried(v, readers):
            self.carried.add(key)
        if self._wants_int16(v, readers, moved):
            self.wide.add(key)

    def _prescription(self, v: Value) -> TensorType | None:
        """The type that the model file fixes: of a rounding's result, and of what is only read to be rounded.

        A ReLU between the two costs nothing where 0 is the lowest integer: saturation is the ReLU.
        """
        if isinstance(v.producer, FakeQuant):
            return v.producer.integer_type()
        found: set[TensorType] = set()
        for u in v.users:
            given = self.prescribed.get(id(u.results[0])) if u.opcode in (*PASSES_ON, "f.fake_quant") else None
            lowest = given is not None and given.quant is not None and given.quant.zero_point == given.dtype.limits[0]
            if given is None or (u.opcode == "f.relu" and not lowest):
                return None
            found.add(given.with_shape(v.shape))
        return found.pop() if len(found) == 1 and id(v) not in self.outputs else None

    def _chosen(self, v: Value) -> bool:
        return self.policy.precision == "int16" or id(root_of(v)) in self.policy.wide

    def _is_carried(self, v: Value, readers: list[Op]) -> bool:
        """Whether ``v`` is a state that a recurrence in general ops (a delta rule) carries from step to step: products
        of activations read it and so does what makes the next state, or a decay makes such a value of it.

        Every step rounds it again and the delta rule feeds the error back: 22.5 dB in 8 bits, 33.0 in 16.
        """
        if v.producer is None or v.producer.opcode not in ("f.add", "f.mul"):
            return False
        read = any(u.opcode == "f.matmul" and u.operands[1] is v for u in readers)
        goes_on = any(u.opcode in ("f.add", "f.mul") for u in readers)
        decays = any(u.opcode == "f.mul" and id(u.results[0]) in self.carried for u in readers)
        return (read and goes_on) or decays

    def _scaled(self, v: Value, u: Op) -> bool:
        """Whether ``u`` multiplies a product's sums by one constant and what it gives has 16 bits: other units."""
        factors = [f.const for f in u.operands if f is not None and f.const is not None]
        maker = root_of(v).producer
        gain = u.opcode == "f.mul" and any(f.size == 1 for f in factors) and id(u.results[0]) in self.wide
        return gain and maker is not None and maker.opcode == "f.matmul"

    def _wants_int16(self, v: Value, readers: list[Op], moved: list[Value]) -> bool:
        if v.producer is not None and v.producer.loc in self.policy.overrides:
            return self.policy.overrides[v.producer.loc] == "i16"
        if self._chosen(v) or id(v) in self.carried:
            return True
        small_output = id(v) in self.outputs and v.type.elements <= WIDE_OUTPUT_ELEMENTS
        if id(v) in self.outputs and not small_output:
            return False
        unread = all(u.opcode in FORGIVING or _is_state(v, u) or self._scaled(v, u) for u in readers)
        forgiving = unread and all(id(r) in self.wide for r in moved)
        return (bool(readers or moved) or small_output) and forgiving

    def type_of(self, v: Value, types: dict[int, TensorType]) -> TensorType:
        """The integer type of ``v``; ``types`` already holds those of the values before it."""
        op = v.producer
        if op is not None and op.opcode in MOVES and op.operands[0] is not None and id(op.operands[0]) in types:
            return types[id(op.operands[0])].with_shape(v.shape)
        if id(v) in self.prescribed:
            return self.prescribed[id(v)]
        wide = id(v) in self.wide and id(v) not in self.narrow
        dtype = DType.I16 if wide else DType.I8
        scales = None if wide else self._packed_scales(v)
        if scales is not None:
            return TensorType(DType.I8, v.shape, Quant(scales, 0, v.type.rank - 1))
        symmetric = wide or id(v) in self.symmetric
        return TensorType(dtype, v.shape, self._quant(v, dtype, symmetric))

    def _quant(self, v: Value, dtype: DType, symmetric: bool) -> Quant:
        kept, room = _masked(v)
        seen = self.stats.get(id(v if kept is None else kept), Statistics())
        lo, hi = choose_range(
            seen,
            self.policy.observer if dtype is DType.I8 and id(v) not in self.policy.whole else "minmax",
            bits=dtype.size * 8,
            symmetric=symmetric,
            percentile=self.policy.percentile,
        )
        lo -= room.get(dtype, 0.0)
        spare = HEADROOM[self.policy.precision] if dtype is DType.I16 else 1.0 if room else seen.room()
        end = 1.0 if v.producer is not None and v.producer.opcode in BOUNDED else np.inf
        lo, hi = max(lo * spare, min(lo, -end)), min(hi * spare, max(hi, end))
        if not symmetric and kept is None:
            lo, hi = self._narrowed_by_readers(v, lo, hi)
        return affine(lo, hi, dtype, symmetric=symmetric)

    def _narrowed_by_readers(self, v: Value, lo: float, hi: float) -> tuple[float, float]:
        """The part of [lo, hi] that the one function reading ``v`` can tell apart at 8 bits of its output."""
        readers = {id(u): u for u in v.users}
        if len(readers) != 1 or id(v) in self.outputs:
            return lo, hi
        (reader,) = readers.values()
        if not isinstance(reader, FloatUnary):
            return lo, hi
        seen = self.stats.get(id(reader.results[0]))
        if seen is None:
            return effective_range(reader.reference, lo, hi)
        # As far as its results go: near a pole, which no number came close to, they would dwarf all others.
        ends = sorted(HEADROOM["int8"] * end for end in (seen.lo, seen.hi))
        return effective_range(lambda x: np.clip(reader.reference(x), min(ends[0], 0.0), max(ends[1], 0.0)), lo, hi)

    def _packed_scales(self, v: Value) -> tuple[float, ...] | None:
        """One scale for each of Q, K and V where attention reads them packed in one value."""
        cuts = sorted({c for u in v.users if isinstance(u, Attention) for c in _columns(u, v)})
        seen = self.stats.get(id(v))
        by_channel = isinstance(v.producer, (Linear, ConvRows))
        if len(cuts) < 2 or not by_channel or seen is None or seen.channel_amax is None:
            return None
        edges = [0, *cuts[1:], v.shape[-1]]
        scales: list[float] = []
        for start, end in pairwise(edges):
            top = max(float(seen.channel_amax[start:end].max()), SMALLEST_RANGE)
            scales += [top / 127] * (end - start)
        return tuple(scales)


def _masked(v: Value) -> tuple[Value | None, Mapping[DType, float]]:
    """The values x of where(seen, x, -huge) that only softmax or the search for a maximum reads, whichever operand they
    are, and how far below them what is hidden must lie; None for all else."""
    op, readers = v.producer, {u.opcode: u for u in _readers(v)}
    if op is None or op.opcode != "f.where":
        return None, {}
    for kept, fill in (op.operands[1:], op.operands[:0:-1]):
        if kept is None or fill is None or fill.const is None or kept.const is not None:
            continue
        if fill.const.size != 1 or float(fill.const.max()) > MASKED:
            continue
        if readers.keys() == {"f.softmax"}:
            return kept, UNSEEN
        if readers and all(map(_is_maximum, _readers(v))):
            return kept, {}
    return None, {}


def _readers(v: Value) -> list[Op]:
    """What reads ``v``, moved or not."""
    return [r for u in v.users for r in (_readers(u.results[0]) if u.opcode in MOVES else [u])]


def _is_maximum(op: Op) -> bool:
    kind = op.attrs.get("kind") == "max" if op.opcode == "f.reduce" else op.attrs.get("smallest") is False
    return kind and op.opcode in ("f.reduce", "f.argmax", "f.topk")


def _is_state(v: Value, reader: Op) -> bool:
    """Whether a cell reads ``v`` as a state, which it brings to its own types before the first step."""
    return isinstance(reader, Cell) and v is not reader.x


def _columns(op: Attention, v: Value) -> list[int]:
    """Where in ``v`` the heads of ``op`` start."""
    offsets = (op.q_offset, op.k_offset, op.v_offset)
    return [o for o, operand in zip(offsets, op.operands, strict=False) if operand is v]


def affine(lo: float, hi: float, dtype: DType, *, symmetric: bool) -> Quant:
    """Scale and zero point that span [lo, hi], as far as reals go; 0 is always exact."""
    low, high = dtype.limits
    lo, hi = max(lo, -LARGEST_RANGE), min(hi, LARGEST_RANGE)
    if symmetric:
        return Quant.per_tensor(max(-lo, hi, SMALLEST_RANGE) / high)
    lo, hi = min(lo, 0.0), max(hi, 0.0)
    scale = max(hi - lo, SMALLEST_RANGE) / (high - low)
    return Quant.per_tensor(scale, int(np.clip(np.rint(low - lo / scale), low, high)))


def effective_range(f: Callable[..., Array], lo: float, hi: float) -> tuple[float, float]:
    """[lo, hi] without the ends on which ``f`` stays within half a step of its value at that end."""
    x = np.linspace(lo, hi, 2049, dtype=np.float32)
    with np.errstate(all="ignore"):
        y = f(x).astype(np.float64)
    if not np.isfinite(y).all() or y.max() == y.min():
        return lo, hi
    half = (y.max() - y.min()) / 510
    moving = np.nonzero(np.abs(y - y[0]) > half)[0]
    still = np.nonzero(np.abs(y - y[-1]) > half)[0]
    first = float(x[max(0, moving[0] - 1)]) if len(moving) else lo
    last = float(x[min(len(x) - 1, still[-1] + 1)]) if len(still) else hi
    return (min(first, 0.0), max(last, 0.0)) if first < last else (lo, hi)
