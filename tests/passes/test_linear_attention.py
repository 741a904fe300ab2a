"""Opset 27: linear attention by all four rules and the stateful convolution, from the node to integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import emberc
from emberc import harness
from emberc.errors import UnsupportedError
from emberc.firmware import integer_inputs
from emberc.frontend import import_model
from emberc.ir.graph import Module
from emberc.ir.interpreter import run_function
from emberc.passes import PassManager, default_pipeline
from emberc.quant.calibration import synthetic_calibration

STEPS, HEADS, WIDTH = 5, 2, 4
RULES = ["linear", "gated", "delta", "gated_delta"]


def attention(rule: str, steps: int = STEPS, *, past: bool = False) -> onnx.ModelProto:
    """q, k, v [1, T, H * d], decays and rates squashed to what models give them; ``past``: from a state given."""
    shape = [1, steps, HEADS * WIDTH]
    inputs = {"q": shape, "k": shape, "v": shape, "d": [1, steps, HEADS], "r": [1, steps, HEADS]}
    state = [1, HEADS, WIDTH, WIDTH]
    inputs |= {"past": state} if past else {}
    gates = ["decay" if "gated" in rule else "", "beta" if "delta" in rule else ""]
    nodes = [
        helper.make_node("Softplus", ["d"], ["d_"]),
        helper.make_node("Neg", ["d_"], ["decay"]),
        helper.make_node("Sigmoid", ["r"], ["beta"]),
        helper.make_node("Constant", [], ["half"], value_float=0.5),
        helper.make_node("Tanh", ["k"], ["k_"]),
        helper.make_node("Mul", ["k_", "half"], ["key"]),  # of length 1 at most, as the delta rules want it
        helper.make_node(
            "LinearAttention", ["q", "key", "v", "past" if past else "", *gates],
            ["y", "last"], name="mix", update_rule=rule, q_num_heads=HEADS, kv_num_heads=HEADS,
        ),
    ]  # fmt: skip
    return _model(nodes, inputs, {"y": shape, "last": state})


def convolution(activation: str) -> onnx.ModelProto:
    rng = np.random.default_rng(3)
    node = helper.make_node(
        "CausalConvWithState", ["x", "w", "b", "past"], ["y", "next"], name="conv", activation=activation
    )
    proto = _model([node], {"x": [1, 3, STEPS], "past": [1, 3, 2]}, {"y": [1, 3, STEPS], "next": [1, 3, 2]})
    for name, array in (("w", rng.standard_normal((3, 1, 3))), ("b", rng.standard_normal(3))):
        proto.graph.initializer.append(onnx.numpy_helper.from_array(array.astype(np.float32), name))
    return proto


def _model(nodes: list[onnx.NodeProto], inputs: dict[str, list[int]], outputs: dict[str, list[int]]) -> onnx.ModelProto:
    kinds = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in values.items()]
        for values in (inputs, outputs)
    ]
    return helper.make_model(helper.make_graph(nodes, "g", *kinds), opset_imports=[helper.make_opsetid("", 27)])


def quantized(proto: onnx.ModelProto) -> tuple[Module, float]:
    """The integer module, and the SQNR in dB of its first output on samples that calibration did not see."""
    whole, module = import_model(proto), import_model(proto)
    module.calibration = synthetic_calibration(module.main, samples=24)
    PassManager(default_pipeline()).run(module)
    signal = noise = 0.0
    quant = module.main.outputs["y"].type.quant
    assert quant is not None
    for sample in synthetic_calibration(whole.main, samples=3, seed=7).samples:
        want = run_function(whole.main, sample)["y"].astype(np.float64)
        got = quant.dequantize(run_function(module.main, integer_inputs(module.main, sample))["y"]).astype(np.float64)
        signal, noise = signal + (want**2).sum(), noise + ((got - want) ** 2).sum()
    return module, float(10 * np.log10(signal / noise))


@pytest.mark.parametrize(("rule", "floor"), [("linear", 30), ("gated", 30), ("delta", 29), ("gated_delta", 30)])
def test_every_rule_runs_in_integers_and_its_cost_is_noted(rule: str, floor: float) -> None:
    """The states of delta rules have 16 bits: every step rounds them, and its error is fed back."""
    module, decibels = quantized(attention(rule))
    assert decibels >= floor
    (note,) = [n for n in module.notes if n.startswith("'mix'")]
    assert f"{STEPS} steps" in note and "multiply-accumulates" in note


@pytest.mark.parametrize("rule", RULES)
def test_longer_sequences_keep_their_accuracy(rule: str) -> None:
    assert quantized(attention(rule, 17))[1] >= 25


def test_linear_rules_are_recurrences() -> None:
    for rule, count in (("linear", 1), ("gated", 1), ("delta", 0), ("gated_delta", 0)):
        assert [op.opcode for op in import_model(attention(rule)).main.ops].count("f.recurrence") == count


def test_long_delta_rules_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="a delta rule over 65 steps") as e:
        import_model(attention("delta", 65))
    assert "mix" in (e.value.at or "")


@pytest.mark.parametrize("rule", ["linear", *(pytest.param(r, marks=pytest.mark.slow) for r in RULES[1:])])
def test_one_step_streams_with_its_state(rule: str, tmp_path: Path) -> None:
    firmware = emberc.compile(attention(rule, 1, past=True), streaming=True, states={"past": "last"}, name="mix")
    assert [(s.name, s.after) for s in firmware.module.main.states] == [("past", "last")]
    (run,) = harness.test_build(firmware.write(tmp_path / "build"), ["host"])
    assert run.error is None and run.mismatches == 0 and run.vectors == 24
    assert firmware.report.accuracy["y"].sqnr_db > 28


def test_a_whole_sequence_does_not_stream() -> None:
    """What other recurrences than selective scans become has scales of its own for every step."""
    with pytest.raises(UnsupportedError, match="it takes other steps than the last") as e:
        emberc.compile(attention("linear"), streaming=True)
    assert "or export one step, its state as inputs and outputs" in e.value.hints


@pytest.mark.parametrize("activation", ["none", "silu"])
def test_convolution_with_state(activation: str) -> None:
    module, decibels = quantized(convolution(activation))
    assert [op.opcode for op in module.main.ops].count("q.causal_conv") == 1
    assert decibels >= 30
