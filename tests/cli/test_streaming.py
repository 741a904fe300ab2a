"""`emberc compile --streaming`: one step a call, from an ordinary whole-sequence model."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.cli.conftest import Emberc
from tests.e2e.test_recurrent import recurrent

LENGTH, WIDTH = 9, 4


def sequence_model(path: Path, *, ahead: int) -> Path:
    """Frames [1, L, 4] through a depthwise convolution over time that sees ``ahead`` steps to come, and a product."""
    rng = np.random.default_rng(0)
    arrays = {"taps": rng.standard_normal((WIDTH, 1, 3)), "w": rng.standard_normal((WIDTH, 2))}
    nodes = [
        helper.make_node("Transpose", ["x"], ["xt"], perm=[0, 2, 1]),
        helper.make_node("Conv", ["xt", "taps"], ["c"], name="/conv", group=WIDTH, pads=[2 - ahead, ahead]),
        helper.make_node("Transpose", ["c"], ["ct"], perm=[0, 2, 1]),
        helper.make_node("Relu", ["ct"], ["r"]),
        helper.make_node("MatMul", ["r", "w"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "frames",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, LENGTH, WIDTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, LENGTH, 2])],
        [numpy_helper.from_array(a.astype(np.float32), n) for n, a in arrays.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def test_a_causal_model_runs_a_step_a_call(emberc_cli: Emberc, tmp_path: Path) -> None:
    model, out = sequence_model(tmp_path / "frames.onnx", ahead=0), tmp_path / "build"
    done = emberc_cli("compile", model, "--streaming", "-o", out, "--json")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert report["memory"]["ram"]["state"] > 0
    assert report["accuracy"]["y"]["sqnr_db"] > 25  # that of the whole sequence: the bits are the same
    header = (out / "frames.h").read_text()
    assert "int frames_step(frames_ctx *ctx" in header
    assert "void frames_reset(frames_ctx *ctx);" in header
    assert "frames_run" not in header
    ran = emberc_cli("test", out, "--on", "host")
    assert ran.code == 0, ran.out + ran.err


def test_a_model_that_looks_ahead_is_refused_with_its_node(emberc_cli: Emberc, tmp_path: Path) -> None:
    model, out = sequence_model(tmp_path / "frames.onnx", ahead=1), tmp_path / "build"
    done = emberc_cli("compile", model, "--streaming", "-o", out)
    assert done.code != 0
    assert "streaming: its window looks ahead" in done.err
    assert "/conv" in done.err
    assert "compile without --streaming" in done.err
    assert not out.exists()


def test_states_are_named(emberc_cli: Emberc, tmp_path: Path) -> None:
    """What the log says was taken for a state, and what the caller then gives."""
    model, out = tmp_path / "cell.onnx", tmp_path / "build"
    onnx.save(recurrent("GRU"), model)
    done = emberc_cli("compile", model, "--streaming", "--state", "*0=*", "-o", out)
    assert done.code == 0, done.err
    assert "state h0 = h" in done.out
    header = (out / "cell.h").read_text()
    assert "cell_step(&ctx, &in, &out);" in header
    assert "const int8_t *x; " in header
    assert "*h0;" not in header
    assert "h0[12];" in header
    wrong = emberc_cli("compile", model, "--streaming", "--state", "h0=y", "-o", tmp_path / "other")
    assert wrong.code == 2
    assert "output 'y' is" in wrong.err
    alone = emberc_cli("compile", model, "--state", "h0=h", "-o", tmp_path / "other")
    assert "add --streaming" in alone.err
