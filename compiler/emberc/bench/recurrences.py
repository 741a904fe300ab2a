"""Cases of the recurrent ops: the selective scan and the causal convolution before it, LSTM and GRU."""

from __future__ import annotations

from typing import Any

import numpy as np

from emberc.bench.case import Case
from emberc.ir.op import Op
from emberc.ir.ops.integer_cells import GATE_BITS, Cell
from emberc.ir.ops.integer_conv import CausalConv
from emberc.ir.ops.integer_scan import LOG_BITS, SelectiveScan
from emberc.ir.types import Array, TensorType
from emberc.ir.values import Constant, Value

Rng = np.random.Generator


def _operands(run_time: tuple[str, ...], arrays: dict[str, Any]) -> tuple[dict[str, Value], dict[str, Array]]:
    """Values for the arrays, those named ``run_time`` fed, the others constants; and the feeds."""
    given = {name: a for name, a in arrays.items() if a is not None}
    feeds = {name: a for name, a in given.items() if name in run_time}
    return {n: Value(TensorType.of(a)) if n in feeds else Constant(a) for n, a in given.items()}, feeds


def _case(op: Op, feeds: dict[str, Array], shape: str, work: tuple[int, str] | None = None) -> Case:
    op.verify()
    return Case(op, feeds, shape, work=work)


def softplus_tables(levels: int, resolution: int = 64) -> tuple[Array, Array, int]:
    """Entries of softplus over -8 .. 4, a decay table, and the largest log_a that it reaches."""
    delta = np.logaddexp(0, np.linspace(-8, 4, levels))
    log = np.rint(resolution * np.log2(delta)).astype(np.int64)
    last = 4 * resolution
    at = np.arange(int(np.ptp(log)) + last + 1) + log.min()
    entries = np.rint(delta / delta[-1] * ((1 << 20) - 1)).astype(np.int64) << LOG_BITS | (log - log.min())
    decay = np.minimum(32767, np.rint(32768 * np.exp(-(2.0 ** (at / resolution)))))
    return entries.astype(np.uint32), decay.astype(np.int16), last


def selective_scan(
    steps: int, d: int, n: int, *, heads: int = 0, alike: bool = False, gate: bool = True, y: str = "i8",
    levels: int = 1024, seed: int = 0,
) -> Case:  # fmt: skip
    """A q.selective_scan of ``d`` channels and ``n`` states: one head a channel unless ``heads`` says otherwise, one
    decay for all states of a head if ``alike``."""
    rng, heads = np.random.default_rng(seed), heads or d
    softplus, decay, last = softplus_tables(levels)
    limit = (1 << (14 - (n - 1).bit_length())) - 1
    byte = rng.integers(-128, 128, (4, 1, steps, d)).astype(np.int8)
    arrays: dict[str, Any] = {
        "x": byte[0],
        "v": rng.integers(0, levels, (1, steps, heads)).astype(np.int16),
        "b": rng.integers(-32767, 32768, (1, steps, n)).astype(np.int16),
        "c": rng.integers(-limit, limit + 1, (1, steps, n)).astype(np.int16),
        "softplus": softplus,
        "decay": decay,
        "log_a": rng.integers(0, last + 1, (heads, 1 if alike else n)).astype(np.uint16),
        "mu": rng.integers(1 << 16, 1 << 18, d).astype(np.int32),
        "skip": rng.integers(-(1 << 20), 1 << 20, d).astype(np.int32),
        "my": rng.integers(1 << 16, 1 << 18, d).astype(np.int32),
    }
    if gate:
        table = rng.integers(-32768, 32768, 256).astype(np.int16)
        arrays |= {"z": byte[1], "gate": table, "mo": rng.integers(1 << 13, 1 << 15, d).astype(np.int32)}
    operands, feeds = _operands(("x", "v", "b", "c", "z"), arrays)
    op = SelectiveScan(*(operands.get(name) for name in SelectiveScan.operand_fields), zx=-9, c_limit=limit, dtype=y)
    return _case(op, feeds, f"{steps},{d},{n}", (steps * d * n, "state and step"))


def causal_conv(rows: int, d: int, taps: int, *, table: int = 1024, seed: int = 0) -> Case:
    """A q.causal_conv whose results spread over its table, or over int8 without one."""
    rng = np.random.default_rng(seed)
    size = table or 256
    w = rng.integers(-127, 128, (taps, d)).astype(np.int8)
    m = np.rint(rng.uniform(0.5, 1.0, d) * size / 4 / (73.0 * 73 * np.sqrt(taps)) * 2.0**32).astype(np.int32)
    arrays: dict[str, Any] = {
        "x": rng.integers(-128, 128, (1, rows, d)).astype(np.int8),
        "w": w,
        "bias": rng.integers(-1000, 1000, d).astype(np.int32),
        "m": m,
        "table": rng.integers(-128, 128, table).astype(np.int8) if table else None,
    }
    operands, feeds = _operands(("x",), arrays)
    op = CausalConv(*(operands.get(n) for n in CausalConv.operand_fields), zx=-9, zero_point=size // 2 if table else 3)
    return _case(op, feeds, f"{rows},{d},{taps}")


def cell(kind: type[Cell], steps: int, width: int, size: int, *, seed: int = 0) -> Case:
    """A q.lstm or q.gru of one batch row whose gates get to see their tables' whole range."""
    rng = np.random.default_rng(seed)
    rows = kind.gates * size
    arrays: dict[str, Any] = {"x": rng.integers(-128, 128, (steps, 1, width)).astype(np.int8)}
    for name, k in (("w", width), ("r", size)):
        arrays[name] = rng.integers(-127, 128, (rows, k)).astype(np.int8)
        arrays[f"{name}_bias"] = rng.integers(-1000, 1000, rows).astype(np.int32)
        spread = 73.0 * 73.0 * np.sqrt(k) / (1 << GATE_BITS)
        arrays[f"{name}_m"] = np.rint(rng.uniform(0.5, 1.0, rows) / spread * 2.0**28).astype(np.int32)
    v = np.arange(-256, 257) * 128 / 2.0**GATE_BITS
    functions = {"gate": 0.5 + 0.5 * np.tanh(v / 2), "candidate": np.tanh(v), "output": np.tanh(v)}
    functions = {n: f for n, f in functions.items() if n in kind.operand_fields}
    arrays |= {n: np.rint(32767 * f).astype(np.int16) for n, f in functions.items()}
    for state in ("h0", "c0", "s0"):
        if state in kind.operand_fields:
            arrays[state] = np.zeros((1, size), np.int8 if state == "h0" else np.int16)
    operands, feeds = _operands(("x", "h0", "c0", "s0"), arrays)
    more: dict[str, Any] = {"late": True} if "late" in kind.attr_fields else {}
    more |= operands
    op = kind(w_shift=4, r_shift=4, bits=13, h_m=127 << 17, y_m=127 << 17, **more)
    return _case(op, feeds, f"{steps},{width},{size}")
