"""q.lstm and q.gru: recurrent cells over a whole sequence, int8 (or int16) between the steps, int16 inside them.

What goes into the gates is int16 in steps of 2^-11, their results are int16 in steps of 2^-15, from tables of 513
entries; the state that adds up over time (c of an LSTM, h of a GRU) is int16 in steps of 2^-bits. Next to that the
hidden state is kept in x's element type, for the products with r. Source: the integer LSTM of TensorFlow Lite (Lee et
al., 2016, has the floats), with one multiplier a row of the weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from emberc.ir.arithmetic import Ints, clamp, requantize, shifted, wide
from emberc.ir.op import Cost, attribute, operand, result
from emberc.ir.ops.integer_base import QUANTIZED, IntegerOp
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Constant, Value

GATE_BITS = 11
"""Fraction bits of what goes into the gates: +-16, where sigmoid and tanh are flat."""

ONE_BITS = 15
"""Fraction bits of what comes out of them; a table reaches +-32767."""

HALF = 1 << (ONE_BITS - 1)


class Cell(IntegerOp):
    """What both cells have; ``h0`` is in the hidden state's quantization, [B, H]."""

    gates = 0

    x = operand(*QUANTIZED)  # [T, B, I]
    w = operand(DType.I8)  # [G * H, I]
    w_bias = operand(DType.I32)  # [G * H]
    w_m = operand(DType.I32)  # [G * H]
    r = operand(DType.I8)  # [G * H, H]
    r_bias = operand(DType.I32)  # [G * H]
    r_m = operand(DType.I32)  # [G * H]
    gate = operand(DType.I16)  # [513]
    candidate = operand(DType.I16)  # [513]
    w_shift = attribute[int](0)
    r_shift = attribute[int](0)
    bits = attribute[int](15)
    h_m = attribute[int]()
    h_shift = attribute[int](0)
    y_m = attribute[int]()
    y_shift = attribute[int](0)
    zero_point = attribute[int](0)
    reverse = attribute[bool](False)
    dtype = attribute[str]("i8")

    def sizes(self) -> tuple[int, int, int, int]:
        """Steps, batch, width of x, hidden size."""
        return (*self.x.shape, self.r.shape[-1])  # type: ignore[return-value]

    def check_shapes(self, state: Value) -> list[TensorType]:
        """The type of y. Raises VerifyError where the operands do not fit."""
        self.require(self.x.type.rank == 3 and self.r.type.rank == 2, "x must be [T, B, I], r [G * H, H]")
        steps, batch, width, size = self.sizes()
        rows = self.gates * size
        shapes = [v.shape for v in (self.w, self.w_bias, self.w_m, self.r, self.r_bias, self.r_m, state)]
        good = shapes == [(rows, width), (rows,), (rows,), (rows, size), (rows,), (rows,), (batch, size)]
        self.require(good, f"x is {list(self.x.shape)}, the cell's operands are {shapes}")
        self.require(self.gate.shape == (513,) == self.candidate.shape, "tables must have 513 elements")
        return [TensorType(self.out_dtype(*QUANTIZED), (steps, batch, size))]

    def verify(self) -> None:
        self.require_range("bits", 0, ONE_BITS)
        self.require_range("zero_point", *DType.I16.limits)
        for name in self.tables():
            self.require(int(np.abs(wide(self.constant(name))).max()) < 1 << ONE_BITS, f"table '{name}' reaches -32768")
        self.require(int(self.constant("gate").min()) >= 0, "table 'gate' is negative somewhere")
        for name in ("h", "y"):
            self.require_word(f"{name}_m")
            self.require_range(f"{name}_shift", 0, 15)
        for part in self.parts():
            self.product(part).verify()

    def tables(self) -> list[str]:
        """Operands that are tables."""
        return ["gate", "candidate"]

    def parts(self) -> list[str]:
        """The products of a step: the kernels run a q.matmul of one row for each."""
        return ["w", "r"]

    def rows(self, part: str) -> slice:
        """The rows of the weights that a product takes."""
        return slice(None)

    def product(self, part: str) -> Matmul:
        """The q.matmul of one row behind a product, on operands of its own."""
        name = part[0]
        values = [self._operand(name), self._operand(f"{name}_bias"), self._operand(f"{name}_m")]
        w, bias, m = (Constant(self.constant(n)[self.rows(part)], v.name) for n, v in self._named(name, values))
        x = Value(TensorType(self.x.type.dtype, (1, w.shape[1])))
        shift = self.w_shift if name == "w" else self.r_shift
        return Matmul(x, w, bias, m, None, shift=shift, dtype="i16", loc=self.loc)

    def cost(self) -> Cost:
        steps, batch, width, size = self.sizes()
        return Cost(steps * batch * self.gates * size * (width + size), steps * batch * size)

    def own_bytes(self) -> int:
        """Scratch beside that of the products: what x and h add to the gates."""
        return 2 * 2 * self.gates * self.r.shape[-1]

    def scratch_bytes(self) -> int:
        return self.own_bytes()

    # --- arithmetic ------------------------------------------------------------------------------

    @staticmethod
    def _named(name: str, values: list[Value]) -> list[tuple[str, Value]]:
        return list(zip((name, f"{name}_bias", f"{name}_m"), values, strict=True))

    def order(self) -> list[int]:
        """The steps in the order in which they run."""
        steps = range(self.x.shape[0])
        return list(steps[::-1] if self.reverse else steps)

    def _run(self, part: str, rows: Array) -> Ints:
        """What a product adds to the gates, int16."""
        p = self.product(part)
        return wide(p.reference(rows, p.w.const, p.bias.const, p.m.const, None))  # type: ignore[arg-type]

    def _hidden(self, h: Ints) -> Array:
        return clamp(requantize(h, self.h_m, self.h_shift, 0), self.x.type.dtype)

    def _output(self, h: Ints) -> Array:
        return clamp(requantize(h, self.y_m, self.y_shift, self.zero_point), self.out_dtype(*QUANTIZED))


class Lstm(Cell):
    """i, o, f, g = gate(p_i), gate(p_o), gate(p_f), candidate(p_g) with p = clamp16(w x + r h), tables interpolated
    c' = clamp16((f c + ((i g) >> (15 - bits)) + 2^14) >> 15)
    h  = (o * output(c' in steps of 2^-11) + 2^14) >> 15;  y = requantized h, and so is the h of the next step.

    ``last`` is c after the last step, ``hidden`` that h: what the next call takes as c0 and h0. Source: see the module;
    the gates are ONNX's.
    """

    opcode = "q.lstm"
    gates = 4
    output = operand(DType.I16)  # [513]
    h0 = operand(*QUANTIZED)  # [B, H]
    c0 = operand(DType.I16)  # [B, H]
    y = result()
    last = result()
    hidden = result()
    inplace = {"last": ("c0",), "hidden": ("h0",)}

    def infer(self) -> list[TensorType]:
        (y,) = self.check_shapes(self.c0)
        self.require(self.h0.type.dtype is self.x.type.dtype and self.h0.shape == self.c0.shape, "h0 must be as x")
        return [y, TensorType(DType.I16, self.c0.shape), TensorType(self.x.type.dtype, self.h0.shape)]

    def tables(self) -> list[str]:
        return ["gate", "candidate", "output"]

    def reference(self, x: Array, *rest: Any) -> Any:
        gate, candidate, output, h0, c0 = rest[6:]
        h, c = h0, wide(c0)
        y = np.zeros(self.y.shape, self.out_dtype(*QUANTIZED).numpy)
        for t in self.order():
            p = wide(clamp(self._run("w", x[t]) + self._run("r", h), DType.I16))
            pi, po, pf, pg = np.split(p, 4, axis=-1)
            i, o, f, g = look_up(gate, pi), look_up(gate, po), look_up(gate, pf), look_up(candidate, pg)
            c = wide(clamp((f * c + ((i * g) >> (ONE_BITS - self.bits)) + HALF) >> ONE_BITS, DType.I16))
            hidden = (o * look_up(output, rescaled(c, self.bits)) + HALF) >> ONE_BITS
            h, y[t] = self._hidden(hidden), self._output(hidden)
        return y, c, h


class Gru(Cell):
    """z, r = gate(p_z), gate(p_r) with p = clamp16(w x + r h);  n = candidate(clamp16(w_n x + inner))
    inner = r_n ((r h + 2^14) >> 15), or with ``late`` (r (r_n h) + 2^14) >> 15
    s' = ((2^15 - z) (n in steps of 2^-bits) + z s + 2^14) >> 15;  y = requantized s', and so is h.

    ``s0`` is the state before the first step, ``last`` that after the last. Source: see the module; the gates
    are ONNX's.
    """

    opcode = "q.gru"
    gates = 3
    s0 = operand(DType.I16)  # [B, H]
    late = attribute[bool](False)
    y = result()
    last = result()
    inplace = {"last": ("s0",)}

    def infer(self) -> list[TensorType]:
        return [*self.check_shapes(self.s0), TensorType(DType.I16, self.s0.shape)]

    def parts(self) -> list[str]:
        return ["w", "r", "rn"]

    def own_bytes(self) -> int:
        """The hidden state, which the state that adds up gives again, and r h behind it."""
        _, batch, _, size = self.sizes()
        return super().own_bytes() + (batch + 1) * size * self.x.type.dtype.size

    def rows(self, part: str) -> slice:
        size = self.r.shape[-1]
        return {"w": slice(None), "r": slice(0, 2 * size), "rn": slice(2 * size, 3 * size)}[part]

    def reference(self, x: Array, *rest: Any) -> Any:
        gate, candidate, s0 = rest[6:]
        s = wide(s0)
        h = self._hidden(s)
        y = np.zeros(self.y.shape, self.out_dtype(*QUANTIZED).numpy)
        for t in self.order():
            xz, xr, xn = np.split(self._run("w", x[t]), 3, axis=-1)
            hz, hr = np.split(self._run("r", h), 2, axis=-1)
            z, r = (look_up(gate, wide(clamp(a + b, DType.I16))) for a, b in ((xz, hz), (xr, hr)))
            if self.late:
                inner = (r * self._run("rn", h) + HALF) >> ONE_BITS
            else:
                inner = self._run("rn", ((r * wide(h) + HALF) >> ONE_BITS).astype(x.dtype))
            n = look_up(candidate, wide(clamp(xn + inner, DType.I16)))
            down = ONE_BITS - self.bits
            n = (n + (1 << down >> 1)) >> down
            s = (((1 << ONE_BITS) - z) * n + z * s + HALF) >> ONE_BITS
            h, y[t] = self._hidden(s), self._output(s)
        return y, s


def look_up(table: Array, p: Ints) -> Ints:
    """A table of 513 entries at multiples of 128, linear between them, as q.table16."""
    at, part = 256 + (p >> 7), p & 127
    low, high = wide(table[at]), wide(table[at + 1])
    return low + (((high - low) * part + 64) >> 7)


def rescaled(c: Ints, bits: int) -> Ints:
    """c, in steps of 2^-bits, in steps of 2^-11."""
    down = bits - GATE_BITS
    return wide(clamp((c + (1 << down >> 1)) >> down if down >= 0 else shifted(c, -down), DType.I16))
