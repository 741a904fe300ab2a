"""GridSample: values of an image at computed positions."""

from __future__ import annotations

from itertools import product

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.ir.ops import float_binary as fb
from emberc.ir.ops import float_unary as fu
from emberc.ir.ops.float_movement import GatherND
from emberc.ir.types import DType
from emberc.ir.values import Value

MODES = {"bilinear": "linear", "bicubic": "cubic", "linear": "linear", "cubic": "cubic", "nearest": "nearest"}
PADDING = ("zeros", "border", "reflection")
CUBIC = -0.75


@importer("GridSample", since=16)
def grid_sample(node: NodeContext) -> Value:
    """x [N, C, D1..Dn], grid [N, O1..On, n] with coordinates -1 .. 1, the last axis of x first.

    Every position reads 1 (nearest), 2^n (linear) or 4^n (cubic) elements, each a gather with a weight.
    """
    x, grid = node.input(0), node.input(1)
    mode, padding = node.text("mode", "linear"), node.text("padding_mode", "zeros")
    if mode not in MODES or padding not in PADDING:
        raise node.refuse(f"mode={mode!r}, padding_mode={padding!r}", f"{', '.join(MODES)}; {', '.join(PADDING)}")
    n = x.type.rank - 2
    image = node.transpose(x, [0, *range(2, n + 2), 1])
    taps = [_taps(node, grid, n - 1 - k, x.shape[2 + k], MODES[mode], padding) for k in range(n)]
    total: Value | None = None
    for chosen in product(*taps):
        ids = node.concat([node.unsqueeze(at, n + 1) for at, _ in chosen], n + 1)
        y = node.emit(GatherND, image, ids, batch_dims=1)
        for _, weight in chosen:
            y = y if weight is None else node.mul(y, node.unsqueeze(weight, n + 1))
        total = y if total is None else node.add(total, y)
    assert total is not None
    return node.transpose(total, [0, n + 1, *range(1, n + 1)])


def _taps(
    node: NodeContext, grid: Value, column: int, size: int, mode: str, padding: str
) -> list[tuple[Value, Value | None]]:
    """Along one axis: which elements [N, O..] are read, and with which weight (None for 1)."""
    rank = grid.type.rank - 1
    g = node.reshape(node.slice(grid, rank, column, column + 1), grid.shape[:-1])
    corners = bool(node.integer("align_corners"))
    one = node.scalar(1, g)
    if corners:
        at = node.mul(node.add(g, one), node.scalar((size - 1) / 2, g))
        low, high = 0.0, size - 1.0
    else:
        at = node.mul(node.sub(node.mul(node.add(g, one), node.scalar(size, g)), one), node.scalar(0.5, g))
        low, high = -0.5, size - 0.5
    at = node.emit(fu.Round, at) if mode == "nearest" else at
    if padding == "reflection":
        at = _reflected(node, at, low, high)
    elif padding == "border":
        inside = node.emit(fu.Clip, at, lo=low, hi=high)
        at = node.where(node.emit(fb.Equal, inside, at), at, node.emit(fu.Clip, at, lo=0.0, hi=size - 1.0))
    base = node.emit(fu.Floor, at)
    weights = _weights(node, node.sub(at, base), mode)
    first = -1 if mode == "cubic" else 0
    return [
        _tap(node, node.add(base, node.scalar(first + i, g)), w, size, padding, low, high)
        for i, w in enumerate(weights)
    ]


def _weights(node: NodeContext, t: Value, mode: str) -> list[Value | None]:
    if mode == "nearest":
        return [None]
    rest = node.sub(node.scalar(1, t), t)
    if mode == "linear":
        return [rest, t]
    return [_far(node, t), _near(node, t), _near(node, rest), _far(node, rest)]


def _near(node: NodeContext, t: Value) -> Value:
    """(a + 2) t^3 - (a + 3) t^2 + 1, Keys 1981, for the two taps about the position."""
    line = node.sub(node.mul(t, node.scalar(CUBIC + 2, t)), node.scalar(CUBIC + 3, t))
    return node.add(node.mul(node.mul(line, t), t), node.scalar(1, t))


def _far(node: NodeContext, t: Value) -> Value:
    """a (d^3 - 5 d^2 + 8 d - 4) = a t (1 - t)^2 with d = 1 + t, for the two outer taps."""
    rest = node.sub(node.scalar(1, t), t)
    return node.mul(node.mul(node.mul(rest, rest), t), node.scalar(CUBIC, t))


def _tap(
    node: NodeContext, at: Value, weight: Value | None, size: int, padding: str, low: float, high: float
) -> tuple[Value, Value | None]:
    if padding == "reflection":
        at = _reflected(node, at, low, high)
    inside = node.emit(fu.Clip, at, lo=0.0, hi=size - 1.0)
    if padding == "zeros":
        seen = node.cast(node.emit(fb.Equal, inside, at), at.type.dtype)
        weight = seen if weight is None else node.mul(weight, seen)
    return node.cast(inside, DType.I64), weight


def _reflected(node: NodeContext, at: Value, low: float, high: float) -> Value:
    """Mirrored at ``low`` and ``high`` until it lies between them: a triangle wave of period 2 (high - low)."""
    span = max(high - low, 1e-9)
    distance = node.emit(fu.Abs, node.sub(at, node.scalar(low, at)))
    phase = node.emit(fb.Mod, distance, node.scalar(2 * span, at), fmod=True)
    folded = node.sub(node.scalar(span, at), node.emit(fu.Abs, node.sub(phase, node.scalar(span, at))))
    return node.add(folded, node.scalar(low, at))
