"""Reading an additive attention mask as the boolean that it stands for.

Exporters turn the 0/1 key mask into floats that are added to the scores: 0 to attend, a huge negative number
(-FLT_MAX from dynamo, -inf from TorchScript, -1e4 in old models, the logarithm of 0) not to. Firmware only needs the
boolean.
"""

from __future__ import annotations

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import Op, op_class
from emberc.ir.rewrite import splat
from emberc.ir.types import Array
from emberc.ir.values import Value
from emberc.passes.two_valued import ELEMENTWISE, MOVES, two_valued

#: exp of anything below is 0 beside any real score.
HUGE = -1e3
#: what is added to a mask before its logarithm is taken is at most 1e-8
LOG_NOTHING = -18.0
#: log(1 + 1e-8) is 0 in float32
_NOTHING = 1e-6


def is_huge(v: Value) -> bool:
    """Whether ``v`` is one number that hides a score which it is added to."""
    s = splat(v)
    return s is not None and s <= HUGE


def attended(v: Value, b: Builder, sign: float = 1.0) -> Value | None:
    """Where the additive mask ``sign * v`` is 0, as a boolean value of the same shape; None when it is no mask."""
    data = v.const
    if data is not None:
        ok = bool(np.all((data == 0) | (sign * data <= HUGE)))
        return b.const(data == 0) if ok else None
    root = v.producer
    if root is None:
        return None
    table = two_valued(v, b)
    if table is not None and v.type.dtype.is_float:
        off, on = sign * float(table.off), sign * float(table.on)
        hidden = LOG_NOTHING if _is_log(v) else HUGE
        if abs(on) <= _NOTHING and off <= hidden:
            return table.truth(b)
        return b.emit(op_class("f.not"), table.truth(b)) if abs(off) <= _NOTHING and on <= hidden else None
    if root.opcode in MOVES and root.operands[0] is not None:
        inner = attended(root.operands[0], b, sign)
        return None if inner is None else b.emit(type(root), inner, **root.attrs)
    if root.opcode == "f.add" or (root.opcode == "f.min" and sign > 0):
        x, y = (attended(o, b, sign) if o is not None else None for o in root.operands)
        return b.emit(op_class("f.and"), x, y) if x is not None and y is not None else None
    return None


def _is_log(v: Value) -> bool:
    """Whether ``v`` is a logarithm, moved."""
    while v.producer is not None and v.producer.opcode in MOVES and v.producer.operands[0] is not None:
        v = v.producer.operands[0]
    return v.producer is not None and v.producer.opcode == "f.log"


def mask_and_bias(v: Value, b: Builder, sign: float = 1.0) -> tuple[Value | None, Array | None] | None:
    """``sign * v``, which is added to scores, as a boolean mask and a constant bias; None when it is neither nor their
    sum."""
    mask = attended(v, b, sign)
    if mask is not None:
        return mask, None
    data = v.const
    if data is not None:
        seen = sign * data > HUGE
        return (None if seen.all() else b.const(seen)), np.where(seen, sign * data, 0).astype(data.dtype)
    root = v.producer
    if root is not None and root.opcode == "f.where" and sign > 0:
        c, kept, fill = root.operands
        if c is not None and kept is not None and fill is not None and kept.const is not None and is_huge(fill):
            return c, kept.const
    if root is not None and root.opcode == "f.add":
        x, y = (mask_and_bias(o, b, sign) if o is not None else None for o in root.operands)
        if x is not None and y is not None and (x[0] is None or y[0] is None) and (x[1] is None or y[1] is None):
            return x[0] if x[0] is not None else y[0], x[1] if x[1] is not None else y[1]
    return None


def terms_of(root: Op, b: Builder) -> tuple[Value, Value | None, Array | None] | None:
    """The scores of a sum or difference, and what is added to them, as a boolean mask and a constant bias."""
    x, y = root.operands
    assert x is not None and y is not None
    pairs = [(x, y, 1.0), (y, x, 1.0)] if root.opcode == "f.add" else [(x, y, -1.0)]
    for scores, extra, sign in pairs:
        terms = mask_and_bias(extra, b, sign)
        if terms is not None:
            return scores, *terms
    return None


def chosen(root: Op, b: Builder) -> tuple[Value, Value] | None:
    """The scores x and the mask c of where(c, x, -huge) or where(not c, -huge, x)."""
    c, x, y = root.operands
    assert c is not None and x is not None and y is not None
    for scores, fill, negate in ((x, y, False), (y, x, True)):
        if is_huge(fill):
            return scores, b.emit(op_class("f.not"), c) if negate else c
    return None


def both(one: Value | None, other: Value | None, b: Builder) -> Value | None:
    """What both masks leave visible; None stands for all."""
    if one is None or other is None:
        return one if other is None else other
    return b.emit(op_class("f.and"), one, other)


def infinite_inside(v: Value) -> bool:
    """Whether infinity is among the constants that ``v`` is computed from element by element."""
    waiting, seen = [v], {id(v)}
    while waiting:
        value = waiting.pop()
        if value.const is not None and bool(np.isinf(value.const).any()):
            return True
        op = value.producer
        if op is not None and (op.opcode in MOVES or op.opcode in ELEMENTWISE):
            new = [o for o in op.operands if o is not None and id(o) not in seen]
            seen.update(map(id, new))
            waiting += new
    return False


def mask_inside(v: Value) -> str:
    """What is added to the scores ``v`` or chosen in their place to hide some, for an error: the node with a huge
    number or a logarithm, or else an input; "" where nothing is."""
    waiting, seen, inputs = [(v, False)], {id(v)}, []
    while waiting:
        value, joined = waiting.pop()
        op = value.producer
        joined = joined or (op is not None and op.opcode in ("f.add", "f.sub", "f.where"))
        if op is None:
            inputs += [f"input '{value.name}'"] if joined else []
        elif joined and (op.opcode == "f.log" or any(map(huge_inside, op.operands))):
            return f"node '{op.loc}'"
        elif op.opcode in MOVES or op.opcode in ELEMENTWISE:
            new = [o for o in op.operands if o is not None and o.const is None and id(o) not in seen]
            seen.update(map(id, new))
            waiting += [(o, joined) for o in new]
    return inputs[0] if inputs else ""


def huge_inside(v: Value | None) -> bool:
    """Whether ``v`` is a constant with a number in it that is beyond any score."""
    return v is not None and v.const is not None and v.const.size > 0 and bool((np.abs(v.const) >= -HUGE).any())


def is_causal(mask: Value | None) -> bool:
    """Whether a constant mask [.., Lq, Lk] lets query i see exactly the keys up to i + Lk - Lq."""
    if mask is None or mask.const is None or mask.type.rank < 2 or mask.shape[-2] == 1:
        return False
    rows, keys = mask.shape[-2:]
    return bool((mask.const == np.tri(rows, keys, keys - rows, dtype=np.bool_)).all())
