"""stream: a whole-sequence module becomes one that takes a step at a time."""

from __future__ import annotations

from emberc.ir.graph import Function, Module
from emberc.passes import step_rules  # noqa: F401 (registers the rules)
from emberc.passes.steps import State, Steps


def stream(module: Module) -> tuple[Module, list[State]]:
    """The module of one step and the states between its calls; ``module``, which stays as it is, must be integer.

    Raises UnsupportedError, naming the node, for whatever needs steps to come.
    """
    steps = Steps(module.main)
    function: Function = steps.run()
    out = Module(module.name, {"main": function}, module.target, module.budget)
    return out, steps.states
