"""ONNX's own single-node cases, run through the float reference and through the integer pipeline."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from emberc.errors import EmberError, InternalError
from emberc.firmware import dequantized, integer_inputs
from emberc.frontend import import_model
from emberc.ir.graph import Module
from emberc.ir.interpreter import run_function
from emberc.ir.types import Array
from emberc.ir.verifier import verify
from emberc.passes import PassManager, default_pipeline
from emberc.quant.calibration import CalibrationData

#: integers may differ from the float answer by this part of the answer's range: steps of int8 are 0.4 % of theirs, and
#: products and recurrences of two such inputs add them up
BOUND = 0.03
_TYPES = {
    TensorProto.FLOAT,
    TensorProto.INT32,
    TensorProto.INT64,
    TensorProto.INT8,
    TensorProto.UINT8,
    TensorProto.BOOL,
}


@dataclass(frozen=True)
class Case:
    """One case: a model with its inputs and what must come out."""

    name: str
    model: onnx.ModelProto
    data: tuple[tuple[tuple[Any, ...], tuple[Any, ...]], ...]
    rtol: float
    atol: float

    @property
    def op(self) -> str:
        """The operator under test, "" for a case of several nodes (mostly an operator's function body)."""
        nodes = self.model.graph.node
        return str(nodes[0].op_type) if len(nodes) == 1 else ""

    @property
    def opset(self) -> int:
        """The version of the first operator set that the model names."""
        return int(self.model.opset_import[0].version)

    def feed(self, inputs: tuple[Any, ...]) -> dict[str, Array]:
        """The arrays by input name."""
        names = [i.name for i in self.model.graph.input]
        return {name: np.asarray(value) for name, value in zip(names, inputs, strict=False)}


@cache
def collect_cases() -> list[Case]:
    """Every case with static shapes and float, integer or bool tensors."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = collect_testcases(None)
    return [
        Case(c.name, c.model, tuple((tuple(i), tuple(o)) for i, o in c.data_sets), c.rtol, c.atol)
        for c in found
        if c.model is not None and c.data_sets is not None and _applicable(c.model)
    ]


def float_outcome(case: Case) -> str:
    """ "pass", "refused: ..." for a listed refusal, or "wrong: ..."; anything else is raised."""
    try:
        for inputs, outputs in case.data:
            _check(case, case.feed(inputs), outputs)
    except InternalError:
        raise
    except EmberError as e:
        return f"refused: {e.message}"
    except AssertionError as e:
        return f"wrong: {' '.join(str(e).split())[:200]}"
    return "pass"


def integer_outcome(case: Case) -> str:
    """Of a case that passes in float: "pass" where the integers are within ``BOUND``, "folded" where nothing is left
    to compute, "not finite" where the answer can't be quantized, "refused: ...", or "coarse: ...".

    Cases hand weights over as inputs too: where that is refused, all inputs but the first are made constant.
    """
    feed = case.feed(case.data[0][0])
    outcome = _lowered(imported(case.model, feed), feed)
    if outcome.startswith("refused") and len(feed) > 1:
        first = next(iter(feed))
        try:
            fixed = import_model(case.model, fix={n: v for n, v in feed.items() if n != first})
        except EmberError:
            return outcome
        second = _lowered(fixed, feed)
        return second if second in ("pass", "folded") else outcome
    return outcome


def _lowered(module: Module, feed: dict[str, Array]) -> str:
    sample = {v.name or "": feed[v.name or ""] for v in module.main.inputs}
    want = run_function(module.main, sample)
    if not all(np.isfinite(a).all() for a in [*sample.values(), *want.values()] if a.dtype.kind == "f"):
        return "not finite"
    if not module.main.ops:
        return "folded"
    module.calibration = CalibrationData((sample,), (sample,), complete=True)
    try:
        PassManager(default_pipeline()).run(module)
        got = dequantized(module.main, run_function(module.main, integer_inputs(module.main, sample)))
    except EmberError as e:
        return f"refused: {e.message}"
    return _distance(want, got)


def imported(model: onnx.ModelProto, feed: dict[str, Array]) -> Module:
    """The cases hand sizes and axes over as inputs; where an import needs to know them, they are fixed."""
    try:
        return import_model(model)
    except InternalError:
        raise
    except EmberError:
        small = {n: v for i, (n, v) in enumerate(feed.items()) if v.dtype.kind in "iub" or v.ndim <= (1 if i else 0)}
        return import_model(model, fix=small)


def _distance(want: dict[str, Array], got: dict[str, Array]) -> str:
    for name, w in want.items():
        g = got[name]
        if w.dtype.kind != "f":
            if not np.array_equal(g.astype(w.dtype), w):
                return "coarse: an integer output differs"
            continue
        span = float(np.abs(w).max(initial=0.0))
        apart = float(np.abs(g.astype(np.float64) - w).max(initial=0.0))
        if apart > BOUND * max(span, 1e-6):
            return f"coarse: {100 * apart / max(span, 1e-6):.0f} % of the range apart"
    return "pass"


def _check(case: Case, feed: dict[str, Array], outputs: tuple[Any, ...]) -> None:
    module = imported(case.model, feed)
    verify(module)
    got = run_function(module.main, {v.name or "": feed[v.name or ""] for v in module.main.inputs})
    for g, want in zip(got.values(), outputs, strict=False):
        w = np.asarray(want)
        assert (g.shape, g.dtype) == (w.shape, w.dtype), f"{g.dtype}{g.shape}, not {w.dtype}{w.shape}"
        np.testing.assert_allclose(
            g.astype(np.float64), w.astype(np.float64), rtol=max(case.rtol, 1e-3), atol=max(case.atol, 1e-6)
        )


def _applicable(model: onnx.ModelProto) -> bool:
    for value in [*model.graph.input, *model.graph.output]:
        tensor = value.type.tensor_type
        if not value.type.HasField("tensor_type") or tensor.elem_type not in _TYPES:
            return False
        if any(not d.HasField("dim_value") for d in tensor.shape.dim):
            return False
    return True
