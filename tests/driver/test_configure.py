"""Configurations: which is chosen under which limit, that none changes a bit, and what the report and errors say."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest

import emberc
from emberc.configure import Candidates, configure
from emberc.errors import FitError
from emberc.frontend import import_model
from emberc.ir.interpreter import run_function
from emberc.passes import PassManager, Quantize, default_pipeline
from emberc.quant.calibration import load_calibration
from emberc.report import Point, Report, frontier, render
from emberc.targets import load_target
from tests.zoo import zoo_model

LENGTH = 24
NAME = "bert_2mb"


@cache
def candidates() -> Candidates:
    """Every configuration of a small encoder on a core with fast kernels."""
    model = zoo_model(NAME, exporter="ts", length=LENGTH)
    module = import_model(model.path)
    module.calibration = load_calibration(dict(model.samples), module.main)
    PassManager(default_pipeline(Quantize()).before("tile-rows")).run(module)
    return configure(module, load_target("cortex-m7"))


def test_every_configuration_gives_the_same_bits() -> None:
    sample = zoo_model(NAME, exporter="ts", length=LENGTH).sample(0)
    answers = []
    for module in {id(c.module): c.module for c in candidates().tried}.values():
        feed = {v.name or "": sample[v.name or ""].reshape(v.shape) for v in module.main.inputs}
        answers.append({k: v.tolist() for k, v in run_function(module.main, feed).items()})
    assert len(answers) > 3 and all(a == answers[0] for a in answers)


def test_preferences_and_limits() -> None:
    every = candidates()
    speed, balanced, memory = (every.choose(p).point for p in ("speed", "balanced", "memory"))
    assert memory.arena < speed.arena and speed.instructions < memory.instructions
    assert memory.arena <= balanced.arena <= speed.arena
    assert every.choose("balanced", speed.arena).point.instructions <= speed.instructions * 1.01
    assert every.choose("speed", balanced.arena).point.arena <= balanced.arena
    assert every.choose("speed", 1).point == memory  # nothing fits: the smallest, for the error to speak of


def test_the_curve_falls_and_marks_the_choice() -> None:
    every = candidates()
    chosen = every.choose("balanced")
    curve = every.curve(chosen)
    assert [p.chosen for p in curve].count(True) == 1
    assert all(a.arena <= b.arena and a.instructions > b.instructions for a, b in pairwise(curve))


def test_a_frontier_leaves_out_what_is_beaten_but_keeps_the_choice() -> None:
    a, beaten, b = (Point(arena, n, 0, False, "speed") for arena, n in ((10, 9), (11, 9), (12, 5)))
    assert frontier([b, beaten, a]) == [a, b]
    taken = Point(11, 9, 0, False, "speed", chosen=True)
    assert frontier([b, taken, a]) == [a, taken, b]


def test_ram_chooses_and_the_error_tells_what_was_tried() -> None:
    model = zoo_model(NAME, exporter="ts", length=LENGTH)
    quick = emberc.compile(model.path, calibration=dict(model.samples), target="cortex-m7", prefer="speed").report
    smallest = min(p.arena for p in quick.memory.tradeoff)
    assert smallest < quick.memory.ram.arena
    limit = quick.memory.ram.total - 1
    tight = emberc.compile(model.path, calibration=dict(model.samples), target="cortex-m7", ram=limit).report
    assert tight.memory.ram.total <= limit
    assert max(map(len, render(tight).splitlines())) <= 98, "two more for the margin make 100"
    assert "trade-off" in render(tight) and Report.from_json(tight.to_json()).memory.tradeoff == tight.memory.tradeoff
    with pytest.raises(FitError) as caught:
        emberc.compile(model.path, calibration=dict(model.samples), target="cortex-m7", ram=smallest)
    text = caught.value.render()
    assert "live at the peak" in text and f"the smallest of {len(quick.memory.tradeoff)} configurations" in text
