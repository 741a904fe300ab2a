"""static-quantization: dynamically quantized products become float products, which calibration quantizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.ir.builder import Builder
from emberc.ir.op import op_class
from emberc.ir.ops.float_quant import DynamicQuantize
from emberc.ir.rewrite import Match, Replacement, Rule, any_value, constant, op
from emberc.ir.values import Value
from emberc.passes.manager import RewritePass


@dataclass(frozen=True)
class StaticQuantization(RewritePass):
    """mul(cast(matmul(q - z, W)), s)            -->  matmul(x, W)            q, s, z = dynamic_quantize(x)
    mul(cast(matmul(q - z, W)), mul(s, c))    -->  mul(matmul(x, W), c)    conv likewise

    Firmware has no time for ranges per inference: the range of x comes from calibration, the integers W and their
    scale c stay those of the file.
    """

    name: ClassVar[str] = "static-quantization"

    def rules(self) -> Sequence[Rule]:
        out: list[Rule] = []
        for code in ("f.matmul", "f.conv"):
            product = op("f.cast", op(code, any_value("a"), constant("w"), name="product"))
            out.append((op("f.mul", product, op("f.mul", any_value("s"), any_value("c"))), _static))
            out.append((op("f.mul", product, any_value("s")), _static))
        return out


def _static(m: Match, b: Builder) -> Replacement:
    source = _source(m["a"])
    if source is None or m["s"] is not source.scale:
        return None
    product = m.ops["product"]
    w = b.const(m.const("w").astype(np.float32), m["w"].name)
    y = b.emit(type(product), source.x, **{n: w for n in ("b", "w") if n in product.operand_fields}, **product.attrs)
    return b.emit(op_class("f.mul"), y, m["c"]) if "c" in m else y


def _source(a: Value) -> DynamicQuantize | None:
    """The quantization behind ``cast(q) - cast(z)``, or ``cast(q)`` where z is 0."""
    difference = a.producer
    if difference is None or difference.opcode != "f.sub":
        return None
    q, z = (_uncast(v) for v in difference.operands)
    found = q.producer if q is not None else None
    return found if isinstance(found, DynamicQuantize) and q is found.y and z is found.zero_point else None


def _uncast(v: Value | None) -> Value | None:
    """The value before casts and reshapes of one element."""
    while v is not None and v.producer is not None and v.producer.opcode in ("f.cast", "f.reshape"):
        v = v.producer.operands[0]
    return v
