"""Random q.selective_scan ops with tables as a compiler would make them, and their operands."""

from __future__ import annotations

from typing import Any

import numpy as np

from emberc.bench import Case
from emberc.ir.op import Op
from emberc.ir.ops.integer_scan import LOG_BITS, SelectiveScan
from emberc.ir.types import Array
from tests.kernels.check import INT8, INT16, constant, tensor, value


def scan_case(
    d: int, n: int, *, steps: int = 5, heads: int = 0, groups: int = 1, per_head: bool = False, gate: bool = True,
    initial: bool = False, batches: int = 2, fill: str = "random", dtype: str = "i8", mu: int = 1 << 24, seed: int = 0,
) -> tuple[SelectiveScan, list[Array | None]]:  # fmt: skip
    """An op and its arrays. ``heads`` 0: one a channel; ``per_head``: one decay a head; ``mu`` 1 << 24 keeps u inside
    16 bits, 1 << 30 saturates u and the state."""
    rng, heads = np.random.default_rng(seed + d * 31 + n), heads or d
    levels, decays = 37, 900
    log = rng.integers(0, 500, levels)
    softplus = (rng.integers(0, 1 << 20, levels) << LOG_BITS) | log
    log_a = rng.integers(0, decays - 500, (heads, 1 if per_head else n))
    decay = np.sort(rng.integers(0, 32768, decays))[::-1].astype(np.int16)
    limit = (1 << (14 - (n - 1).bit_length())) - 1
    c = np.clip(tensor(rng, INT16, (batches, steps, groups * n), fill), -limit, limit)
    x = tensor(rng, INT8, (batches, steps, d), fill)
    words: list[Any] = [
        rng.integers(-mu, mu, d), rng.integers(-(1 << 20), 1 << 20, d), rng.integers(1 << 14, 1 << 19, d)
    ]  # fmt: skip
    gated: list[Any] = [None, None, None]
    if gate:
        table = rng.integers(-32768, 32768, 256).astype(np.int16)
        gated = [tensor(rng, INT8, x.shape, fill), table, rng.integers(-(1 << 20), 1 << 20, d).astype(np.int32)]
    start = tensor(rng, INT16, (batches, d, n), fill) if initial else None
    arrays: list[Array | None] = [
        x, rng.integers(-3, levels + 3, (batches, steps, heads)).astype(np.int16),
        tensor(rng, INT16, (batches, steps, groups * n), fill), c.astype(np.int16), softplus.astype(np.uint32), decay,
        log_a.astype(np.uint16), *[w.astype(np.int32) for w in words], *gated, start,
    ]  # fmt: skip
    kinds = dict(enumerate([None] * 4 + [np.uint32, np.int16, np.uint16, *[np.int32] * 3, None, np.int16, np.int32]))
    held = [
        None if a is None else constant(a, kind) if (kind := kinds.get(i)) is not None else value(a)
        for i, a in enumerate(arrays)
    ]
    zx = -7 if fill == "random" else -128
    op = SelectiveScan(*held, zx=zx, c_limit=limit, groups=groups, dtype=dtype)
    return op, arrays


def as_case(op: Op, arrays: list[Array | None], *, inplace: str | None = None, note: str = "") -> Case:
    """The same for an emulated core."""
    op.verify()
    held = zip(op.operand_fields, op.operands, arrays, strict=True)
    feeds = {name: a for name, v, a in held if v is not None and v.const is None and a is not None}
    shape = " ".join(",".join(map(str, a.shape)) for a in feeds.values())
    return Case(op, feeds, shape, inplace=inplace, note=note)


def scan_cases() -> list[Case]:
    """What fast kernels must survive: all tails of states, odd channels, saturation, heads and groups, in place."""
    forms: tuple[dict[str, Any], ...] = (
        {"d": 5},
        {"d": 3, "fill": "high", "gate": False, "initial": True},
        {"d": 7, "fill": "low", "mu": 1 << 30, "dtype": "i16", "initial": True},
        {"d": 9, "fill": "mixed", "mu": 1 << 30, "initial": True, "steps": 17},
    )
    cases = [as_case(*scan_case(n=n, **form), note=str(form)) for n in (1, 2, 3, 6, 7, 16, 17) for form in forms]
    cases += [
        as_case(*scan_case(12, n, heads=heads, groups=groups, per_head=alike, dtype=y, gate=y == "i8"))
        for n in (3, 8, 37)
        for heads, groups in ((1, 1), (2, 1), (6, 3), (12, 2), (12, 12))
        for alike, y in ((False, "i16"), (True, "i8"))
    ]
    cases += [as_case(*scan_case(131, n, steps=2, batches=1), note="chunks") for n in (2, 6, 40)]
    cases += [as_case(*scan_case(11, 6, initial=True), inplace=name) for name in ("x", "z", "initial")]
    return cases
