"""stream: a whole-sequence module becomes one that takes a step at a time."""

from __future__ import annotations

from emberc.errors import UsageError
from emberc.ir.graph import Module
from emberc.passes import step_rules, step_windows  # noqa: F401 (register the rules)
from emberc.passes.manager import Pipeline
from emberc.passes.steps import Steps, time_axis


def stream(whole: Module) -> Module:
    """The module of one step; its main function has the states between calls. ``whole`` must be integer, and stays.

    Raises UnsupportedError, naming the node, for whatever needs steps to come; UsageError for a module with more than
    one function.
    """
    if len(whole.functions) != 1:
        raise UsageError(
            "streaming: the pipeline has moved rows into functions of their own", hints=["leave tile-rows out of it"]
        )
    out = Module(whole.name, {"main": Steps(whole.main).run()}, whole.target, whole.budget, whole=whole)
    shared = [v.name for v in whole.main.inputs if time_axis(v, whole.main) is None]
    whole.notes += [f"input '{name}' has no steps: give it at every call, the same all along" for name in shared]
    out.notes, out.layers, out.forms = whole.notes, whole.layers, whole.forms
    out.calibration, out.vocabulary, out.unread_inputs = whole.calibration, whole.vocabulary, whole.unread_inputs
    return out


def streaming_pipeline(pipeline: Pipeline) -> Pipeline:
    """``pipeline`` without what only whole sequences need: a step has no rows to tile."""
    for name in ("tile-time", "tile-rows"):
        pipeline = pipeline.remove(name) if name in pipeline.names() else pipeline
    return pipeline
