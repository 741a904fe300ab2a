"""Whole plans: checked by the independent checker on random graphs, figures on known ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from emberc.errors import VerifyError
from emberc.memory import Node, certificate_text, check_plan, plan_memory
from tests.memory.graphs import encoder, mixers, problems


@settings(max_examples=120, deadline=None)
@given(problems(max_nodes=9))
def test_random_plans_pass_the_checker(problem: dict[str, Any]) -> None:
    plan = plan_memory(**problem)
    check_plan(json.loads(certificate_text(plan.to_json())))
    assert plan.any_order_bound <= plan.order_bound <= plan.arena
    assert certificate_text(plan.to_json()) == certificate_text(plan_memory(**problem).to_json())


@settings(max_examples=80, deadline=None)
@given(problems(max_nodes=9))
def test_nothing_is_written_over_a_tensor_still_needed(problem: dict[str, Any]) -> None:
    plan = plan_memory(**problem)
    nodes = {node.name: node for node in problem["nodes"]}
    for out, source in plan.inplace.items():
        step = plan.tensors[out].start
        assert source not in problem["outputs"]
        assert plan.tensors[source].end == step + 1
        for later in plan.order[step + 1 :]:
            assert source not in nodes[later].reads


@pytest.mark.parametrize(
    ("problem", "arena"),
    [
        # up: mask 128, norm 32768, hidden 65536; down adds 32768 while the others live.
        (encoder(2), 131_200),
        (encoder(24), 131_200),
        # At the scan, gate not yet begun: x, norm, conv, dt, B, C and 2048 of scratch; it writes over conv.
        (mixers(40), 28_672),
    ],
)
def test_model_shaped_graphs_are_proved(problem: dict[str, Any], arena: int) -> None:
    plan = plan_memory(**problem)
    check_plan(plan.to_json())
    assert plan.proved
    assert plan.arena == arena
    assert "order and placement proved" in plan.summary()


def test_in_place_saves_memory() -> None:
    assert plan_memory(**mixers(4)).arena < plan_memory(**mixers(4, inplace=False)).arena


def test_a_view_costs_nothing_and_keeps_its_base_alive() -> None:
    nodes = [
        Node("make", ("x",), ("a",)),
        Node("row", ("a",), ("r",), views={"r": ("a", 64)}),
        Node("other", ("x",), ("b",)),
        Node("use", ("r", "b"), ("y",)),
    ]
    plan = plan_memory(nodes, {"x": 16, "a": 128, "r": 16, "b": 32, "y": 16}, ["x"], ["y"])
    check_plan(plan.to_json())
    assert plan.tensors["r"].offset == plan.tensors["a"].offset + 64
    assert plan.tensors["a"].end == plan.order.index("use") + 1
    assert plan.arena == plan.any_order_bound == 176


def test_external_tensors_take_no_place() -> None:
    nodes = [Node("f", ("x",), ("h",)), Node("g", ("h",), ("y",), inplace={"y": ("h",)})]
    plan = plan_memory(nodes, {"x": 1000, "h": 32, "y": 32}, ["x"], ["y"], external=["x", "y"])
    assert set(plan.tensors) == {"h"}
    assert (plan.arena, plan.inplace) == (32, {})


def test_state_that_is_input_and_output_lives_throughout() -> None:
    nodes = [Node("f", ("x", "s"), ("y",), inplace={"y": ("s", "x")})]
    plan = plan_memory(nodes, {"x": 16, "s": 16, "y": 16}, ["x", "s"], ["s", "y"])
    assert plan.inplace == {"y": "x"}
    assert (plan.tensors["s"].start, plan.tensors["s"].end) == (0, 1)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([Node("f", ("x",), ("lost",))], "'lost' has no size"),
        ([Node("f", ("x",), ("a",)), Node("g", ("x",), ("a",))], "'a' is written twice"),
        ([Node("f", ("b",), ("a",)), Node("g", ("a",), ("b",))], "cycle through f, g"),
        ([Node("f", ("c",), ("a",))], "'c' is read but nothing writes it"),
        ([Node("f", ("x",), ("a",), views={"a": ("x", 8)})], "leaves 'x' of 16 bytes"),
        ([Node("f", ("x",), ("a",), inplace={"a": ("b",)})], "'a' can't lie over 'b'"),
        ([Node("f", ("x",), ("a",)), Node("f", ("x",), ("b",))], "two nodes have this name"),
    ],
)
def test_a_malformed_graph_is_refused(nodes: list[Node], message: str) -> None:
    with pytest.raises(VerifyError, match=message):
        plan_memory(nodes, {"x": 16, "a": 16, "b": 16, "c": 16}, ["x"], [])


def test_the_plan_does_not_depend_on_the_hash_seed() -> None:
    script = (
        "from tests.memory.graphs import *; from emberc.memory import plan_memory as p; import json;"
        "print(json.dumps(p(**PROBLEM).to_json()))"
    )
    for problem in ("mixers(3)", "branches(7, 4)"):
        texts = [
            subprocess.run(
                [sys.executable, "-c", script.replace("PROBLEM", problem)],
                cwd=Path(__file__).parents[2],
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for seed in ("1", "2")
        ]
        assert texts[0] == texts[1]


def test_an_empty_graph_has_an_empty_plan() -> None:
    plan = plan_memory([], {}, [], [])
    check_plan(plan.to_json())
    assert plan.arena == 0
