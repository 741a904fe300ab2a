"""What an ONNX file says about itself, without converting anything: for ``emberc inspect``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

import onnx

from emberc.frontend.load import load
from emberc.frontend.registry import plain_domain


@dataclass(frozen=True)
class Tensor:
    """A graph input or output as declared: sizes are numbers, symbols or "?"; ``shape`` None: rank unknown."""

    name: str
    dtype: str
    shape: list[int | str] | None


@dataclass(frozen=True)
class Summary:
    """``operators`` counts the main graph's nodes by type, most frequent first; other domains as "domain::Op".

    ``functions`` are the model-local ones. ``parameters`` are elements of all initializers, external ones included.
    """

    name: str
    producer: str
    opsets: dict[str, int]
    inputs: list[Tensor]
    outputs: list[Tensor]
    operators: dict[str, int]
    functions: list[str]
    parameters: int
    parameter_bytes: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def summarize(model: str | Path | onnx.ModelProto) -> Summary:
    """Reads a model's signature, operators and parameters. Raises ModelError for a file that is damaged."""
    loaded = load(model)
    proto = loaded.proto
    graph = proto.graph
    weights = {t.name: t for t in graph.initializer}
    return Summary(
        name=loaded.label,
        producer=f"{proto.producer_name} {proto.producer_version}".strip(),
        opsets=loaded.opsets,
        inputs=[_tensor(v) for v in graph.input if v.name not in weights],
        outputs=[_tensor(v) for v in graph.output],
        operators=dict(Counter(_operators(graph.node)).most_common()),
        functions=[f"{f.domain}::{f.name}" for f in proto.functions],
        parameters=sum(prod(t.dims) for t in weights.values()),
        parameter_bytes=sum(prod(t.dims) * _bits(t.data_type) // 8 for t in weights.values()),
    )


def _operators(nodes: Iterable[onnx.NodeProto]) -> list[str]:
    return [f"{d}::{n.op_type}" if (d := plain_domain(n.domain)) else n.op_type for n in nodes]


def _tensor(value: onnx.ValueInfoProto) -> Tensor:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return Tensor(value.name, _dtype(tensor.elem_type), None)
    dims: list[int | str] = [
        int(d.dim_value) if d.HasField("dim_value") else d.dim_param or "?" for d in tensor.shape.dim
    ]
    return Tensor(value.name, _dtype(tensor.elem_type), dims)


def _dtype(code: int) -> str:
    return str(onnx.TensorProto.DataType.Name(code)).lower()


def _bits(code: int) -> int:
    """Bits of one element in the file; 0 for strings and types that this onnx does not know."""
    name = _dtype(code)
    if name in ("bool", "string", "undefined"):
        return 8 if name == "bool" else 0
    return int(onnx.helper.tensor_dtype_to_np_dtype(code).itemsize * 8)
