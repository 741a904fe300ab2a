"""Loop, Scan and sequences: unrolled as onnxruntime runs them, refused where the number of steps is not known."""

from __future__ import annotations

import re

import numpy as np
import onnx
import pytest

from emberc.errors import ModelError, UnsupportedError
from emberc.frontend import import_model, loops
from emberc.passes import PassManager, parse_pipeline
from tests.frontend.models import check_against_onnxruntime, model, opcodes, values

#: h = a[t] * h + b[t], read as the sum of its elements
SCAN = """(float[2] h, float[{n},2] a, float[{n},2] b) => (float[2] last, float[{n}] y) {{
    last, y = Scan <num_scan_inputs = 2{attributes}, body = step (float[2] s, float[2] k, float[2] u) =>
        (float[2] next, float sum) {{ p = Mul (k, s)  next = Add (p, u)  sum = ReduceSum <keepdims = 0> (next) }}>
        (h, a, b) }}"""

#: the same, the counter picks the slices and the condition ends it
LOOP = """(float[2] h, float[5,2] a, float[5,2] b) => (float[2] last, float[k] y) {
    last, y = Loop (steps, go, h) <body = step (int64 t, bool c, float[2] s) => (bool more, float[2] next, float sum) {
        k = Gather (a, t)  u = Gather (b, t)  p = Mul (k, s)  next = Add (p, u)
        sum = ReduceSum <keepdims = 0> (next)  more = Less (t, stop) }> }"""

#: a cell that is not linear in its state
CELL = """(float[2] h, float[{n},2] x) => (float[2] last) {{
    last = Scan <num_scan_inputs = 1, body = step (float[2] s, float[2] u) => (float[2] next) {{
        p = Add (s, u)  next = Tanh (p) }}> (h, x) }}"""


def recurrence(n: int) -> dict[str, np.ndarray]:
    return {"h": values(2), "a": values(n, 2, seed=1), "b": values(n, 2, seed=2)}


def recovered(proto: onnx.ModelProto) -> tuple[list[str], list[str]]:
    """Opcodes and notes after recovery."""
    module = import_model(proto)
    PassManager(parse_pipeline("recover-recurrence")).run(module)
    return opcodes(module), module.notes


@pytest.mark.parametrize("steps", [1, 3, 7, 17])
def test_scan(steps: int) -> None:
    proto = model(SCAN.format(n=steps, attributes=""), 18)
    check_against_onnxruntime(proto, recurrence(steps))


def test_scan_backwards_along_other_axes() -> None:
    proto = model(
        """(float[2] h, float[2,5] a, float[5,2] b) => (float[2] last, float[2,5] y) {
            last, y = Scan <num_scan_inputs = 2, scan_input_axes = [1, 0], scan_input_directions = [1, 0],
                scan_output_axes = [-1], scan_output_directions = [1],
                body = step (float[2] s, float[2] k, float[2] u) => (float[2] next, float[2] row) {
                    p = Mul (k, s)  next = Add (p, u)  row = Identity (next) }> (h, a, b) }"""
    )
    check_against_onnxruntime(proto, {"h": values(2), "a": values(2, 5, seed=1), "b": values(5, 2, seed=2)})
    found, notes = recovered(proto)
    assert found.count("f.recurrence") == 1 and "f.add" not in found and not notes


@pytest.mark.parametrize(
    ("steps", "stop", "count"), [(5, 9, 5), (3, 9, 3), (5, 2, 3), (None, 3, 4)], ids=["all", "some", "stopped", "while"]
)
def test_loop(steps: int | None, stop: int, count: int) -> None:
    text = LOOP if steps is not None else LOOP.replace("(steps, go, h)", "(, go, h)")
    constants = {"go": np.array(True), "stop": stop, **({} if steps is None else {"steps": steps})}
    proto = model(text, 18, **constants)
    check_against_onnxruntime(proto, recurrence(5))
    found, notes = recovered(proto)
    assert found.count("f.recurrence") == 1 and found.count("f.add") == 0 and not notes
    (y,) = [v for k, v in import_model(proto).main.outputs.items() if k == "y"]
    assert y.shape == (count,)


def test_loop_that_never_runs() -> None:
    proto = model(LOOP, 18, go=np.array(False), stop=3, steps=5)
    module = import_model(proto)
    assert module.main.outputs["last"] is module.main.inputs[0]
    assert module.main.outputs["y"].shape == (0,)


def test_body_without_state_is_computed_over_all_steps() -> None:
    proto = model(
        """(float[5,2] x, float[2] g) => (float[5,2] y) {
            y = Scan <num_scan_inputs = 1, body = step (float[2] u) => (float[2] row) {
                p = Mul (u, g)  row = Tanh (p) }> (x) }"""
    )
    check_against_onnxruntime(proto, {"x": values(5, 2), "g": values(2, seed=1)})
    found, notes = recovered(proto)
    assert found.count("f.tanh") == 1 and not notes


def test_other_bodies_stay_unrolled_with_a_note() -> None:
    proto = model(CELL.format(n=4))
    proto.graph.node[0].name = "cell"
    check_against_onnxruntime(proto, {"h": values(2), "x": values(4, 2, seed=1)})
    found, notes = recovered(proto)
    assert found.count("f.tanh") == 4
    assert notes == [
        "'cell' stays unrolled, because its steps are no linear recurrence: 4 steps, 16 ops, 0 multiply-accumulates"
    ]


def test_too_many_steps_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "OP_LIMIT", 20)
    with pytest.raises(UnsupportedError, match=r"more than \d+ steps \(\d+ ops\), which are too many to unroll") as e:
        import_model(model(CELL.format(n=20)))
    assert e.value.hints


@pytest.mark.parametrize(
    ("text", "weights", "what"),
    [
        (LOOP.replace("float[5,2] b)", "float[5,2] b, int64 steps)", 1), {"go": np.array(True), "stop": 9}, "steps"),
        (LOOP.replace("float[5,2] b)", "float[5,2] b, bool go)", 1), {"steps": 5, "stop": 9}, "condition"),
        (
            LOOP.replace("float[5,2] b)", "float[5,2] b, int64 stop)", 1),
            {"steps": 5, "go": np.array(True)},
            "condition",
        ),
    ],
    ids=["steps", "condition", "condition of the next step"],
)
def test_steps_that_depend_on_data_are_refused(text: str, weights: dict[str, object], what: str) -> None:
    with pytest.raises(UnsupportedError, match=f"Loop: its .*{what} depends on the model's input data"):
        import_model(model(text, 18, **weights))


def test_a_refused_node_in_a_body_is_listed() -> None:
    with pytest.raises(UnsupportedError) as e:
        import_model(model(CELL.replace("Tanh (p)", "local.Odd (p)").format(n=3)))
    assert "local::Odd" in e.value.message
    assert re.search(r"Scan_0\[0\]/Odd_1", str(e.value))


def test_body_that_takes_other_inputs_is_invalid() -> None:
    with pytest.raises(ModelError):
        import_model(
            model(CELL.replace("(float[2] s, float[2] u)", "(float[2] s)").format(n=3).replace("(s, u)", "(s, s)"))
        )


def test_sequences() -> None:
    proto = model(
        """(float[2,3] x, float[2,3] z) => (float[4,2,3] y, float[3,3] p, int64 n) {
            empty = SequenceEmpty ()  one = SequenceInsert (empty, x)  two = SequenceInsert (one, z)
            front = SequenceInsert (two, z, zero)  same = Identity (front)
            last = SequenceAt (same, minus)  four = SequenceInsert (same, last)
            y = ConcatFromSequence <axis = 0, new_axis = 1> (four)
            gone = SequenceErase (four, zero)  n = SequenceLength (gone)
            parts = SplitToSequence <axis = 0> (x, ones)  row = SequenceAt (parts, zero)
            other = SequenceConstruct (row, z)  p = ConcatFromSequence <axis = 0> (other) }""",
        zero=0,
        minus=-1,
        ones=[1, 1],
    )
    check_against_onnxruntime(proto, {"x": values(2, 3), "z": values(2, 3, seed=1)})


def test_sequence_as_a_tensor_is_invalid() -> None:
    with pytest.raises(ModelError):
        import_model(model("(float[2] x) => (float[2] y) { s = SequenceConstruct (x)  y = Neg (s) }"))
