"""import_model: the frontend in one function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx

import emberc.frontend.importers  # noqa: F401 (registers them)
from emberc.errors import InternalError, ModelError, UnsupportedError, VerifyError
from emberc.frontend.convert import Converter, Scope
from emberc.frontend.limits import check_ports, check_shape
from emberc.frontend.load import LoadedModel, check, load
from emberc.frontend.order import check_order, live_nodes
from emberc.frontend.registry import REGISTRY, ImportFunction
from emberc.frontend.signature import Dim, InputSpec, fixed_array, static_shapes
from emberc.frontend.tensor_list import TensorList
from emberc.frontend.tensors import element_type
from emberc.ir.builder import Builder
from emberc.ir.graph import Function, Module
from emberc.ir.types import TensorType
from emberc.ir.values import Constant, Value
from emberc.ir.verifier import verify


def import_model(
    model: str | Path | onnx.ModelProto,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    fix: Mapping[str, Any] | None = None,
    name: str | None = None,
    custom: Mapping[str, ImportFunction] | None = None,
) -> Module:
    """Turns an ONNX model into a float module with one function, "main".

    ``shapes`` gives inputs their static shape; a symbol that one input settles is settled for all. ``fix`` makes
    inputs constant (a number is broadcast). ``custom`` maps ``Op`` or ``domain::Op`` to importers that go before
    the registered ones. Inputs that no output needs are dropped, with a note in ``module.notes``.

    Raises ModelError for a damaged model or one that is not static, UnsupportedError with everything that can't be
    compiled, UsageError for wrong names or shapes.
    """
    loaded = load(model, name)
    graph = loaded.proto.graph
    initializers = {t.name: t for t in graph.initializer}
    if graph.sparse_initializer:
        raise UnsupportedError("sparse initializers are not supported", at=loaded.label)
    declared = [i for i in graph.input if i.name not in initializers]  # before IR 4 weights are inputs too
    known = {i.name for i in declared} | initializers.keys()
    check_order(graph.node, known, loaded.label)
    check(loaded)
    outputs = [o.name for o in graph.output]
    _, read = live_nodes(graph.node, outputs)
    module = Module(loaded.name)
    specs = [_spec(i, loaded) for i in declared]
    needed = [s for s in specs if s.name in read]
    fixed = dict(fix or {})
    sizes = static_shapes(specs, dict(shapes or {}), fixed, loaded.label, needed={s.name for s in needed})

    scope = Scope(tensors=initializers)
    inputs: list[Value] = []
    for spec in needed:
        check_shape(sizes[spec.name], f"{loaded.label}: graph input {spec.show()}")
        if spec.name in fixed:
            scope.values[spec.name] = Constant(fixed_array(spec, fixed[spec.name], sizes[spec.name]), spec.name)
        else:
            inputs.append(Value(TensorType(spec.dtype, sizes[spec.name]), spec.name))
            scope.values[spec.name] = inputs[-1]
    builder = Builder()
    registry = REGISTRY.extended(custom) if custom else REGISTRY
    converter = Converter(loaded, registry, builder)
    try:
        converter.run(graph.node, outputs, scope, loaded.opsets)
    except InternalError:
        check(loaded, shapes=True)  # where the model itself breaks ONNX's rules, that is the better answer
        raise
    converter.refusals.raise_if_any(loaded.label)

    for o in outputs:
        if isinstance(converter.lookup(scope, o), TensorList):
            raise UnsupportedError(f"output '{o}' is a sequence, not a tensor", at=loaded.label)
    function = Function("main", inputs, builder.ops, {o: converter.lookup(scope, o) for o in outputs})
    function.prune()
    function.inputs = [v for v in inputs if v.users or function.is_output(v)]
    check_ports(function, loaded.label)
    kept = {v.name for v in function.inputs}
    module.unread_inputs = frozenset(s.name for s in specs) - kept
    for spec in specs:
        if spec.name not in kept and spec.name not in fixed:
            module.notes.append(f"input '{spec.name}' is not read by any output: dropped from the signature")
    module.functions["main"] = function
    try:
        verify(module)
    except VerifyError as e:  # nodes that fit each other in shape, and not in type
        check(loaded, shapes=True)
        raise ModelError(f"the model contradicts itself: {e.message}", at=f"{loaded.label}: {e.at}") from e
    return module


def _spec(value: onnx.ValueInfoProto, loaded: LoadedModel) -> InputSpec:
    at = f"{loaded.label}: graph input '{value.name}'"
    if not value.type.HasField("tensor_type"):
        kind = value.type.WhichOneof("value") or "untyped"
        raise UnsupportedError(f"input '{value.name}' is a {kind.removesuffix('_type')}, not a tensor", at=at)
    tensor = value.type.tensor_type
    dtype = element_type(tensor.elem_type, at)
    if not tensor.HasField("shape"):
        return InputSpec(value.name, dtype, None)
    return InputSpec(value.name, dtype, tuple(_dim(d) for d in tensor.shape.dim))


def _dim(dim: onnx.TensorShapeProto.Dimension) -> Dim:
    if dim.HasField("dim_value") and dim.dim_value >= 0:
        return int(dim.dim_value)
    return dim.dim_param or None
