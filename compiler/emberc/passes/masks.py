"""Reading an additive attention mask as the boolean that it stands for.

Exporters turn the 0/1 key mask into floats that are added to the scores: 0 to attend, a huge negative number
(-FLT_MAX from dynamo, -inf from TorchScript, -1e4 in old models) not to. Firmware only needs the boolean.
"""

from __future__ import annotations

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import Op, op_class
from emberc.ir.rewrite import Pattern, any_value, match_op, op, scalar, splat
from emberc.ir.types import Array, DType
from emberc.ir.values import Value

#: exp of anything below is 0 beside any real score.
HUGE = -1e3

_MOVES = ("f.reshape", "f.expand", "f.transpose", "f.slice")


def _huge(v: Value) -> bool:
    s = splat(v)
    return s is not None and s <= HUGE


_NEG: Pattern = any_value("neg", _huge)
_ZERO = scalar(0.0)


def attended(v: Value, b: Builder) -> Value | None:
    """Where the additive mask ``v`` is 0, as a boolean value of the same shape; None when ``v`` is no mask."""
    data = v.const
    if data is not None:
        ok = bool(np.all((data == 0) | (data <= HUGE)))
        return b.const(data == 0) if ok else None
    root = v.producer
    if root is None:
        return None
    if root.opcode in _MOVES and root.operands[0] is not None:
        inner = attended(root.operands[0], b)
        return None if inner is None else b.emit(type(root), inner, **root.attrs)
    for pattern, negate in _FORMS:
        m = match_op(pattern, root)
        if m is not None:
            return _as_bool(m["c"], b, negate)
    if root.opcode == "f.mul":
        kept = [o for o in root.operands if o is not None and not _huge(o)]
        return _off(kept[0], b) if len(kept) == 1 else None
    if root.opcode in ("f.add", "f.min"):
        x, y = (attended(o, b) if o is not None else None for o in root.operands)
        return b.emit(op_class("f.and"), x, y) if x is not None and y is not None else None
    return None


def _off(v: Value, b: Builder) -> Value | None:
    """Where 1 - c is 0, the difference seen through movements; None for anything else."""
    root = v.producer
    if root is not None and root.opcode in _MOVES and root.operands[0] is not None:
        inner = _off(root.operands[0], b)
        return None if inner is None else b.emit(type(root), inner, **root.attrs)
    m = None if root is None else match_op(_OFF, root)
    return None if m is None else _as_bool(m["c"], b, negate=False)


def mask_and_bias(v: Value, b: Builder) -> tuple[Value | None, Array | None] | None:
    """What is added to the scores, as a boolean mask and a constant bias; None when it is neither nor their sum."""
    mask = attended(v, b)
    if mask is not None:
        return mask, None
    data = v.const
    if data is not None:
        seen = data > HUGE
        return (None if seen.all() else b.const(seen)), np.where(seen, data, 0)
    root = v.producer
    if root is not None and root.opcode == "f.where":
        c, kept, fill = root.operands
        if c is not None and kept is not None and fill is not None and kept.const is not None and _huge(fill):
            return c, kept.const
    if root is not None and root.opcode == "f.add":
        x, y = (mask_and_bias(o, b) if o is not None else None for o in root.operands)
        if x is not None and y is not None and (x[0] is None or y[0] is None) and (x[1] is None or y[1] is None):
            return x[0] if x[0] is not None else y[0], x[1] if x[1] is not None else y[1]
    return None


def is_causal(mask: Value | None) -> bool:
    """Whether a constant mask [.., Lq, Lk] lets query i see exactly the keys up to i + Lk - Lq."""
    if mask is None or mask.const is None or mask.type.rank < 2 or mask.shape[-2] == 1:
        return False
    rows, keys = mask.shape[-2:]
    return bool((mask.const == np.tri(rows, keys, keys - rows, dtype=np.bool_)).all())


def _to_bool(o: Op) -> bool:
    return bool(o.attrs.get("to") == DType.BOOL.value)


def _from_number(o: Op) -> bool:
    return o.operands[0] is not None and not o.operands[0].type.dtype.is_float


_C = any_value("c")
_FLAG = op("f.cast", _C, where=_from_number)
_OFF = op("f.sub", scalar(1.0, rtol=0), _FLAG)
#: additive forms of a boolean c, and whether c says "leave out" instead of "attend"
_FORMS: list[tuple[Pattern, bool]] = [
    (op("f.where", _C, _ZERO, _NEG), False),
    (op("f.where", _C, _NEG, _ZERO), True),
    # masked_fill(1 - mask, (1 - mask).bool(), -huge): zero exactly where the mask is one
    (op("f.where", op("f.cast", _OFF, where=_to_bool), _NEG, _OFF), False),
    (op("f.mul", _OFF, _NEG), False),
    (op("f.mul", _FLAG, _NEG), True),
]


def _as_bool(c: Value, b: Builder, negate: bool) -> Value:
    if c.type.dtype is not DType.BOOL:
        c = b.emit(op_class("f.cast"), c, to=DType.BOOL.value)
    return b.emit(op_class("f.not"), c) if negate else c
