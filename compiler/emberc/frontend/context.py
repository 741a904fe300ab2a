"""NodeContext: what an importer sees of one ONNX node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx

from emberc.errors import ModelError, UnsupportedError
from emberc.frontend.emitter import Emitter
from emberc.frontend.tensor_list import TensorList
from emberc.frontend.tensors import to_array
from emberc.ir.builder import Builder
from emberc.ir.types import Array
from emberc.ir.values import Constant, Value

Attributes = Mapping[str, onnx.AttributeProto]


class NodeContext(Emitter):
    """Inputs, attributes and the builder of one node.

    ``inputs`` holds None for those left out; ``opset`` is the version of the node's domain; ``place`` names the node
    in errors; ``read`` tells per output whether anything reads it.
    """

    def __init__(
        self,
        builder: Builder,
        node: onnx.NodeProto,
        inputs: Sequence[Value | None],
        attributes: Attributes,
        *,
        opset: int,
        place: str,
        folder: Path | None = None,
        read: Sequence[bool] = (),
    ) -> None:
        super().__init__(builder)
        self.op_type = node.op_type
        self.domain = node.domain
        self.inputs = list(inputs)
        self.output_count = len(node.output)
        self.attributes = attributes
        self.opset = opset
        self.place = place
        self.folder = folder
        self.read = list(read)
        self._seen_inputs: set[int] = set()
        self._seen_attributes: set[str] = set()

    # --- inputs

    def input(self, index: int) -> Value:
        """Input number ``index``. Raises ModelError where it is missing."""
        value = self.optional(index)
        if value is None:
            raise ModelError(f"{self.op_type} lacks its input number {index}", at=self.place)
        if isinstance(value, TensorList):
            raise ModelError(f"{self.op_type}: its input number {index} is a sequence, not a tensor", at=self.place)
        return value

    def sequence(self, index: int) -> tuple[Value, ...]:
        """The tensors of an input that is a sequence. Raises ModelError where it is none."""
        value = self.optional(index)
        if not isinstance(value, TensorList):
            raise ModelError(f"{self.op_type}: its input number {index} is no sequence", at=self.place)
        return value.items

    def optional(self, index: int) -> Value | None:
        """Input number ``index``, None where it is left out."""
        self._seen_inputs.add(index)
        return self.inputs[index] if index < len(self.inputs) else None

    def array(self, index: int, what: str) -> Array:
        """An input that must be known at compile time. Raises UnsupportedError where it is not."""
        value = self.input(index)
        if not isinstance(value, Constant):
            raise UnsupportedError(
                f"{self.op_type}: its {what} depends on the model's input data",
                at=self.place,
                hints=["firmware needs every size at compile time: export with static shapes, or fix the input"],
            )
        return value.data

    def int_list(self, index: int, what: str) -> list[int] | None:
        """An optional input of integers known at compile time."""
        if self.optional(index) is None:
            return None
        return [int(i) for i in self.array(index, what).reshape(-1)]

    def wants(self, index: int) -> bool:
        """Whether anything reads output number ``index``."""
        return index < len(self.read) and self.read[index]

    # --- attributes

    def attribute(self, name: str) -> onnx.AttributeProto | None:
        """An attribute as the file has it, None where it is left out."""
        self._seen_attributes.add(name)
        return self.attributes.get(name)

    def has(self, name: str) -> bool:
        return self.attribute(name) is not None

    def integer(self, name: str, default: int = 0) -> int:
        a = self.attribute(name)
        return default if a is None else int(a.i)

    def number(self, name: str, default: float = 0.0) -> float:
        a = self.attribute(name)
        return default if a is None else float(a.f)

    def text(self, name: str, default: str = "") -> str:
        a = self.attribute(name)
        return default if a is None else str(a.s.decode(errors="replace"))

    def integers(self, name: str) -> list[int] | None:
        a = self.attribute(name)
        return None if a is None else [int(i) for i in a.ints]

    def numbers(self, name: str) -> list[float] | None:
        a = self.attribute(name)
        return None if a is None else [float(x) for x in a.floats]

    def tensor(self, name: str) -> Array:
        """A tensor attribute that must be there."""
        a = self.attribute(name)
        if a is None:
            raise self.invalid(f"it lacks its attribute '{name}'")
        return to_array(a.t, self.folder, self.place)

    def ignore(self, *attributes: str) -> None:
        """Says that these attributes can't change the result."""
        self._seen_attributes.update(attributes)

    def unread(self) -> list[str]:
        """What the importer did not look at, though it may matter: inputs, attributes that are not at their default."""
        inputs = [
            f"input number {i}" for i, v in enumerate(self.inputs) if v is not None and i not in self._seen_inputs
        ]
        return inputs + [
            f"attribute '{name}'"
            for name, a in self.attributes.items()
            if name not in self._seen_attributes and not self._is_default(name, a)
        ]

    def _is_default(self, name: str, given: onnx.AttributeProto) -> bool:
        try:
            schema = onnx.defs.get_schema(self.op_type, self.opset, self.domain)
        except onnx.defs.SchemaError:
            return False
        known = schema.attributes.get(name)
        return known is not None and onnx.helper.get_attribute_value(known.default_value) == (
            onnx.helper.get_attribute_value(given)
        )

    # --- axes and refusals

    def axis(self, axis: int, rank: int) -> int:
        """``axis`` counted from the front. Raises ModelError outside -rank .. rank - 1."""
        if not -rank <= axis < rank:
            raise ModelError(f"{self.op_type}: axis {axis} does not exist, its input has {rank}", at=self.place)
        return axis % rank if rank else 0

    def refuse(self, what: str, allowed: str) -> UnsupportedError:
        """The error for an attribute or form that is not supported; ``allowed`` says what is."""
        return UnsupportedError(
            f"{self.op_type}: {what} is not supported", at=self.place, details=[f"allowed: {allowed}"]
        )

    def invalid(self, what: str) -> ModelError:
        """The error for a node that breaks ONNX's own rules."""
        return ModelError(f"{self.op_type}: {what}", at=self.place)
