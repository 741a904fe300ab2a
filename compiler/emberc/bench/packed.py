"""Cases of ``emberc bench kernels``: q.matmul on packed weights."""

from __future__ import annotations

import numpy as np

from emberc.bench.case import Case
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.packed import UNITY, Packed, pack_codes
from emberc.ir.types import DType, TensorType
from emberc.ir.values import Constant, Value


def packed_matmul(m: int, k: int, n: int, bits: int, group: int, y: str = "i8", seed: int = 0) -> Case:
    """A q.matmul on weights of ``bits`` an element, a gain every ``group`` of them."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 1 << bits, (n, k)).astype(np.uint8)
    gains = rng.integers(UNITY // 2, UNITY + 1, (n, -(-k // group))).astype(np.uint8)
    codebook = np.linspace(-127, 127, 1 << bits).round().astype(np.int8)
    w = Constant.unpack(Packed(bits, k, group, pack_codes(codes, bits), codebook, gains))
    x = rng.integers(-128, 128, (m, k)).astype(np.int8)
    top = (1 << (7 if y == "i8" else 15)) * 2.0**32
    multipliers = rng.uniform(0.5, 1.0, n) * top / (2 * 50.0 * 73.0 * np.sqrt(k))
    shift = max(0, int(np.ceil(np.log2(multipliers.max()))) - 31)
    bias, scale = rng.integers(-1000, 1000, n).astype(np.int32), np.rint(multipliers / 2**shift).astype(np.int32)
    rows = Value(TensorType(DType.I8, (m, k)))
    op = Matmul(rows, w, Constant(bias), Constant(scale), shift=shift, dtype=y)
    return Case(op, {"x": x}, f"{m},{k},{n}", note=f"{bits} bits, groups of {group}")
