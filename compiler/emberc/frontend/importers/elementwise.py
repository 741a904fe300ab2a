"""Operators that work element by element: arithmetic, comparison, logic, selection, conversion."""

from __future__ import annotations

import numpy as np

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.frontend.tensors import element_type
from emberc.ir.op import Op
from emberc.ir.ops import float_binary as fb
from emberc.ir.ops import float_unary as fu
from emberc.ir.ops.float_elementary import Elementary
from emberc.ir.types import DType
from emberc.ir.values import Constant, Value

UNARY: dict[str, type[Op]] = {
    "Abs": fu.Abs,
    "Cos": fu.Cos,
    "Erf": fu.Erf,
    "Exp": fu.Exp,
    "Floor": fu.Floor,
    "IsNaN": fu.IsNaN,
    "Log": fu.Log,
    "Neg": fu.Neg,
    "Not": fu.Not,
    "Reciprocal": fu.Reciprocal,
    "Round": fu.Round,
    "Sign": fu.Sign,
    "Sin": fu.Sin,
    "Sqrt": fu.Sqrt,
}
BINARY: dict[str, type[Op]] = {
    "Add": fb.Add,
    "And": fb.And,
    "Div": fb.Div,
    "Equal": fb.Equal,
    "Greater": fb.Greater,
    "GreaterOrEqual": fb.GreaterOrEqual,
    "Less": fb.Less,
    "LessOrEqual": fb.LessOrEqual,
    "Mul": fb.Mul,
    "Or": fb.Or,
    "Sub": fb.Sub,
    "Xor": fb.Xor,
}
FOLDS: dict[str, type[Op]] = {"Max": fb.Max, "Min": fb.Min, "Sum": fb.Add, "Mean": fb.Add}


@importer(*UNARY)
def unary(node: NodeContext) -> Value:
    return node.emit(UNARY[node.op_type], node.input(0))


@importer(*BINARY)
def binary(node: NodeContext) -> Value:
    return node.emit(BINARY[node.op_type], node.input(0), node.input(1))


@importer(*FOLDS)
def fold(node: NodeContext) -> Value:
    """Any number of operands: one after the other, from the left."""
    y = node.input(0)
    for i in range(1, len(node.inputs)):
        y = node.emit(FOLDS[node.op_type], y, node.input(i))
    if node.op_type == "Mean" and len(node.inputs) > 1:
        y = node.div(y, node.scalar(len(node.inputs), y))
    return y


@importer("Pow")
def power(node: NodeContext) -> Value:
    """The exponent may be of another element type; the result has the base's."""
    base, exponent = node.input(0), node.input(1)
    if base.type.dtype is exponent.type.dtype or base.type.dtype.is_float:
        return node.emit(fb.Pow, base, node.cast(exponent, base.type.dtype))
    wide = node.emit(fb.Pow, node.cast(base, DType.F64), node.cast(exponent, DType.F64))
    return node.cast(wide, base.type.dtype)


@importer("Mod")
def mod(node: NodeContext) -> Value:
    return node.emit(fb.Mod, node.input(0), node.input(1), fmod=bool(node.integer("fmod")))


@importer("Ceil")
def ceil(node: NodeContext) -> Value:
    """ceil(x) = -floor(-x)"""
    return node.emit(fu.Neg, node.emit(fu.Floor, node.emit(fu.Neg, node.input(0))))


@importer("Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh")
def elementary(node: NodeContext) -> Value:
    return node.emit(Elementary, node.input(0), kind=node.op_type.lower())


@importer("IsInf")
def is_inf(node: NodeContext) -> Value:
    x = node.input(0)
    found: list[Value] = []
    for flag, bound in (("detect_positive", np.inf), ("detect_negative", -np.inf)):
        if node.integer(flag, 1):
            found.append(node.emit(fb.Equal, x, node.scalar(bound, x)))
    if not found:
        return node.constant(np.zeros(x.shape, np.bool_))
    return found[0] if len(found) == 1 else node.emit(fb.Or, *found)


@importer("Where")
def where(node: NodeContext) -> Value:
    return node.where(node.input(0), node.input(1), node.input(2))


@importer("Cast", "CastLike")
def cast(node: NodeContext) -> Value:
    x = node.input(0)
    node.ignore("saturate", "round_mode")  # of float8 alone
    to = node.input(1).type.dtype if node.op_type == "CastLike" else element_type(node.integer("to"), node.place)
    return node.cast(x, to)


@importer("Identity")
def identity(node: NodeContext) -> Value:
    """Of a tensor or a sequence."""
    return node.optional(0) or node.input(0)


@importer("Dropout")
def dropout(node: NodeContext) -> list[Value | None]:
    """Inference: the input itself, and a mask that keeps everything."""
    node.ignore("ratio", "seed")
    node.optional(1)  # the ratio
    training = node.optional(2)
    if training is not None and not (isinstance(training, Constant) and not training.data.any()):
        raise node.refuse("training_mode", "inference: training_mode false or left out")
    x = node.input(0)
    return [x, node.constant(np.ones(x.shape, np.bool_)) if node.wants(1) else None]


@importer("Clip")
def clip_attributes(node: NodeContext) -> Value:
    """Before opset 11 the bounds are attributes."""
    lo = node.number("min") if node.has("min") else None
    hi = node.number("max") if node.has("max") else None
    return node.emit(fu.Clip, node.input(0), lo=lo, hi=hi)


@importer("Clip", since=11)
def clip(node: NodeContext) -> Value:
    """Bounds are inputs, and may be computed."""
    x = node.input(0)
    lo, hi = node.optional(1), node.optional(2)
    if all(v is None or isinstance(v, Constant) for v in (lo, hi)):
        bounds = [v.data.item() if isinstance(v, Constant) else None for v in (lo, hi)]
        return x if bounds == [None, None] else node.emit(fu.Clip, x, lo=bounds[0], hi=bounds[1])
    x = x if lo is None else node.emit(fb.Max, x, lo)
    return x if hi is None else node.emit(fb.Min, x, hi)
