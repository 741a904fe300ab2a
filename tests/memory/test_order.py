"""The order search: exact on what brute force can check, instant on long chains, honest on wide graphs."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings

from emberc.memory.graph import Graph, Node
from emberc.memory.order import schedule
from tests.memory.brute import peak, smallest_peak
from tests.memory.graphs import branches, encoder, mixers, problems


@settings(max_examples=120, deadline=None)
@given(problems())
def test_the_order_is_the_best_of_all_orders(problem: dict[str, Any]) -> None:
    found = schedule(Graph(**problem))
    assert found.proved
    assert found.peak == smallest_peak(problem)


@settings(max_examples=60, deadline=None)
@given(problems(max_nodes=12))
def test_the_peak_is_that_of_the_order(problem: dict[str, Any]) -> None:
    graph = Graph(**problem)
    found = schedule(graph)
    assert sorted(found.order) == list(range(len(graph.nodes)))
    assert found.bound <= found.peak == peak([graph.nodes[v] for v in found.order], problem)
    assert found == schedule(Graph(**problem))


def test_a_better_order_than_the_given_one_is_found() -> None:
    # Two long arms that each shrink at their end: one after the other, not side by side.
    tensors = {"x": 16, "a": 800, "a2": 16, "b": 800, "b2": 16, "y": 16}
    nodes = [
        Node("a", ("x",), ("a",)),
        Node("b", ("x",), ("b",)),
        Node("a2", ("a",), ("a2",)),
        Node("b2", ("b",), ("b2",)),
        Node("y", ("a2", "b2"), ("y",)),
    ]
    graph = Graph(nodes, tensors, ["x"], ["y"])
    found = schedule(graph)
    assert max(graph.loads(graph.given)) == 1616
    assert (found.peak, found.proved) == (832, True)


@pytest.mark.parametrize("build", [lambda: encoder(24), lambda: mixers(40), lambda: encoder(1, inplace=False)])
def test_model_shaped_graphs_are_proved_at_once(build: Any) -> None:
    problem = build()
    began = time.perf_counter()
    assert schedule(Graph(**problem)).proved
    assert time.perf_counter() - began < 5


def test_a_wide_graph_gives_a_bound_and_a_gap() -> None:
    found = schedule(Graph(**branches(width=14, depth=6)))
    assert 0 < found.bound <= found.peak <= 1.25 * found.bound
