"""Recurrence, selective scan and causal convolution against loops over single numbers; steps against whole rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from emberc.errors import VerifyError
from emberc.ir.graph import Function, Module
from emberc.ir.op import Op
from emberc.ir.ops.float_scan import CausalConv, Recurrence, SelectiveScan
from emberc.ir.parser import parse_module
from emberc.ir.printer import print_module, side_data
from emberc.ir.values import Constant, Value
from emberc.ir.verifier import verify
from tests.kernels.check import value


def held(array: Any) -> Value | None:
    return None if array is None else value(np.asarray(array))


def run(cls: type[Op], *arrays: Any, **attrs: Any) -> list[Any]:
    arrays += (None,) * (len(cls.operand_fields) - len(arrays))
    op = cls(*[held(a) for a in arrays], **attrs)
    out = op.run(*arrays)
    assert [o.shape for o in out] == [r.shape for r in op.results]
    return out


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_recurrence(axis: int) -> None:
    rng = np.random.default_rng(axis)
    update, decay = rng.standard_normal((3, 4, 5)), rng.uniform(0, 1, (3, 4, 1))
    initial = rng.standard_normal([n for i, n in enumerate(update.shape) if i != axis])
    (states,) = run(Recurrence, decay, update, initial, axis=axis)
    h = initial
    for t in range(update.shape[axis]):
        a = np.broadcast_to(decay, update.shape).take(t, axis)
        h = a * h + update.take(t, axis)
        np.testing.assert_allclose(states.take(t, axis), h)


def test_recurrence_refuses() -> None:
    u = held(np.zeros((2, 3)))
    for decay, initial, axis in (((2, 4), None, 0), ((4, 2, 3), None, 0), ((2, 1), (2,), 0), ((2, 1), None, 2)):
        start = None if initial is None else held(np.zeros(initial))
        with pytest.raises(VerifyError):
            Recurrence(held(np.zeros(decay)), u, start, axis=axis)


def scan_inputs(heads: int, d: int, n: int, groups: int, length: int = 5) -> list[Any]:
    rng = np.random.default_rng(d)
    return [
        rng.standard_normal((2, length, d)), rng.standard_normal((2, length, heads)),
        -np.exp(rng.standard_normal((heads, n))), rng.standard_normal((2, length, groups * n)),
        rng.standard_normal((2, length, groups * n)), rng.standard_normal(d),
        rng.standard_normal((2, length, d)), rng.standard_normal((2, d, n)),
    ]  # fmt: skip


@pytest.mark.parametrize(("heads", "d", "n", "groups"), [(6, 6, 3, 1), (2, 6, 3, 1), (4, 8, 1, 2), (1, 1, 1, 1)])
def test_selective_scan(heads: int, d: int, n: int, groups: int) -> None:
    arrays = scan_inputs(heads, d, n, groups)
    y, state = run(SelectiveScan, *arrays, groups=groups)
    x, delta, a, b, c, skip, gate, h = (v.copy() for v in arrays)
    for s, t, i in np.ndindex(x.shape):
        head = i * heads // d
        group = head * groups // heads
        dt, total = math.log1p(math.exp(delta[s, t, head])), skip[i] * x[s, t, i]
        for k in range(n):
            at = group * n + k
            h[s, i, k] = math.exp(dt * a[head, k]) * h[s, i, k] + dt * b[s, t, at] * x[s, t, i]
            total += c[s, t, at] * h[s, i, k]
        z = gate[s, t, i]
        assert math.isclose(y[s, t, i], total * z / (1 + math.exp(-z)), rel_tol=1e-9)
    np.testing.assert_allclose(state, h)


def test_scan_and_conv_step_by_step() -> None:
    x, delta, a, b, c, skip, gate, h = scan_inputs(3, 6, 4, 1)
    y, state = run(SelectiveScan, x, delta, a, b, c, skip, gate, h)
    w, bias, tail = np.ones((4, 6)) * [1, 2, 3, 4, 5, 6], np.arange(6.0), np.zeros((2, 3, 6))
    conv, last = run(CausalConv, x, w, bias, None, silu=True)
    for t in range(x.shape[1]):
        one = [v[:, t : t + 1] for v in (x, delta, b, c, gate)]
        part, h = run(SelectiveScan, one[0], one[1], a, one[2], one[3], skip, one[4], h)
        np.testing.assert_allclose(part, y[:, t : t + 1])
        part, tail = run(CausalConv, one[0], w, bias, tail, silu=True)
        np.testing.assert_allclose(part, conv[:, t : t + 1])
    np.testing.assert_allclose(h, state)
    np.testing.assert_allclose(tail, last)


def test_one_decay_a_head_and_no_softplus() -> None:
    x, delta, a, b, c, *_ = scan_inputs(2, 6, 3, 1)
    delta, a = np.abs(delta), a[:, :1]
    wide = run(SelectiveScan, x, delta, np.repeat(a, 3, axis=1), b, c, softplus=False)
    np.testing.assert_array_equal(run(SelectiveScan, x, delta, a, b, c, softplus=False)[0], wide[0])


def test_causal_conv() -> None:
    x = np.arange(1.0, 6.0).reshape(1, 5, 1)
    y, tail = run(CausalConv, x, np.array([[10.0], [1.0]]), np.array([2.0]), None)
    np.testing.assert_array_equal(y.ravel(), [3, 14, 25, 36, 47])
    np.testing.assert_array_equal(tail.ravel(), [5])
    y, tail = run(CausalConv, x, np.ones((1, 1)), None, None)
    np.testing.assert_array_equal(y, x)
    assert tail.shape == (1, 0, 1)


def test_scan_refuses() -> None:
    good = scan_inputs(2, 6, 3, 1)
    for at, shape in ((1, (2, 5, 4)), (2, (2, 2)), (3, (2, 5, 2)), (4, (2, 4, 3)), (5, (5,)), (7, (2, 3, 6))):
        arrays = [np.zeros(shape) if i == at else a for i, a in enumerate(good)]
        with pytest.raises(VerifyError):
            SelectiveScan(*[held(a) for a in arrays])
    with pytest.raises(VerifyError, match="w is"):
        CausalConv(held(np.zeros((1, 5, 2))), held(np.zeros((4, 3))))


def test_text_form() -> None:
    x, delta, a, b, c, skip, gate, _ = scan_inputs(2, 6, 3, 1)
    inputs = [Value(value(v).type, name) for v, name in ((x, "x"), (delta, "delta"), (b, "b"), (c, "c"), (gate, "z"))]
    conv = CausalConv(inputs[0], Constant(np.ones((4, 6))), silu=True)
    scan = SelectiveScan(conv.y, inputs[1], Constant(a), inputs[2], inputs[3], Constant(skip), inputs[4])
    tree = Recurrence(inputs[1], inputs[1], axis=1)
    outputs = {"y": scan.y, "state": scan.state, "tail": conv.tail, "r": tree.states}
    module = Module("scan", {"main": Function("main", inputs, [conv, scan, tree], outputs)})
    verify(module)
    text = print_module(module)
    again = parse_module(text, side_data(module))
    verify(again)
    assert print_module(again) == text
