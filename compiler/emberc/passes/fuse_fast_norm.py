"""fuse-fast-norm: LayerNorm over any axis, with the variance as mean(x^2) - mean(x)^2, as flax writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import Op, op_class
from emberc.ir.rewrite import Match, Pattern, Replacement, Rule, any_value, constant, op, scalar, splat
from emberc.ir.types import Array
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass


def reshaped(p: Pattern) -> Pattern:
    """``p``, also where its axes of length 1 are put back by a reshape."""
    return p | op("f.reshape", p)


@dataclass(frozen=True)
class FuseFastNorm(RewritePass):
    """(x - mean) * (1 / sqrt(max(0, mean(x*x) - mean*mean) + eps) * gamma) + beta  -->  layer_norm(x, gamma, beta)

    mean is a sum times 1/n. Over another axis than the last, the axis goes there and back. The difference of two
    squares needs more bits than any integer type of its parts; layer_norm has one sum of squares of differences.
    """

    name: ClassVar[str] = "fuse-fast-norm"

    def rules(self) -> Sequence[Rule]:
        x = any_value("x")

        def mean(v: Pattern, name: str) -> Pattern:
            total = op("f.reduce", v, name=f"sum{name}", where=_one_sum)
            return reshaped(op("f.mul", reshaped(total), scalar(name=f"n{name}")))

        squares, square = mean(op("f.mul", x, x), "2"), op("f.mul", mean(x, "1"), mean(x, "1"))
        variance = reshaped(op("f.max", scalar(0.0), op("f.sub", squares, square)))
        inverse = op("f.reciprocal", op("f.sqrt", op("f.add", variance, scalar(name="eps"))))
        scaled = op("f.mul", op("f.sub", x, mean(x, "0")), op("f.mul", inverse, constant("gamma")))
        return [(op("f.add", scaled, constant("beta")), _layer_norm)]


def _one_sum(o: Op) -> bool:
    axes = o.attrs["axes"]
    return o.attrs["kind"] == "sum" and isinstance(axes, list) and len(axes) == 1


def _axis(m: Match) -> int | None:
    """The axis of all three sums, whose factors must be one over its length."""
    rank, found = m["x"].type.rank, set()
    for name in ("sum0", "sum1", "sum2"):
        axes = m.ops[name].attrs["axes"]
        assert isinstance(axes, list)
        found.add(int(axes[0]) % rank)
    factors = [splat(m[n]) or 0.0 for n in ("n0", "n1", "n2")]
    (axis, *others) = found
    same = not others and np.allclose(factors, 1 / m["x"].shape[axis], rtol=1e-5)
    return axis if same else None


def _along(c: Array, axis: int, x: Value) -> Array | None:
    """A constant that varies along ``axis`` alone, as [n]."""
    if c.ndim > x.type.rank:
        return None
    wide = c.reshape((1,) * (x.type.rank - c.ndim) + c.shape)
    n = x.shape[axis]
    if wide.size not in (1, n) or wide.shape[axis] != wide.size:
        return None
    return np.broadcast_to(wide.reshape(-1), (n,)).astype(x.type.dtype.numpy)


def _layer_norm(m: Match, b: Builder) -> Replacement:
    x, axis, eps = m["x"], _axis(m), splat(m["eps"])
    if axis is None or eps is None or m.root.result.shape != x.shape:
        return None
    gamma, beta = (_along(m.const(name), axis, x) for name in ("gamma", "beta"))
    if gamma is None or beta is None:
        return None
    last = x.type.rank - 1
    perm = [i for i in range(last + 1) if i != axis] + [axis]
    moved = x if axis == last else b.emit(op_class("f.transpose"), x, perm=perm)
    constants = b.const(gamma, m["gamma"].name), b.const(beta, m["beta"].name)
    y = b.emit(op_class("f.layer_norm"), moved, *constants, axis=last, eps=eps)
    back = [perm.index(i) for i in range(last + 1)]
    return y if axis == last else b.emit(op_class("f.transpose"), y, perm=back)
