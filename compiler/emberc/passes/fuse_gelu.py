"""fuse-gelu: GELU from its erf and tanh spellings, SiLU from its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi, sqrt
from typing import ClassVar

from emberc.ir.op import op_class
from emberc.ir.rewrite import Pattern, Rule, any_value, op, scalar
from emberc.passes.manager import RewritePass


def _product(*factors: Pattern) -> Pattern:
    """a*b*c in each of its three associations (operand order is the matcher's business)."""
    a, b, c = factors
    return op("f.mul", op("f.mul", a, b), c) | op("f.mul", op("f.mul", a, c), b) | op("f.mul", op("f.mul", b, c), a)


@dataclass(frozen=True)
class FuseGelu(RewritePass):
    """0.5 * x * (1 + erf(x / sqrt 2))                              -->  f.gelu(x)
    0.5 * x * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))           -->  f.gelu(x) {approximate = "tanh"}
    x * sigmoid(x)                                                  -->  f.silu(x)

    (Hendrycks and Gimpel, 2016.) One op, so that quantization makes one table of it.
    """

    name: ClassVar[str] = "fuse-gelu"

    def rules(self) -> Sequence[Rule]:
        x = any_value("x")
        erf = op("f.add", op("f.erf", op("f.mul", x, scalar(sqrt(0.5)))), scalar(1.0))
        square = op("f.mul", x, x)
        a, c, half = scalar(0.044715), scalar(sqrt(2 / pi)), scalar(0.5)
        quadratic = _product(x, x, a)
        cubic = op("f.mul", quadratic, x) | op("f.mul", square, op("f.mul", x, a))
        cubic |= op("f.mul", op("f.mul", square, x) | op("f.pow", x, scalar(3.0, rtol=0)), a)
        inner = op("f.mul", op("f.add", x, cubic), c)
        # x * (1 + 0.044715 x^2) is how onnxscript writes the same polynomial, and transformers' gelu_fast.
        factored = _product(x, c, op("f.add", quadratic, scalar(1.0)))
        tanh = op("f.add", op("f.tanh", inner | factored), scalar(1.0))
        return [
            (_product(x, half, erf), lambda m, b: b.emit(op_class("f.gelu"), m["x"])),
            (_product(x, half, tanh), lambda m, b: b.emit(op_class("f.gelu"), m["x"], approximate="tanh")),
            (op("f.mul", x, op("f.sigmoid", x)), lambda m, b: b.emit(op_class("f.silu"), m["x"])),
        ]
