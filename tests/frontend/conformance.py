"""ONNX's own single-node cases, run through the frontend and the float reference."""

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from emberc.errors import EmberError, InternalError
from emberc.frontend import import_model
from emberc.ir.graph import Module
from emberc.ir.interpreter import run_function
from emberc.ir.verifier import verify

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


@cache
def cases() -> list[Case]:
    """Every case with static shapes and float, integer or bool tensors."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = collect_testcases(None)
    return [
        Case(c.name, c.model, tuple((tuple(i), tuple(o)) for i, o in c.data_sets), c.rtol, c.atol)
        for c in found
        if _applicable(c.model)
    ]


def outcome(case: Case) -> str:
    """ "pass", "refused: ..." for a listed refusal, or "wrong: ..."; anything else is raised."""
    try:
        for inputs, outputs in case.data:
            _check(case, inputs, outputs)
    except InternalError:
        raise
    except EmberError as e:
        return f"refused: {e.message}"
    except AssertionError as e:
        return f"wrong: {' '.join(str(e).split())[:200]}"
    return "pass"


def _check(case: Case, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
    names = [i.name for i in case.model.graph.input]
    feed = {name: np.asarray(value) for name, value in zip(names, inputs, strict=False)}
    module = _imported(case.model, feed)
    verify(module)
    got = run_function(module.main, {v.name or "": feed[v.name or ""] for v in module.main.inputs})
    for g, want in zip(got.values(), outputs, strict=False):
        w = np.asarray(want)
        assert (g.shape, g.dtype) == (w.shape, w.dtype), f"{g.dtype}{g.shape}, not {w.dtype}{w.shape}"
        np.testing.assert_allclose(
            g.astype(np.float64), w.astype(np.float64), rtol=max(case.rtol, 1e-3), atol=max(case.atol, 1e-6)
        )


def _imported(model: onnx.ModelProto, feed: dict[str, Any]) -> Module:
    """The cases hand sizes and axes over as inputs; where an import needs to know them, they are fixed."""
    try:
        return import_model(model)
    except InternalError:
        raise
    except EmberError:
        small = {n: v for i, (n, v) in enumerate(feed.items()) if v.dtype.kind in "iub" or v.ndim <= (1 if i else 0)}
        return import_model(model, fix=small)


def _applicable(model: onnx.ModelProto) -> bool:
    for value in [*model.graph.input, *model.graph.output]:
        tensor = value.type.tensor_type
        if not value.type.HasField("tensor_type") or tensor.elem_type not in _TYPES:
            return False
        if any(not d.HasField("dim_value") for d in tensor.shape.dim):
            return False
    return True
