"""Reductions over axes, positions of extremes, and TopK."""

from __future__ import annotations

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.ir.ops import float_binary as fb
from emberc.ir.ops import float_unary as fu
from emberc.ir.ops.float_reduce import ArgMax, TopK
from emberc.ir.types import DType
from emberc.ir.values import Value

KINDS: dict[str, str] = {
    "ReduceSum": "sum",
    "ReduceMean": "mean",
    "ReduceMax": "max",
    "ReduceMin": "min",
    "ReduceProd": "prod",
}


@importer(*KINDS)
def reduce(node: NodeContext) -> Value:
    x, axes, keepdims = _operands(node)
    kind = KINDS[node.op_type]
    if x.type.dtype is DType.BOOL:  # the max of bools is their disjunction
        return node.cast(node.reduce(node.cast(x, DType.U8), kind, axes, keepdims), DType.BOOL)
    return node.reduce(x, kind, axes, keepdims)


@importer("ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp")
def composed(node: NodeContext) -> Value:
    x, axes, keepdims = _operands(node)
    if node.op_type == "ReduceL1":
        return node.reduce(node.emit(fu.Abs, x), "sum", axes, keepdims)
    if node.op_type == "ReduceLogSum":
        return node.emit(fu.Log, node.reduce(x, "sum", axes, keepdims))
    if node.op_type == "ReduceLogSumExp":
        top = node.reduce(x, "max", axes, True)
        finite = node.emit(fu.Clip, top, lo=-3e38, hi=3e38)  # -inf - -inf would be NaN
        total = node.emit(fu.Log, node.reduce(node.emit(fu.Exp, node.sub(x, finite)), "sum", axes, keepdims))
        return node.add(total, node.reshape(finite, total.shape))
    square = node.reduce(node.mul(x, x), "sum", axes, keepdims)
    if node.op_type == "ReduceSumSquare":
        return square
    return node.cast(node.emit(fu.Sqrt, node.cast(square, _float(square))), square.type.dtype)


@importer("ArgMax", "ArgMin")
def arg_extreme(node: NodeContext) -> Value:
    x = node.input(0)
    return node.emit(
        ArgMax,
        x,
        axis=node.axis(node.integer("axis", 0), x.type.rank),
        keepdims=bool(node.integer("keepdims", 1)),
        smallest=node.op_type == "ArgMin",
        last=bool(node.integer("select_last_index", 0)),
    )


@importer("TopK")
def topk(node: NodeContext) -> list[Value]:
    x = node.input(0)
    node.ignore("sorted")  # any order is allowed then, the sorted one too
    k = int(node.array(1, "k").reshape(-1)[0]) if node.opset >= 10 else node.integer("k")
    axis = node.axis(node.integer("axis", -1), x.type.rank)
    return node.emit_all(TopK, x, k=k, axis=axis, smallest=not node.integer("largest", 1))


@importer("LpNormalization")
def lp_normalization(node: NodeContext) -> Value:
    """x / |x|_p along the axis; 0 where the norm is 0."""
    x = node.input(0)
    axis, p = node.axis(node.integer("axis", -1), x.type.rank), node.integer("p", 2)
    if p == 1:
        norm = node.reduce(node.emit(fu.Abs, x), "sum", [axis])
    else:
        norm = node.emit(fu.Sqrt, node.reduce(node.mul(x, x), "sum", [axis]))
    empty = node.emit(fb.Equal, norm, node.scalar(0, norm))
    return node.div(x, node.where(empty, node.scalar(1, norm), norm))


def _operands(node: NodeContext) -> tuple[Value, list[int], bool]:
    """x, axes (attribute or input; none given: all, or with noop_with_empty_axes none) and keepdims."""
    x = node.input(0)
    axes = node.int_list(1, "axes") if node.optional(1) is not None else node.integers("axes")
    keep_all = bool(node.integer("noop_with_empty_axes"))
    if not axes:
        axes = [] if keep_all else list(range(x.type.rank))
    return x, sorted({node.axis(a, x.type.rank) for a in axes}), bool(node.integer("keepdims", 1))


def _float(x: Value) -> DType:
    return x.type.dtype if x.type.dtype.is_float else DType.F64
