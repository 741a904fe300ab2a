"""Walks ONNX nodes in order and lets their importers emit float IR.

Model-local functions, and operators that ONNX itself defines by a function body, are entered in place; so are the
taken branch of an If whose condition is constant, and the body of a Loop or Scan, once a step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import AttributeProto

from emberc.errors import EmberError, InternalError, ModelError, UnsupportedError, UsageError, VerifyError
from emberc.frontend.bodies import Body, has_schema_body, schema_body
from emberc.frontend.context import Attributes, NodeContext
from emberc.frontend.limits import Allowance
from emberc.frontend.load import LoadedModel
from emberc.frontend.loops import REPEATED, Repeated
from emberc.frontend.order import check_order, live_nodes, node_label
from emberc.frontend.refusals import Refusals
from emberc.frontend.registry import Registry, plain_domain
from emberc.frontend.tensors import to_array
from emberc.ir.builder import Builder
from emberc.ir.values import Constant, Value

_DEPTH_LIMIT = 64
#: the way out where a node contradicts itself: torch's older exporter writes such files, of Mamba-2 for one
_EXPORT_AGAIN = "the file itself is at fault: export it again, from torch with torch.onnx.export(..., dynamo=True)"
_WEIGHTED = ("MatMul", "Gemm", "Conv", "LayerNormalization", "RMSNormalization", "BatchNormalization")


@dataclass
class Scope:
    """The names of one graph: values so far, initializers not read yet, and what hangs on a refused node."""

    values: dict[str, Value] = field(default_factory=dict)
    tensors: dict[str, onnx.TensorProto] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    parent: Scope | None = None

    def names(self) -> set[str]:
        """Every name that can be read here."""
        above = self.parent.names() if self.parent else set()
        return above | self.values.keys() | self.tensors.keys() | self.blocked


class Converter:
    """Turns nodes into ops of one builder."""

    def __init__(self, model: LoadedModel, registry: Registry, builder: Builder) -> None:
        self.model = model
        self.registry = registry
        self.builder = builder
        self.allowance = Allowance(model.label)
        builder.check = self.allowance.op
        self.refusals = Refusals()
        self.functions = {(plain_domain(f.domain), f.name, f.overload): f for f in model.proto.functions}

    def run(
        self,
        nodes: Sequence[onnx.NodeProto],
        outputs: Sequence[str],
        scope: Scope,
        opsets: dict[str, int],
        *,
        prefix: str = "",
        bindings: Attributes | None = None,
        depth: int = 0,
    ) -> None:
        """Converts the nodes that ``outputs`` need; ``bindings`` are the attributes of the surrounding function.

        The nodes must be in order (``check_order``).
        """
        if depth > _DEPTH_LIMIT:
            raise ModelError("functions call each other without end", at=f"{self.model.label}: {prefix}")
        live, read = live_nodes(nodes, outputs)
        for i in live:
            node = nodes[i]
            place = prefix + node_label(node, i)
            self.allowance.node(place)
            if any(self._blocked(scope, name) for name in node.input):
                self._block(node, scope, opsets, place)
                continue
            try:
                results = self._node(node, scope, opsets, place, bindings or {}, read, depth)
            except UnsupportedError as e:
                self.refusals.refused.append(e)
                scope.blocked.update(o for o in node.output if o)
                continue
            if results is None:
                scope.blocked.update(o for o in node.output if o)
                continue
            self.allowance.made(results, place)
            for name, value in zip(node.output, results, strict=False):
                if name and value is not None:
                    scope.values[name] = value
                    if value.name is None:
                        value.name = name

    def lookup(self, scope: Scope, name: str) -> Value:
        """The value of a name; an initializer is read at its first use."""
        found: Scope | None = scope
        while found is not None:
            if name in found.values:
                return found.values[name]
            if name in found.tensors:
                tensor = found.tensors[name]
                array = to_array(tensor, self.model.folder, f"{self.model.label}: initializer '{name}'")
                found.values[name] = Constant(array, name)
                return found.values[name]
            found = found.parent
        raise ModelError(f"'{name}' is read, but nothing defines it", at=self.model.label)

    # --- one node

    def _node(
        self,
        node: onnx.NodeProto,
        scope: Scope,
        opsets: dict[str, int],
        place: str,
        bindings: Attributes,
        read: set[str],
        depth: int,
    ) -> Sequence[Value | None] | None:
        """The outputs of a node; None where it was refused."""
        attributes = _resolve(node, bindings)
        inputs = [self.lookup(scope, name) if name else None for name in node.input]
        domain = plain_domain(node.domain)
        opset = opsets.get(domain, 1)
        if node.op_type == "If" and not domain:
            return self._if(inputs, attributes, scope, opsets, place, bindings, depth)
        if node.op_type in REPEATED and not domain and opset >= REPEATED[node.op_type][0]:
            return self._repeat(node.op_type, inputs, attributes, scope, opsets, place, bindings, depth)
        found = self.registry.find(node.op_type, domain, opset)
        if found is None:
            body = self._body(node, domain, opset, inputs, attributes)
            if body is None:
                self.refusals.add_missing(domain, node.op_type, place)
                return None
            return self._inline(body, inputs, place, depth)
        if node.op_type in _WEIGHTED:
            self._check_finite(inputs, place)
        self.builder.loc = place
        context = NodeContext(
            self.builder,
            node,
            inputs,
            attributes,
            opset=opset,
            place=f"{self.model.label}: node '{place}'",
            folder=self.model.folder,
            read=[o in read for o in node.output],
        )
        try:
            results = found(context)
        except (VerifyError, UsageError) as e:
            raise ModelError(f"{node.op_type}: {e.message}", at=context.place, hints=[*e.hints, _EXPORT_AGAIN]) from e
        except EmberError:
            raise
        except MemoryError as e:
            raise ModelError(
                f"{node.op_type}: its sizes ask for more memory than there is", code="E-LIMIT", at=context.place
            ) from e
        except Exception as e:  # a malformed node that ONNX's checker let pass, or a bug
            raise InternalError(
                f"the importer of {node.op_type} failed: {type(e).__name__}: {e}",
                at=context.place,
                hints=["check the node's inputs and attributes; if they are right, report this with the model"],
            ) from e
        unread = context.unread()
        if unread:
            raise context.refuse(unread[0], "leave it out, or at its default")
        return [results] if isinstance(results, Value) else list(results)

    def _check_finite(self, inputs: Sequence[Value | None], place: str) -> None:
        for v in inputs:
            if isinstance(v, Constant) and v.type.dtype.is_float and np.isinf(v.data).any():
                raise ModelError(
                    f"weight '{v.name or '?'}' {list(v.shape)} holds infinity",
                    code="E-NAN",
                    at=f"{self.model.label}: node '{place}'",
                    hints=["the training diverged or the file is damaged: export the model again"],
                )

    def _blocked(self, scope: Scope | None, name: str) -> bool:
        while scope is not None:
            if name in scope.values or name in scope.tensors:
                return False
            if name in scope.blocked:
                return True
            scope = scope.parent
        return False

    def _block(self, node: onnx.NodeProto, scope: Scope, opsets: dict[str, int], place: str) -> None:
        """A node behind a refused one is not converted, but an unknown operator is still listed."""
        scope.blocked.update(o for o in node.output if o)
        domain = plain_domain(node.domain)
        opset = opsets.get(domain, 1)
        nested = not domain and node.op_type in ("If", *REPEATED)
        known = nested or (domain, node.op_type, node.overload) in self.functions
        known = known or self.registry.find(node.op_type, domain, opset) is not None
        if not known and not has_schema_body(node.op_type, domain, opset):
            self.refusals.add_missing(domain, node.op_type, place)

    # --- nested graphs

    def _if(
        self,
        inputs: Sequence[Value | None],
        attributes: Attributes,
        scope: Scope,
        opsets: dict[str, int],
        place: str,
        bindings: Attributes,
        depth: int,
    ) -> Sequence[Value | None] | None:
        condition = inputs[0] if inputs else None
        if not isinstance(condition, Constant):
            raise UnsupportedError(
                "If: its condition depends on the model's input data",
                at=f"{self.model.label}: node '{place}'",
                hints=["fix the input that decides it (--fix NAME=VALUE)", "export the one branch that is needed"],
            )
        graph = attributes["then_branch" if condition.data.reshape(-1)[0] else "else_branch"].g
        return self._graph(graph, {}, scope, opsets, f"{place}/", bindings, depth)

    def _repeat(
        self,
        op_type: str,
        inputs: Sequence[Value | None],
        attributes: Attributes,
        scope: Scope,
        opsets: dict[str, int],
        place: str,
        bindings: Attributes,
        depth: int,
    ) -> Sequence[Value | None] | None:
        """Loop and Scan, step by step."""

        def run(body: onnx.GraphProto, values: Mapping[str, Value], t: int) -> Sequence[Value | None] | None:
            return self._graph(body, values, scope, opsets, f"{place}[{t}]/", bindings, depth, check=t == 0)

        at = f"{self.model.label}: node '{place}'"
        return REPEATED[op_type][1](Repeated(op_type, inputs, attributes, self.builder, run, at, place))

    def _graph(
        self,
        graph: onnx.GraphProto,
        values: Mapping[str, Value],
        scope: Scope,
        opsets: dict[str, int],
        prefix: str,
        bindings: Attributes,
        depth: int,
        *,
        check: bool = True,
    ) -> Sequence[Value | None] | None:
        """The outputs of a nested graph for ``values`` of its inputs; None where a node of it was refused."""
        inner = Scope(dict(values), {t.name: t for t in graph.initializer}, parent=scope)
        names = [o.name for o in graph.output]
        if check:
            check_order(graph.node, inner.names(), self.model.label)
        self.run(graph.node, names, inner, opsets, prefix=prefix, bindings=bindings, depth=depth + 1)
        return self._outputs(names, inner)

    def _body(
        self,
        node: onnx.NodeProto,
        domain: str,
        opset: int,
        inputs: Sequence[Value | None],
        attributes: Attributes,
    ) -> Body | None:
        function = self.functions.get((domain, node.op_type, node.overload))
        if function is None:
            return schema_body(node, domain, opset, inputs, attributes)
        defaults = {a.name: a for a in function.attribute_proto}
        return Body(function, {**defaults, **attributes})

    def _inline(
        self, body: Body, inputs: Sequence[Value | None], place: str, depth: int
    ) -> Sequence[Value | None] | None:
        formal = body.function.input
        given = dict(zip(formal, inputs, strict=False))
        scope = Scope({name: v for name, v in given.items() if v is not None})
        opsets = {plain_domain(o.domain): int(o.version) for o in body.function.opset_import}
        opsets = {**self.model.opsets, **opsets}
        # An optional input that the call leaves out is the empty name inside.
        nodes = [_without(n, {f for f in formal if given.get(f) is None}) for n in body.function.node]
        names = list(body.function.output)
        check_order(nodes, scope.names(), self.model.label)
        self.run(nodes, names, scope, opsets, prefix=f"{place}/", bindings=body.attributes, depth=depth + 1)
        return self._outputs(names, scope)

    def _outputs(self, names: Sequence[str], scope: Scope) -> Sequence[Value | None] | None:
        """Values of a function's or branch's outputs; optional ones that its body never makes are None."""
        if any(self._blocked(scope, name) for name in names):
            return None
        known = scope.names()
        return [self.lookup(scope, name) if name in known else None for name in names]


def _resolve(node: onnx.NodeProto, bindings: Attributes) -> dict[str, AttributeProto]:
    """The node's attributes, references to those of the surrounding function replaced by what they stand for."""
    out = {}
    for a in node.attribute:
        if not a.ref_attr_name:
            out[a.name] = a
        elif a.ref_attr_name in bindings:
            out[a.name] = bindings[a.ref_attr_name]
    return out


def _without(node: onnx.NodeProto, absent: set[str]) -> onnx.NodeProto:
    if not absent.intersection(node.input):
        return node
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    del copy.input[:]
    copy.input.extend("" if i in absent else i for i in node.input)
    return copy
