"""Recurrent cells: the portable kernels and every fast form against the reference, the reference against floats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.bench import Case
from emberc.errors import VerifyError
from emberc.ir.ops.float_cells import sigmoid
from emberc.ir.ops.integer_cells import Cell, Gru, Lstm
from emberc.ir.ops.integer_matmul import accumulator_bounds
from emberc.ir.types import Array, DType
from tests.kernels.boards import assert_exact, assert_exact_anywhere
from tests.kernels.check import FILLS, INT8, INT16, SIZES, check_results, constant, headroom, tensor, value


def table(f: Any) -> Array:
    """f in steps of 2^-15 over +-16."""
    return np.clip(np.rint(f(np.arange(-256, 257) / 16) * 32768), -32767, 32767).astype(np.int16)


def cell(
    kind: type[Cell], dtype: Any, shape: tuple[int, int, int, int], y: str = "i8", *, fill: str = "random",
    bits: int = 12, **more: Any,
) -> tuple[Cell, list[Array | None]]:  # fmt: skip
    """A cell on random weights and state, and its operands; ``shape`` is steps, batch, width, size."""
    steps, batch, width, size = shape
    rng = np.random.default_rng(steps * 1009 + width * 31 + size)
    rows = kind.gates * size
    operands: list[Any] = [tensor(rng, dtype, (steps, batch, width), fill)]
    for name, k in (("w", width), ("r", size)):
        w = np.maximum(tensor(rng, INT8, (rows, k), fill), -128 if fill in ("low", "mixed") else -127)
        bias = rng.integers(-1000, 1000, rows).astype(np.int32)
        bounds = accumulator_bounds(w, bias, DType.of(np.dtype(dtype)))
        spread = 16 * 2048 / (73 * np.sqrt(k) * (73 if dtype == INT8 else 19000))
        more[f"{name}_shift"] = min(8 if dtype == INT8 else 0, headroom(*bounds))
        m = rng.uniform(0.5, 1.0, rows) * min(spread * 2.0 ** (31 - more[f"{name}_shift"]), 2.0**31 - 1)
        operands += [w, bias, np.rint(m).astype(np.int32)]
    operands += [table(sigmoid), table(np.tanh)]
    states = [tensor(rng, INT16, (batch, size), fill)]
    if kind is Lstm:
        operands.append(table(np.tanh))
        states.insert(0, tensor(rng, dtype, (batch, size), fill))
    operands += states
    run_time = {0, *range(len(operands) - len(states), len(operands))}
    values = [value(a) if i in run_time else constant(a, a.dtype.type) for i, a in enumerate(operands)]
    h = {"h_m": (127 << 17) if dtype == INT8 else (1 << 30), "h_shift": 0 if dtype == INT8 else 2}
    out = {"y_m": 100 << 17, "zero_point": -9} if y == "i8" else {"y_m": 1 << 30, "y_shift": 1, "zero_point": 100}
    return kind(*values, bits=bits, dtype=y, **h, **out, **more), operands


FORMS = {Lstm: ({}, {"reverse": True}), Gru: ({}, {"late": True}, {"reverse": True, "late": True})}


def every_form(kind: type[Cell], dtype: Any, n: int) -> None:
    for shape in ((1, 1, n, 3), (3, 2, 5, n), (n if n < 100 else 20, 1, 2, 4)):
        for form in FORMS[kind]:  # type: ignore[index]
            for y in ("i8", "i16"):
                check_results(*cell(kind, dtype, shape, y, **form))


@pytest.mark.parametrize("dtype", [INT8, INT16])
@pytest.mark.parametrize("n", SIZES)
def test_lstm(dtype: Any, n: int) -> None:
    every_form(Lstm, dtype, n)


@pytest.mark.parametrize("dtype", [INT8, INT16])
@pytest.mark.parametrize("n", SIZES)
def test_gru(dtype: Any, n: int) -> None:
    every_form(Gru, dtype, n)


@pytest.mark.parametrize("kind", [Lstm, Gru])
@pytest.mark.parametrize("fill", FILLS)
def test_extremes(kind: type[Cell], fill: str) -> None:
    """Everything at one end of its type, with each number of fraction bits of the state."""
    for bits in range(16):
        for dtype in (INT8, INT16):
            check_results(*cell(kind, dtype, (4, 2, 7, 5), "i16", fill=fill, bits=bits))


def test_an_lstm_keeps_what_its_gates_tell_it_to() -> None:
    """Without inputs and weights: f = 1/2, i = 1/2, g = 0, so that c halves, and h = tanh(c) / 2."""
    op, arrays = cell(Lstm, INT8, (3, 1, 1, 1), "i16", bits=12)
    still = [np.zeros_like(a) for a in arrays[:7]]
    c0 = np.array([[4096]], np.int16)  # 1.0
    operands = [*still, *arrays[7:10], np.zeros((1, 1), np.int8), c0]
    values = [value(a) if i in (0, 10, 11) else constant(a, a.dtype.type) for i, a in enumerate(operands)]
    op = Lstm(*values, bits=12, h_m=127 << 17, y_m=1 << 30, y_shift=2, dtype="i16")
    y, last, hidden = check_results(op, operands)
    assert hidden.tolist() == [[8]], "tanh(0.125) / 2 in steps of 1 / 127"
    assert last.tolist() == [[512]]
    want = 0.5 * np.tanh([0.5, 0.25, 0.125]) * 32768
    np.testing.assert_allclose(y.ravel(), want, atol=4)


def test_refuses() -> None:
    _, arrays = cell(Gru, INT8, (2, 1, 3, 4))
    values = [value(a) if i in (0, 9) else constant(a, a.dtype.type) for i, a in enumerate(arrays) if a is not None]
    negative = [*values[:7], values[8], *values[8:]]
    with pytest.raises(VerifyError, match="'gate' is negative"):
        Gru(*negative, bits=12, h_m=1, y_m=1).verify()
    with pytest.raises(VerifyError, match="operands are"):
        Gru(*values[:9], value(np.zeros((1, 3), np.int16)), bits=12, h_m=1, y_m=1)
    with pytest.raises(VerifyError, match="bits"):
        Gru(*values, bits=16, h_m=1, y_m=1).verify()


def cases() -> list[Case]:
    """Cells for the boards."""
    made = []
    for kind, forms in FORMS.items():
        names = ("x", "h0", "c0") if kind is Lstm else ("x", "s0")
        for shape in ((1, 1, 3, 5), (4, 1, 17, 7), (2, 2, 33, 16), (3, 1, 1, 1)):
            for form in forms:
                for y in ("i8", "i16"):
                    op, arrays = cell(kind, INT8, shape, y, **form)
                    op.verify()
                    fed = dict(zip(op.operand_fields, arrays, strict=True))
                    made.append(Case(op, {n: fed[n] for n in names}, f"{op.opcode} {shape}", note=f"{y} {form}"))
    return made


TARGETS = {"cortex-m4": "armv7em", "cortex-m55": "mve", "rv32": "rv32"}


@pytest.mark.board
@pytest.mark.parametrize("target", TARGETS)
def test_cells_with_the_products_of_each_core(target: str) -> None:
    assert_exact(target, cases())


@pytest.mark.parametrize("target", TARGETS)
def test_cells_of_each_core_as_plain_c(target: str) -> None:
    chosen = cases()
    assert {c.kernel(("portable", TARGETS[target])).function.rpartition("_")[2] for c in chosen} == {TARGETS[target]}
    assert_exact_anywhere(target, chosen)
