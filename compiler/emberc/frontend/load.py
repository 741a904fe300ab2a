"""Reads an ONNX file and refuses what is damaged, too new, or not ONNX at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from emberc.errors import ModelError, UsageError
from emberc.frontend.external import external_path
from emberc.frontend.registry import plain_domain

OLDEST_OPSET = 7
NEWEST_OPSET = 28
NEWEST_IR = 14
_SKELETON_LIMIT = 1024  # bytes of an initializer that the checker gets to see
_MAGIC = {
    b"PK\x03\x04": "a zip archive (a PyTorch checkpoint?)",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself",
    b"GGUF": "a GGUF file",
    b"\x89HDF": "an HDF5 file (Keras?)",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
}


@dataclass(frozen=True)
class LoadedModel:
    """A checked model: ``folder`` is where its external data stands, ``label`` names it in errors."""

    proto: onnx.ModelProto
    label: str
    name: str
    folder: Path | None

    @property
    def opsets(self) -> dict[str, int]:
        """Domain -> version."""
        return {plain_domain(o.domain): int(o.version) for o in self.proto.opset_import}


def load(model: str | Path | onnx.ModelProto, name: str | None = None) -> LoadedModel:
    """Reads and checks a model; tensors with external data are checked but not read yet.

    Raises ModelError for a file that is not ONNX, truncated, inconsistent or too new, UsageError where it is missing.
    """
    if isinstance(model, onnx.ModelProto):
        loaded = LoadedModel(model, name or model.graph.name or "model", name or model.graph.name or "model", None)
    else:
        path = Path(model)
        loaded = LoadedModel(_parse(path), path.name, name or path.stem, path.absolute().parent)
    _check_versions(loaded)
    _check_text(loaded)
    for tensor in _tensors(loaded.proto.graph):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            entries = {e.key: e.value for e in tensor.external_data}
            external_path(tensor.name, entries.get("location", ""), loaded.folder)
    return loaded


def check(loaded: LoadedModel, *, shapes: bool = False) -> None:
    """Runs ONNX's own checker over the model without its weights, with ``shapes`` its shape inference too.

    Raises ModelError with what it found. Operators that this build of onnx does not know are left to the importers,
    which list them all.
    """
    try:
        onnx.checker.check_model(_skeleton(loaded.proto), full_check=shapes)
    except UnicodeDecodeError as e:  # of its own message, which quotes the model
        raise _damaged_text(loaded.label) from e
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as e:
        text = str(e).strip()
        if "No Op registered" not in text and "No opset import" not in text:
            lines = [line for line in text.splitlines() if line.strip()]
            raise ModelError(f"not a valid ONNX model: {lines[0]}", at=loaded.label, details=lines[1:4]) from e


def _parse(path: Path) -> onnx.ModelProto:
    if not path.exists():
        raise UsageError(f"no such file: {path}")
    if not path.is_file():
        raise UsageError(f"{path} is a folder, not an ONNX file")
    try:
        data = path.read_bytes()
    except OSError as e:
        raise UsageError(f"can't read {path}: {e.strerror}") from e
    if not data:
        raise ModelError("the file is empty", code="E-NOT-ONNX", at=str(path))
    kind = next((what for magic, what in _MAGIC.items() if data.startswith(magic)), None)
    if kind:
        raise ModelError(f"not an ONNX file: this is {kind}", code="E-NOT-ONNX", at=str(path))
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
    except DecodeError as e:
        # Every exporter writes ir_version, field 1, first.
        if data[:1] == b"\x08":
            raise ModelError(
                f"the file is truncated or damaged: {len(data)} bytes do not hold a whole model",
                code="E-TRUNCATED",
                at=str(path),
                hints=["copy or export it again"],
            ) from e
        raise ModelError("not an ONNX file", code="E-NOT-ONNX", at=str(path)) from e
    if not proto.ir_version or not proto.HasField("graph"):
        raise ModelError("not an ONNX file: it holds no graph", code="E-NOT-ONNX", at=str(path))
    return proto


def _check_versions(loaded: LoadedModel) -> None:
    proto = loaded.proto
    if not proto.graph.output:
        raise ModelError("the model has no outputs", at=loaded.label)
    if proto.ir_version > NEWEST_IR:
        raise ModelError(
            f"ONNX IR version {proto.ir_version} is too new, the newest supported is {NEWEST_IR}",
            code="E-OPSET",
            at=loaded.label,
            hints=["export for an older version of ONNX"],
        )
    if "" not in loaded.opsets:
        raise ModelError("the model names no version of the default operator set", code="E-OPSET", at=loaded.label)
    opset = loaded.opsets[""]
    if opset > NEWEST_OPSET:
        raise ModelError(
            f"opset {opset} is too new, the newest supported is {NEWEST_OPSET}",
            code="E-OPSET",
            at=loaded.label,
            hints=["export again with opset_version=20, or use onnx.version_converter"],
        )
    if opset < OLDEST_OPSET:
        raise ModelError(
            f"opset {opset} is too old, the oldest supported is {OLDEST_OPSET}",
            code="E-OPSET",
            at=loaded.label,
            hints=["onnx.version_converter.convert_version(model, 18) brings it up to date"],
        )


def _check_text(loaded: LoadedModel) -> None:
    """Names that are not UTF-8 come out of protobuf as bytes, and would surprise everything after."""
    graph = loaded.proto.graph
    texts: list[object] = [v.name for v in [*graph.input, *graph.output, *graph.initializer]]
    for node in [*graph.node, *(n for f in loaded.proto.functions for n in f.node)]:
        texts += [node.op_type, node.name, node.domain, *node.input, *node.output]
        texts += [a.name for a in node.attribute]
    if any(isinstance(t, bytes) for t in texts):
        raise _damaged_text(loaded.label)


def _damaged_text(label: str) -> ModelError:
    return ModelError("the file is damaged: it holds names that are not UTF-8", at=label, hints=["copy it again"])


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            for sub in [attribute.g, *attribute.graphs] if attribute.HasField("g") or attribute.graphs else []:
                yield from _tensors(sub)


def _skeleton(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its large weights turned into inputs: what the checker needs, whatever the size."""
    out = onnx.ModelProto(ir_version=proto.ir_version)
    out.opset_import.extend(proto.opset_import)
    out.functions.extend(proto.functions)
    graph = out.graph
    graph.name = proto.graph.name or "graph"
    graph.node.extend(proto.graph.node)
    graph.input.extend(proto.graph.input)
    graph.output.extend(proto.graph.output)
    for value in [*graph.input, *graph.output]:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.shape.SetInParent()  # an unknown shape is legal, but not for the checker
    inputs = {i.name for i in proto.graph.input}
    for tensor in proto.graph.initializer:
        if tensor.data_location != onnx.TensorProto.EXTERNAL and tensor.ByteSize() < _SKELETON_LIMIT:
            graph.initializer.append(tensor)
        elif tensor.name not in inputs:
            graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    return out


def model_hash(model: str | Path | onnx.ModelProto) -> str:
    """SHA-256 of the model file (without external data), or of the proto's deterministic bytes."""
    if isinstance(model, onnx.ModelProto):
        return hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()
    return hashlib.sha256(Path(model).read_bytes()).hexdigest()
