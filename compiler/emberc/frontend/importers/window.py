"""Operators that slide a window: convolution and pooling."""

from __future__ import annotations

from math import prod

from emberc.frontend.context import NodeContext
from emberc.frontend.limits import check_shape
from emberc.frontend.registry import importer
from emberc.ir.ops.float_binary import Pow
from emberc.ir.ops.float_linear import Conv, Pool
from emberc.ir.ops.float_unary import Abs
from emberc.ir.values import Value


@importer("Conv")
def conv(node: NodeContext) -> Value:
    return convolution(node)


def convolution(node: NodeContext) -> Value:
    """x [N, C, D1, ..] with weights [M, C / group, K1, ..] and a bias [M]."""
    return convolution_of(node, node.input(0), node.input(1), node.optional(2))


def convolution_of(node: NodeContext, x: Value, w: Value, bias: Value | None) -> Value:
    """The same of given operands, with the node's attributes."""
    strides, dilations, pads = _geometry(node, x, list(w.shape[2:]))
    groups = node.integer("group", 1)
    return node.emit(Conv, x, strides=strides, dilations=dilations, pads=pads, w=w, bias=bias, groups=groups)


@importer("MaxPool", "AveragePool")
def pool(node: NodeContext) -> Value:
    if node.wants(1):
        raise node.refuse("the output 'Indices'", "the values only")
    return pooled(node, node.input(0), "max" if node.op_type == "MaxPool" else "mean")


def pooled(node: NodeContext, x: Value, kind: str) -> Value:
    """The max or mean of every window that the node's attributes describe."""
    kernel = node.integers("kernel_shape") or []
    strides, dilations, pads = _geometry(node, x, kernel)
    count = bool(node.integer("count_include_pad"))
    if node.integer("ceil_mode"):
        extra = _ceil_pads(x, kernel, strides, dilations, pads)
        if any(extra) and count:
            raise node.refuse("ceil_mode=1 with count_include_pad=1", "one of them")
        n = len(kernel)
        pads = [*pads[:n], *[p + e for p, e in zip(pads[n:], extra, strict=True)]]
    return node.emit(
        Pool, x, strides=strides, dilations=dilations, pads=pads, kind=kind, kernel=kernel, count_pads=count
    )


@importer("GlobalAveragePool", "GlobalMaxPool")
def global_pool(node: NodeContext) -> Value:
    x = node.input(0)
    kind = "max" if node.op_type == "GlobalMaxPool" else "mean"
    return node.reduce(x, kind, list(range(2, x.type.rank)))


@importer("LpPool", "GlobalLpPool")
def lp_pool(node: NodeContext) -> Value:
    """(sum over the window of |x|^p)^(1 / p)"""
    x, p = node.input(0), node.integer("p", 2)
    powers = node.emit(Pow, node.emit(Abs, x), node.scalar(p, x))
    if node.op_type == "GlobalLpPool":
        total = node.reduce(powers, "sum", list(range(2, x.type.rank)))
    else:
        kernel = node.integers("kernel_shape") or []
        strides, dilations, pads = _geometry(node, x, kernel)
        if node.integer("ceil_mode"):
            raise node.refuse("ceil_mode=1", "0")
        geometry = {"strides": strides, "dilations": dilations, "pads": pads}
        mean = node.emit(Pool, powers, kind="mean", kernel=kernel, count_pads=True, **geometry)
        total = node.mul(mean, node.scalar(prod(kernel), x))
    return node.emit(Pow, total, node.scalar(1 / p, x))


@importer("LRN")
def lrn(node: NodeContext) -> Value:
    """x / (bias + alpha / size * sum of x^2 over ``size`` neighbouring channels)^beta"""
    x, size = node.input(0), node.integer("size", 1)
    n, c = x.shape[:2]
    rows = node.reshape(node.mul(x, x), [n, 1, c, prod(x.shape[2:])])
    before = (size - 1) // 2
    mean = node.emit(
        Pool,
        rows,
        strides=[1, 1],
        dilations=[1, 1],
        pads=[before, 0, size - 1 - before, 0],
        kind="mean",
        kernel=[size, 1],
        count_pads=True,
    )
    alpha, beta, bias = node.number("alpha", 1e-4), node.number("beta", 0.75), node.number("bias", 1.0)
    total = node.add(node.mul(mean, node.scalar(alpha, x)), node.scalar(bias, x))
    return node.div(x, node.emit(Pow, node.reshape(total, x.shape), node.scalar(beta, x)))


def _geometry(node: NodeContext, x: Value, kernel: list[int]) -> tuple[list[int], list[int], list[int]]:
    """Strides, dilations and pads with auto_pad resolved."""
    n = len(kernel)
    node.ignore("kernel_shape", "pads", "storage_order")
    if x.type.rank != n + 2:
        raise node.invalid(f"a kernel {kernel} does not fit {list(x.shape)}")
    strides = node.integers("strides") or [1] * n
    dilations = node.integers("dilations") or [1] * n
    auto = node.text("auto_pad", "NOTSET")
    if auto in ("NOTSET", "VALID", ""):
        pads = (node.integers("pads") if auto != "VALID" else None) or [0] * 2 * n
        check_shape([*x.shape[:2], *(s + sum(pads[i::n]) for i, s in enumerate(x.shape[2:]))], node.place)
        return strides, dilations, pads
    before, after = [], []
    for size, k, s, d in zip(x.shape[2:], kernel, strides, dilations, strict=True):
        total = max(0, (-(-size // s) - 1) * s + d * (k - 1) + 1 - size)
        low = total // 2 if auto == "SAME_UPPER" else total - total // 2
        before.append(low)
        after.append(total - low)
    return strides, dilations, before + after


def _ceil_pads(x: Value, kernel: list[int], strides: list[int], dilations: list[int], pads: list[int]) -> list[int]:
    """Padding after each axis that gives a last, partial window its room; it must start inside x or the front pad."""
    extra = []
    n = len(kernel)
    for i, (k, s, d) in enumerate(zip(kernel, strides, dilations, strict=True)):
        size = x.shape[2 + i]
        room = size + pads[i] + pads[n + i] - (d * (k - 1) + 1)
        short = -room % s
        starts = (room + short) // s * s
        extra.append(short if short and starts < size + pads[i] else 0)
    return extra
