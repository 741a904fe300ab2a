"""q.selective_scan: the state space model of Mamba and Mamba-2 with its skip and gate, integers only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from emberc.ir.arithmetic import Ints, clamp, high_multiply, wide
from emberc.ir.op import Cost, attribute, operand, optional, result
from emberc.ir.ops.float_scan import ScanStep, by_group, per_channel, scan_shape
from emberc.ir.ops.integer_base import QUANTIZED, IntegerOp
from emberc.ir.types import Array, DType, TensorType

#: bits of a softplus entry that hold the logarithm of Delta; the rest is Delta
LOG_BITS = 12
LOG_MASK = (1 << LOG_BITS) - 1


class SelectiveScan(IntegerOp):
    """y and state as f.selective_scan defines them; one step of channel d (head k of H, N states) is

    i = clip(v[k], 0, levels - 1);  Delta = softplus[i] >> 12;  L = softplus[i] & 4095;  xx = x[d] - zx
    u    = sat16(mulr(Delta * xx, mu[d]))
    h[n] = sat16(((decay[L + log_a[k, n]] * h[n]) >> 15) + ((u * b[n]) >> 15) + 1)       for every n
    acc  = skip[d] * xx + sum over n of c[n] * h[n]                                      modulo 2^32
    y    = sat(mulr(acc, my[d])), saturated to 16 bits before a gate;  mulr(a, m) = (a * m + 2^31) >> 32
    y    = sat(mulr(y * gate[z[d] + 128], mo[d]))                                        with a gate

    The decay exp(Delta * a) depends on log2(Delta) + log2(-a) alone. Both are stored on one grid, so the decay is one
    load: no multiply, no clamp, and an error relative to Delta * a, so that slow states keep their time constant.
    Both shifts floor; the 1 cancels their mean. |c| <= ``c_limit`` is the producer's promise, under which acc cannot
    overflow (``verify`` proves it); should it be broken, every kernel wraps alike.

    H = D is Mamba, fewer heads Mamba-2; ``groups`` as in f.selective_scan. ``state`` is what every kernel works in:
    [.., D, N] is all the memory that the recurrence takes. It starts as ``initial``, or 0 without it.
    Source: Gu and Dao, 2023, Algorithm 2; the arithmetic is this project's own, measured on two trained models.
    """

    opcode = "q.selective_scan"
    x = operand(DType.I8)  # [.., L, D]
    v = operand(DType.I16)  # [.., L, H], Delta before softplus as an index of the table
    b = operand(DType.I16)  # [.., L, G * N]
    c = operand(DType.I16)  # [.., L, G * N]
    softplus = operand(DType.U32)  # [levels], Delta << 12 | L
    decay = operand(DType.I16)  # [..], Q15
    log_a = operand(DType.U16)  # [H, N] or [H, 1]
    mu = operand(DType.I32)  # [D]
    skip = operand(DType.I32)  # [D]
    my = operand(DType.I32)  # [D]
    z = optional(DType.I8)  # [.., L, D]
    gate = optional(DType.I16)  # [256]
    mo = optional(DType.I32)  # [D]
    initial = optional(DType.I16)  # [.., D, N]
    zx = attribute[int](0)
    c_limit = attribute[int](32767)
    groups = attribute[int](1)
    dtype = attribute[str]("i8")
    y = result()
    state = result()
    inplace = {"y": ("x", "z"), "state": ("initial",)}

    def infer(self) -> list[TensorType]:
        x = self.x.shape
        state = scan_shape(self, x, self.v.shape, self.log_a.shape, self.b.shape, self.c.shape, self.groups)
        channels = [self.mu, self.skip, self.my, *filter(None, [self.mo])]
        self.require(all(p.shape == x[-1:] for p in channels), f"mu, skip, my and mo must be [{x[-1]}]")
        gated = [self.z is None, self.gate is None, self.mo is None]
        self.require(len(set(gated)) == 1, "a gate takes z, its table and mo together")
        self.require(self.z is None or self.z.shape == x, f"z must be {list(x)}")
        self.require(self.gate is None or self.gate.shape == (256,), "gate must be [256]")
        self.require(self.initial is None or self.initial.shape == state, f"initial must be {list(state)}")
        return [TensorType(self.out_dtype(*QUANTIZED), x), TensorType(DType.I16, state)]

    def verify(self) -> None:
        for name in ("mu", "my", *(["mo", "gate"] if self.gate is not None else [])):
            self.constant(name)
        self.require_range("zx", *DType.I8.limits)
        self.require_range("c_limit", 0, 32768)
        decay, entries = wide(self.constant("decay")), wide(self.constant("softplus"))
        self.require(0 < entries.size <= 32768, "the softplus table must have 1 to 32768 entries")
        last = int((entries & LOG_MASK).max()) + int(wide(self.constant("log_a")).max())
        self.require(last < decay.size, f"the decay is read at {last}, it has {decay.size} entries")
        self.require(bool((decay >= 0).all()), "a decay must not be negative")
        span = max(127 - self.zx, self.zx + 128)
        skip = int(np.abs(wide(self.constant("skip"))).max())
        bound = skip * span + self.c_limit * 32768 * self.state.shape[-1]
        self.require_int32("the sum over the states and the skip", -bound, bound)

    def reference(
        self, x: Array, v: Array, b: Array, c: Array, softplus: Array, decay: Array, log_a: Array, mu: Array,
        skip: Array, my: Array, z: Array | None, gate: Array | None, mo: Array | None, initial: Array | None,
    ) -> tuple[Array, Array]:  # fmt: skip
        total = np.empty(x.shape, np.int64)
        for t, step in enumerate(self.steps(x, v, b, c, softplus, decay, log_a, mu, skip, initial)):
            total[..., t, :] = step.total
        y = self.before_gate(total, my)
        if z is not None and gate is not None and mo is not None:
            y = high_multiply(y * wide(gate)[wide(z) + 128], wide(mo))
        return clamp(y, self.out_dtype(*QUANTIZED)), step.state.astype(np.int16)

    def steps(
        self, x: Array, v: Array, b: Array, c: Array, softplus: Array, decay: Array, log_a: Array, mu: Array,
        skip: Array, initial: Array | None,
    ) -> Iterator[ScanStep]:  # fmt: skip
        """The integers of every step; ``drive`` is u, ``total`` acc before it wraps."""
        d, n = self.state.shape[-2:]
        entry = per_channel(wide(softplus)[np.clip(wide(v), 0, softplus.size - 1)], d, -1)
        xx, log_a, table = wide(x) - self.zx, per_channel(wide(log_a), d, 0), wide(decay)
        delta = entry >> LOG_BITS
        drive = wide(clamp(high_multiply(delta * xx, wide(mu)), DType.I16))
        b, c = (by_group(wide(p), self.groups, d, n) for p in (b, c))
        h: Ints = np.zeros(self.state.shape, np.int64) if initial is None else wide(initial)
        skipped = wide(skip) * xx
        for t in range(x.shape[-2]):
            a, u = table[(entry[..., t, :, None] & LOG_MASK) + log_a], drive[..., t, :]
            h = wide(clamp(((a * h) >> 15) + ((u[..., None] * b[..., t, :, :]) >> 15) + 1, DType.I16))
            yield ScanStep(delta[..., t, :], a, u, h, skipped[..., t, :] + (h * c[..., t, :, :]).sum(-1))

    def before_gate(self, total: Ints, my: Array) -> Ints:
        """What the gate multiplies, or y without one: ``total`` [.., D] in the steps of y."""
        dtype = self.out_dtype(*QUANTIZED) if self.z is None else DType.I16
        return wide(clamp(high_multiply(wrapped(total), wide(my)), dtype))

    def cost(self) -> Cost:
        elements = self.x.type.elements
        return Cost(macs=3 * elements * self.state.shape[-1], elements=4 * elements)


def wrapped(acc: Ints) -> Ints:
    """``acc`` modulo 2^32, as int32 arithmetic leaves it."""
    out: Ints = acc.astype(np.int32).astype(np.int64)
    return out
