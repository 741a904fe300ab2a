"""The importers: which function turns which ONNX operator into float IR."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from emberc.ir.values import Value

if TYPE_CHECKING:
    from emberc.frontend.context import NodeContext

#: Returns the node's outputs; a single value stands for a list of one.
ImportFunction = Callable[["NodeContext"], "Value | Sequence[Value | None]"]


@dataclass
class Registry:
    """Importers by operator; of each operator's versions the newest that the model's opset reaches is used."""

    versions: dict[tuple[str, str], dict[int, ImportFunction]] = field(default_factory=dict)

    def add(self, op_type: str, domain: str, since: int, function: ImportFunction) -> None:
        self.versions.setdefault((plain_domain(domain), op_type), {})[since] = function

    def find(self, op_type: str, domain: str, opset: int) -> ImportFunction | None:
        """The importer for an operator at an opset, None where there is none."""
        known = self.versions.get((plain_domain(domain), op_type), {})
        since = max((s for s in known if s <= opset), default=None)
        return None if since is None else known[since]

    def extended(self, custom: Mapping[str, ImportFunction]) -> Registry:
        """A copy with importers by ``Op`` or ``domain::Op`` in front of the registered ones."""
        copy = Registry({k: dict(v) for k, v in self.versions.items()})
        for name, function in custom.items():
            domain, _, op_type = name.rpartition("::")
            copy.versions[plain_domain(domain), op_type] = {1: function}
        return copy


REGISTRY = Registry()


def importer(*op_types: str, domain: str = "", since: int = 1) -> Callable[[ImportFunction], ImportFunction]:
    """Registers the decorated function for ONNX operators, from opset ``since`` of ``domain`` on::

    @emberc.importer("Swish2", domain="my.ops")
    def swish2(node: NodeContext) -> Value:
        return node.emit(op_class("f.silu"), node.input(0))
    """

    def register(function: ImportFunction) -> ImportFunction:
        for op_type in op_types:
            REGISTRY.add(op_type, domain, since, function)
        return function

    return register


def plain_domain(domain: str) -> str:
    """The default domain has two spellings in files: "" and "ai.onnx"."""
    return "" if domain == "ai.onnx" else domain
