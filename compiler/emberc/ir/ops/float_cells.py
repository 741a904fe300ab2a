"""Recurrent cells over a whole sequence: LSTM and GRU with explicit state."""

from __future__ import annotations

from typing import Any

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.op import Cost, Op, attribute, operand, result
from emberc.ir.types import DType, TensorType

_F = (DType.F32, DType.F64)


class Cell(Op):
    """What both cells have: x, the weights of x and of the hidden state, gate by gate, and the state before step 0.

    ``reverse`` runs from the last step to the first; ``clip`` > 0 bounds what goes into the gates' functions.
    """

    gates = 0

    x = operand(*_F)  # [T, B, I]
    w = operand(*_F)  # [G * H, I]
    w_bias = operand(*_F)  # [G * H]
    r = operand(*_F)  # [G * H, H]
    r_bias = operand(*_F)  # [G * H]
    h0 = operand(*_F)  # [B, H]
    reverse = attribute[bool](False)
    clip = attribute[float](0.0)

    def _sizes(self) -> tuple[int, int, int]:
        """Steps, batch and hidden size. Raises VerifyError where the operands do not fit together."""
        if self.x.type.rank != 3 or self.h0.type.rank != 2:
            raise VerifyError(f"x is {list(self.x.shape)}, h0 {list(self.h0.shape)}", at=self.loc)
        steps, batch, width = self.x.shape
        size = self.h0.shape[1]
        rows = self.gates * size
        shapes = [v.shape for v in (self.w, self.w_bias, self.r, self.r_bias, self.h0)]
        if shapes != [(rows, width), (rows,), (rows, size), (rows,), (batch, size)]:
            raise VerifyError(f"x is {list(self.x.shape)}, its cell's operands are {shapes}", at=self.loc)
        return steps, batch, size

    def _order(self) -> list[int]:
        steps = range(self.x.shape[0])
        return list(steps[::-1] if self.reverse else steps)

    def _clipped(self, v: Any) -> Any:
        return np.clip(v, -self.clip, self.clip) if self.clip > 0 else v

    def cost(self) -> Cost:
        steps, batch, size = self._sizes()
        return Cost(steps * batch * self.gates * size * (self.x.shape[2] + size), steps * batch * size)


class Lstm(Cell):
    """i, o, f = sigmoid(W x + R h + b), g = tanh(..); c = f c + i g; h = o tanh(c); y[t] = h.

    ``last`` is c after the last step, ``hidden`` that h; ``span`` holds the least and the largest c of the run, from
    which its integer form takes c's scale. Source: Hochreiter and Schmidhuber, 1997, with the gates of ONNX LSTM.
    """

    opcode = "f.lstm"
    gates = 4
    c0 = operand(*_F)  # [B, H]
    y = result()  # [T, B, H]
    last = result()  # [B, H]
    hidden = result()  # [B, H]
    span = result()  # [2]

    def infer(self) -> list[TensorType]:
        steps, batch, size = self._sizes()
        if self.c0.shape != (batch, size):
            raise VerifyError(f"c0 is {list(self.c0.shape)}, not {[batch, size]}", at=self.loc)
        return [self.x.type.with_shape(s) for s in ((steps, batch, size), (batch, size), (batch, size), (2,))]

    def reference(self, x: Any, w: Any, w_bias: Any, r: Any, r_bias: Any, h0: Any, c0: Any) -> Any:
        h, c = h0, c0
        y = np.zeros(self.y.shape, x.dtype)
        least, most = c0.min(), c0.max()
        for t in self._order():
            i, o, f, g = np.split(self._clipped(x[t] @ w.T + w_bias + h @ r.T + r_bias), 4, axis=-1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            y[t] = h
            least, most = min(least, c.min()), max(most, c.max())
        return y, c, h, np.array([least, most])


class Gru(Cell):
    """z, r = sigmoid(W x + R h + b), n = tanh(W x + b + R (r h) + b'); h = (1 - z) n + z h; y[t] = h.

    ``late``: n = tanh(W x + b + r (R h + b')), as torch has it. ``last`` is h after the last step. Source: Cho et al.,
    2014, with the gates of ONNX GRU.
    """

    opcode = "f.gru"
    gates = 3
    late = attribute[bool](False)
    y = result()  # [T, B, H]
    last = result()  # [B, H]

    def infer(self) -> list[TensorType]:
        return [self.x.type.with_shape(s) for s in (self._sizes(), self._sizes()[1:])]

    def reference(self, x: Any, w: Any, w_bias: Any, r: Any, r_bias: Any, h0: Any) -> Any:
        h, size = h0, h0.shape[1]
        y = np.zeros(self.y.shape, x.dtype)
        for t in self._order():
            xz, xr, xn = np.split(x[t] @ w.T + w_bias, 3, axis=-1)
            hz, hr, hn = np.split(h @ r.T + r_bias, 3, axis=-1)
            z, reset = sigmoid(self._clipped(xz + hz)), sigmoid(self._clipped(xr + hr))
            inner = reset * hn if self.late else (reset * h) @ r[2 * size :].T + r_bias[2 * size :]
            n = np.tanh(self._clipped(xn + inner))
            h = (1 - z) * n + z * h
            y[t] = h
        return y, h


def sigmoid(v: Any) -> Any:
    """1 / (1 + exp(-v))"""
    return 0.5 + 0.5 * np.tanh(0.5 * v)
