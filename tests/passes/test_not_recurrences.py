"""What looks like a linear recurrence and is none: general ops, the answers of onnxruntime, a note with the reason."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import emberc
from emberc import harness
from emberc.frontend import import_model
from emberc.ir.graph import Module
from emberc.ir.interpreter import run_function
from emberc.passes import PassManager, parse_pipeline
from tests.e2e.journey import exact
from tests.frontend.models import model, values

STEPS = 5
#: body of a step: state s, rows k and u --> next; and the function of the state that makes it none
BODIES = {
    "an outer function": ("p = Mul (k, s)  q = Add (p, u)  next = Tanh (q)", "tanh"),
    "a decay of the state": ("g = Sigmoid (s)  m = Mul (k, g)  p = Mul (m, s)  next = Add (p, u)", "sigmoid"),
    "an update of the state": ("g = Tanh (s)  m = Mul (u, g)  p = Mul (k, s)  next = Add (p, m)", "tanh"),
    "its square": ("m = Mul (s, s)  p = Mul (k, m)  next = Add (p, u)", "mul"),
    "a matrix": ("p = MatMul (s, w)  q = Mul (p, k)  next = Add (q, u)", "matmul"),
}
LINEAR = "p = Mul (k, s)  next = Add (p, u)"


def scan(body: str) -> onnx.ModelProto:
    """The body in a Scan node 'cell'."""
    proto = model(
        f"""(float[2] h, float[{STEPS},2] a, float[{STEPS},2] b) => (float[2] last) {{
        last = Scan <num_scan_inputs = 2, body = step (float[2] s, float[2] k, float[2] u) => (float[2] next) {{
            {body} }}> (h, a, b) }}""",
        w=values(2, 2, seed=5),
    )
    proto.graph.node[0].name = "cell"
    return proto


def unrolled(body: str, outputs: tuple[str, ...] = ("next4",), order: tuple[int, ...] = ()) -> onnx.ModelProto:
    """The body once a step, reading its rows; ``order`` of the rows where it is not first to last."""
    parts = []
    for t in range(STEPS):
        text = re.sub(r"\b(k|u|g|m|p|q|next)\b", rf"\g<1>{t}", body)
        text = re.sub(r"\bs\b", f"next{t - 1}" if t else "h", text)
        parts.append(f"k{t} = Gather (a, i{t})  u{t} = Gather (b, i{t})  {text}")
    made = ", ".join(f"float[2] {name}" for name in outputs)
    rows = f"float[{STEPS},2]"
    proto = model(
        f"(float[2] h, {rows} a, {rows} b) => ({made}) {{ {'  '.join(parts)} }}",
        w=values(2, 2, seed=5),
        **{f"i{t}": (order or range(STEPS))[t] for t in range(STEPS)},
    )
    for node in proto.graph.node:
        node.name = "/" + node.output[0]
    return proto


def recovered(proto: onnx.ModelProto) -> Module:
    """After recovery, equal to onnxruntime."""
    module = import_model(proto)
    PassManager(parse_pipeline("recover-recurrence")).run(module)
    feeds = {"h": values(2), "a": values(STEPS, 2, seed=1), "b": values(STEPS, 2, seed=2)}
    want = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, feeds)
    for got, expected in zip(run_function(module.main, feeds).values(), want, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-5)
    return module


def recurrences(module: Module) -> int:
    return sum(op.opcode == "f.recurrence" for op in module.main.ops)


@pytest.mark.parametrize("name", BODIES)
def test_a_loop_stays_unrolled_with_a_note(name: str) -> None:
    module = recovered(scan(BODIES[name][0]))
    assert recurrences(module) == 0
    (note,) = module.notes
    assert note.startswith(f"'cell' stays unrolled, because its steps are no linear recurrence: {STEPS} steps, ")


@pytest.mark.parametrize("order", [(), (4, 3, 2, 1, 0)], ids=["forwards", "backwards"])
@pytest.mark.parametrize("name", BODIES)
def test_what_an_exporter_unrolled_stays_so_with_a_note(name: str, order: tuple[int, ...]) -> None:
    body, culprit = BODIES[name]
    module = recovered(unrolled(body, order=order))
    assert recurrences(module) == 0
    (note,) = module.notes
    assert re.fullmatch(
        rf"'/[a-z]+\d': 5 steps stay unrolled, as general ops, because each needs the one before and {culprit} of a "
        r"state is no multiple of it",
        note,
    )


@pytest.mark.parametrize("outputs", [("next0", "next4"), ("next1", "p3", "next4")])
def test_states_that_others_read_are_slices_of_the_recurrence(outputs: tuple[str, ...]) -> None:
    module = recovered(unrolled(LINEAR, outputs))
    assert recurrences(module) == 1
    assert not module.notes


def test_a_step_that_differs_keeps_the_others_correct() -> None:
    """Steps 0 .. 3 are a recurrence, the last one subtracts: nothing may take it for one of them."""
    proto = unrolled(LINEAR)
    proto.graph.node[-1].op_type = "Sub"
    recovered(proto)


def test_rows_that_no_step_waits_for_are_no_recurrence() -> None:
    """Heads beside one another, and a sum of functions of the rows."""
    rows = "  ".join(f"r{t} = Gather (b, i{t})  y{t} = Tanh (r{t})" for t in range(STEPS))
    total = "  ".join(f"z{t} = Add ({f'z{t - 1}' if t > 1 else 'y0'}, y{t})" for t in range(1, STEPS))
    joined = ", ".join(f"y{t}" for t in range(STEPS))
    text = f"{rows}  {total}  side = Concat <axis = 0> ({joined})  last = Tanh (z4)"
    header = f"(float[2] h, float[{STEPS},2] a, float[{STEPS},2] b) => (float[10] side, float[2] last)"
    proto = model(f"{header} {{ {text} }}", **{f"i{t}": t for t in range(STEPS)})
    assert not any("unrolled" in note for note in recovered(proto).notes)


@pytest.mark.parametrize("form", [scan, unrolled])
def test_general_ops_are_correct_firmware(form: object, tmp_path: Path) -> None:
    """And the report holds the note."""
    assert callable(form)
    firmware = emberc.compile(form(BODIES["a decay of the state"][0]))
    exact(harness.test_build(firmware.write(tmp_path / "build"), ["host"]))
    assert any("unrolled" in note for note in firmware.report.notes)
    assert min(a.sqnr_db for a in firmware.report.accuracy.values()) >= 25
