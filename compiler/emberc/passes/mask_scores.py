"""mask-scores: a mask on scores that no attention op has taken in becomes a choice instead of a sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import op_class
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, op, splat
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass
from emberc.passes.masks import both, chosen, infinite_inside, terms_of

#: what is written for minus infinity: finite, and beyond any score
NEVER = -1e4
#: the least part of a real-valued mask that counts: 8 bits of one between 0 and 1 know nothing below 2^-9
_LEAST = 2.0**-16


@dataclass(frozen=True)
class MaskScores(RewritePass):
    """softmax(scores + mask)               -->  softmax(where(seen, scores, NEVER))
    softmax(where(seen, scores, -inf))   -->  where(seen, softmax(where(seen, scores, NEVER)), 0)
    softmax(scores + log m)              -->  softmax(where(m > 0, scores + log(max(m, 2^-16)), NEVER))

    Added, the mask's -3.4e38 would stretch the range that integers span until all scores are equal. Chosen, it is the
    lowest integer, and quantization leaves just room enough below the scores (``quant.precision``). Several masks,
    and masks below a constant bias, become one. Where all of a row is minus infinity, exporters write 0 in the place of
    what softmax makes of it (``canonicalize`` has dropped that guard). The last is a mask of reals, each the weight of
    its key.
    """

    name: ClassVar[str] = "mask-scores"

    def rules(self) -> Sequence[Rule]:
        return [(op("f.softmax", any_value("scores")), _softmax)]


def _softmax(m: Match, b: Builder) -> Replacement:
    scores, seen = _unmasked(m["scores"], b)
    root = m["scores"].producer
    if seen is None or root is None:
        return None
    if root.opcode == "f.where" and root.operands[1] is scores and splat(root.operands[2] or scores) == NEVER:
        return None  # as this pass writes it
    if scores.shape != m["scores"].shape:
        scores = b.emit(op_class("f.expand"), scores, shape=list(m["scores"].shape))
    never = b.const(np.array(NEVER, np.float32))
    weights = b.emit(op_class("f.softmax"), b.emit(op_class("f.where"), seen, scores, never), **m.root.attrs)
    if not infinite_inside(m["scores"]):
        return weights
    return b.emit(op_class("f.where"), seen, weights, b.const(np.array(0, np.float32)))


def _unmasked(v: Value, b: Builder) -> tuple[Value, Value | None]:
    """Scores without their masks, and where all of these let them be seen; None for everywhere."""
    root = v.producer
    if root is None:
        return v, None
    if root.opcode == "f.where":
        pair = chosen(root, b)
        if pair is None:
            return v, None
        scores, seen = _unmasked(pair[0], b)
        return scores, both(pair[1], seen, b)
    if root.opcode in ("f.add", "f.sub"):
        return _without_term(v, b)
    if root.opcode == "f.reshape" and root.operands[0] is not None:
        scores, seen = _unmasked(root.operands[0], b)
        seen = None if seen is None else _reshaped(seen, root.operands[0].shape, v.shape, b)
        return (v, None) if seen is None else (b.emit(op_class("f.reshape"), scores, **root.attrs), seen)
    return v, None


def _without_term(v: Value, b: Builder) -> tuple[Value, Value | None]:
    root = v.producer
    assert root is not None
    terms = terms_of(root, b)
    if terms is not None and terms[1] is not None:
        scores, seen = _unmasked(terms[0], b)
        if terms[2] is not None:
            scores = b.emit(op_class("f.add"), scores, b.const(terms[2]))
        return scores, both(terms[1], seen, b)
    x, y = root.operands
    assert x is not None and y is not None
    weighted = _weights(v, b)
    if weighted is not None:
        return weighted
    (x, one), (y, other) = _unmasked(x, b), _unmasked(y, b) if root.opcode == "f.add" else (y, None)
    seen = both(one, other, b)
    return (v, None) if seen is None else (b.emit(type(root), x, y), seen)


def _weights(v: Value, b: Builder) -> tuple[Value, Value] | None:
    """scores + log m, where m is computed and may be 0."""
    root = v.producer
    assert root is not None
    for i, extra in enumerate(root.operands):
        log = extra.producer if extra is not None else None
        m = log.operands[0] if log is not None and log.opcode == "f.log" else None
        if root.opcode != "f.add" or m is None or (m.producer is not None and m.producer.opcode == "f.clip"):
            continue
        kept = b.emit(op_class("f.log"), b.emit(op_class("f.clip"), m, lo=_LEAST, hi=None))
        scores = root.operands[1 - i]
        assert scores is not None
        inner, seen = _unmasked(scores, b)
        positive = b.emit(op_class("f.greater"), m, b.const(np.array(0, m.type.dtype.numpy)))
        both_seen = both(positive, seen, b)
        assert both_seen is not None
        return b.emit(op_class("f.add"), inner, kept), both_seen
    return None


def _reshaped(seen: Value, old: tuple[int, ...], new: tuple[int, ...], b: Builder) -> Value | None:
    """A mask on scores of shape ``old`` for the same scores of shape ``new``, where only leading ones differ."""
    lead = len(old) - len(new)
    if lead < 0 or prod(old[:lead]) != 1 or old[lead:] != new:
        return None
    shape = list(seen.shape)[max(0, lead - (len(old) - seen.type.rank)) :]
    return seen if list(seen.shape) == shape else b.emit(op_class("f.reshape"), seen, shape=shape)
