"""Linear recurrences over time: the general one, the selective scan of Mamba, and the causal convolution before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.op import Cost, Op, attribute, operand, optional, result
from emberc.ir.ops.float_rows import depthwise
from emberc.ir.ops.float_unary import sigmoid
from emberc.ir.types import DType, TensorType

_F = (DType.F32, DType.F64)


class Recurrence(Op):
    """states[t] = decay[t] * states[t - 1] + update[t] along ``axis``; states[-1] is ``initial``, or 0 without it.

    decay broadcasts to update, along time too. ``initial`` has update's shape without ``axis``.
    Every recovered linear recurrence is this op: Mamba and Mamba-2, gated and plain linear attention (with the outer
    product of key and value as update). Source: Martin and Cundy, 2018, section 2.
    """

    opcode = "f.recurrence"
    decay = operand(*_F)
    update = operand(*_F)
    initial = optional(*_F)
    axis = attribute[int](0)
    states = result()

    def infer(self) -> list[TensorType]:
        shape = self.update.shape
        if not 0 <= self.axis < len(shape):
            raise VerifyError(f"axis {self.axis} is not one of update's {len(shape)}", at=self.loc)
        try:
            fits = np.broadcast_shapes(self.decay.shape, shape) == shape
        except ValueError:
            fits = False
        if not fits:
            raise VerifyError(f"decay {list(self.decay.shape)} does not broadcast to {list(shape)}", at=self.loc)
        one_step = shape[: self.axis] + shape[self.axis + 1 :]
        if self.initial is not None and self.initial.shape != one_step:
            raise VerifyError(f"initial is {list(self.initial.shape)}, must be {list(one_step)}", at=self.loc)
        return [self.update.type]

    def reference(self, decay: Any, update: Any, initial: Any) -> Any:
        a = np.moveaxis(np.broadcast_to(decay, update.shape), self.axis, 0)
        states = np.moveaxis(update, self.axis, 0).copy()
        h = np.zeros(states.shape[1:], update.dtype) if initial is None else initial
        for t in range(len(states)):
            states[t] += a[t] * h
            h = states[t]
        return np.moveaxis(states, 0, self.axis)

    def cost(self) -> Cost:
        return Cost(macs=self.states.type.elements)


class SelectiveScan(Op):
    """The selective state space model of Mamba, its skip and its gate, with nothing of size L x D x N in between.

    D channels in H heads of D / H (H = D: Mamba; fewer: Mamba-2), N states a channel, G groups of B and C:

    delta' = softplus(delta) with ``softplus``, else delta           [.., L, H], delta' >= 0
    h[t]   = exp(delta'[t] * a) * h[t - 1] + delta'[t] * x[t] * b[t]     [.., D, N], h[-1] = initial or 0
    y[t]   = (sum over n of c[t] * h[t] + skip * x[t]) * silu(gate[t])

    ``state`` is h after the last step. Channel d has head d * H // D, head h has group h * G // H.
    Source: Gu and Dao, 2023, section 3.2 and Algorithm 2; Dao and Gu, 2024, section 6 (heads and groups).
    """

    opcode = "f.selective_scan"
    x = operand(*_F)  # [.., L, D]
    delta = operand(*_F)  # [.., L, H]
    a = operand(*_F)  # [H, N] or [H, 1], negative
    b = operand(*_F)  # [.., L, G * N]
    c = operand(*_F)  # [.., L, G * N]
    skip = optional(*_F)  # [D]
    gate = optional(*_F)  # [.., L, D]
    initial = optional(*_F)  # [.., D, N]
    softplus = attribute[bool](True)
    groups = attribute[int](1)
    y = result()
    state = result()

    def infer(self) -> list[TensorType]:
        shape = scan_shape(self, self.x.shape, self.delta.shape, self.a.shape, self.b.shape, self.c.shape, self.groups)
        for v, want in ((self.skip, self.x.shape[-1:]), (self.gate, self.x.shape), (self.initial, shape)):
            if v is not None and v.shape != want:
                raise VerifyError(f"{v} must be {list(want)}", at=self.loc)
        return [self.x.type, self.x.type.with_shape(shape)]

    def reference(
        self, x: Any, delta: Any, a: Any, b: Any, c: Any, skip: Any, gate: Any, initial: Any
    ) -> tuple[Any, Any]:
        y = np.empty_like(x)
        for t, step in enumerate(self.steps(x, delta, a, b, c, skip, initial)):
            y[..., t, :] = step.total
        return (y if gate is None else y * gate * sigmoid(gate)), step.state

    def deltas(self, delta: Any) -> Any:
        """delta' [.., L, H]"""
        return np.logaddexp(delta, np.zeros((), delta.dtype)) if self.softplus else delta

    def steps(self, x: Any, delta: Any, a: Any, b: Any, c: Any, skip: Any, initial: Any) -> Iterator[ScanStep]:
        """What every step computes, one after the other: all states together would be L x D x N numbers."""
        d, n = self.state.shape[-2:]
        b, c = (by_group(v, self.groups, d, n) for v in (b, c))
        steps, a = per_channel(self.deltas(delta), d, -1), per_channel(a, d, 0)
        h = np.zeros(self.state.shape, x.dtype) if initial is None else initial
        for t in range(x.shape[-2]):
            now, xt = steps[..., t, :], x[..., t, :]
            decay, drive = np.exp(now[..., None] * a), now * xt
            h = decay * h + drive[..., None] * b[..., t, :, :]
            total = (h * c[..., t, :, :]).sum(-1)
            yield ScanStep(now, decay, drive, h, total if skip is None else total + skip * xt)

    def cost(self) -> Cost:
        return Cost(macs=3 * self.x.type.elements * self.state.shape[-1], elements=self.x.type.elements)


@dataclass(frozen=True)
class ScanStep:
    """What a selective scan knows in one step and no other op sees, real or in integers."""

    delta: Any  # [.., D], after softplus
    decay: Any  # [.., D, N] or [.., D, 1]
    drive: Any  # [.., D], delta * x
    state: Any  # [.., D, N], after the step
    total: Any  # [.., D], over the states, and the skip: what the gate multiplies


class CausalConv(Op):
    """y[t, d] = f(bias[d] + sum over k < K of x[t - K + 1 + k, d] * w[k, d]), f = SiLU with ``silu``, else nothing.

    Rows of x before the first are ``initial``, or 0 without it; ``tail`` is the last K - 1 rows of both together:
    what the next call takes as ``initial``. Source: Gu and Dao, 2023, section 3.4; ONNX CausalConvWithState.
    """

    opcode = "f.causal_conv"
    x = operand(*_F)  # [.., L, D]
    w = operand(*_F)  # [K, D]
    bias = optional(*_F)  # [D]
    initial = optional(*_F)  # [.., K - 1, D]
    silu = attribute[bool](False)
    y = result()
    tail = result()

    def infer(self) -> list[TensorType]:
        tail = conv_tail(self, self.x.shape, self.w.shape)
        for v, want in ((self.bias, self.x.shape[-1:]), (self.initial, tail)):
            if v is not None and v.shape != want:
                raise VerifyError(f"{v} must be {list(want)}", at=self.loc)
        return [self.x.type, self.x.type.with_shape(tail)]

    def reference(self, x: Any, w: Any, bias: Any, initial: Any) -> tuple[Any, Any]:
        before = np.zeros(self.tail.shape, x.dtype) if initial is None else initial
        padded = np.concatenate([before, x], axis=-2)
        flat = padded.reshape(-1, *padded.shape[-2:])
        y = depthwise(flat, w, 0, x.shape[-2], 1).reshape(x.shape)
        y = y if bias is None else y + bias
        return (y * sigmoid(y) if self.silu else y), padded[..., x.shape[-2] :, :]

    def cost(self) -> Cost:
        return Cost(macs=self.y.type.elements * self.w.shape[0])


Shape = tuple[int, ...]


def scan_shape(op: Op, x: Shape, delta: Shape, a: Shape, b: Shape, c: Shape, groups: int) -> Shape:
    """The state's shape [.., D, N] of a selective scan over these. Raises VerifyError where they do not fit."""
    if len(x) < 2 or len(delta) != len(x) or len(a) != 2 or not b or groups < 1:
        raise VerifyError(f"x {list(x)}, delta {list(delta)}, a {list(a)}, b {list(b)} do not fit", at=op.loc)
    heads, n = delta[-1], b[-1] // groups
    if delta[:-1] != x[:-1] or heads < 1 or x[-1] % heads:
        raise VerifyError(f"delta {list(delta)} has no head for every channel of x {list(x)}", at=op.loc)
    if b != c or b != (*x[:-1], groups * n) or n < 1 or heads % groups:
        raise VerifyError(f"b {list(b)} and c {list(c)} do not hold {groups} groups of x {list(x)}", at=op.loc)
    if a not in ((heads, n), (heads, 1)):
        raise VerifyError(f"a is {list(a)}, must be {[heads, n]} or {[heads, 1]}", at=op.loc)
    return (*x[:-2], x[-1], n)


def conv_tail(op: Op, x: Shape, w: Shape) -> Shape:
    """The shape [.., K - 1, D] of a causal convolution's tail. Raises VerifyError where x and w do not fit."""
    if len(x) < 2 or len(w) != 2 or w[0] < 1 or x[-1] != w[1]:
        raise VerifyError(f"x is {list(x)}, w is {list(w)}", at=op.loc)
    return (*x[:-2], w[0] - 1, x[-1])


def per_channel(v: Any, channels: int, axis: int) -> Any:
    """A value a head along ``axis`` as a value a channel."""
    return np.repeat(v, channels // v.shape[axis], axis=axis)


def by_group(v: Any, groups: int, channels: int, n: int) -> Any:
    """B or C [.., L, G * N] as [.., L, D, N]: every channel its group's row (a view where there is one group)."""
    rows = v.reshape(*v.shape[:-1], groups, n)
    return rows if groups == 1 else per_channel(rows, channels, -2)
