"""What a model may ask for before it is refused: a file of a hundred bytes can name terabytes, or steps without end.

Every limit lies far beyond what a microcontroller holds or computes in seconds, and within what compiles on a
developer's machine; reaching one ends in an error that names the node, not in a machine without memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from emberc.errors import ModelError, UnsupportedError
from emberc.ir.graph import Function, Module
from emberc.ir.op import Op
from emberc.ir.values import Constant, Value

#: elements of one tensor: 64 MB as int8
ELEMENTS = 1 << 26
#: elements of one input or output, which a caller in RAM has to hold
PORT_ELEMENTS = 1 << 22
#: axes of one tensor
RANK = 32
#: elements of all results of one run together, and what is summed up or multiplied for them
WORK = 1 << 37
#: elements of all constants that nodes make: 2 GiB in float
CONSTANTS = 1 << 29
#: nodes, those of functions counted at each call and those of loops at each step
NODES = 200_000

_LOOK = "look at the sizes and indices that lead there, or export the model again"
_HINTS = ["shorten the sequence or the batch with --shape", _LOOK]


class Allowance:
    """Counts what one model asks for; ``label`` names it in errors."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.nodes = 0
        self.work = 0
        self.constants = 0

    def node(self, place: str) -> None:
        """One more node is converted. Raises ModelError, which ends the conversion, where there are too many."""
        self.nodes += 1
        if self.nodes > NODES:
            raise ModelError(
                f"more than {NODES:,} nodes, with functions entered and loops unrolled",
                code="E-LIMIT",
                at=f"{self.label}: node '{place}'",
                hints=["fewer steps in its loops", "export one step with the state as input and output"],
            )

    def op(self, op: Op) -> None:
        """One more op, before anything computes it.

        Raises UnsupportedError for a result that is too large, ModelError where one run computes too much.
        """
        at = f"{self.label}: node '{op.loc}'"
        for r in op.results:
            check_shape(r.shape, at)
        cost = op.cost()
        self.work += cost.macs + cost.elements
        if self.work > WORK:
            raise ModelError(f"one run takes more than {WORK:,} operations", code="E-LIMIT", at=at, hints=_HINTS)

    def made(self, values: Iterable[Value | None], place: str) -> None:
        """What a node made. Raises ModelError where the constants of all nodes together are too many."""
        for v in values:
            # A name says that it is an initializer, handed on or moved; a view takes no memory.
            if isinstance(v, Constant) and v.name is None and v.data.base is None:
                self.constants += v.data.size
        if self.constants > CONSTANTS:
            raise ModelError(
                f"its nodes make constants of more than {CONSTANTS:,} elements",
                code="E-LIMIT",
                at=f"{self.label}: node '{place}'",
                hints=_HINTS,
            )


def check_shape(shape: Iterable[float], at: str) -> None:
    """Raises UnsupportedError, naming the place ``at``, for a tensor that no microcontroller holds.

    Importers ask before they make an array of a size that a model names.
    """
    _check(shape, ELEMENTS, at)


def check_ports(function: Function, label: str) -> None:
    """Raises UnsupportedError for an input or output that a caller on a microcontroller can't hold."""
    for v in function.inputs:
        _check(v.shape, PORT_ELEMENTS, f"{label}: graph input '{v.name}'")
    for name, v in function.outputs.items():
        _check(v.shape, PORT_ELEMENTS, f"{label}: graph output '{name}'")


def check_not_empty(module: Module) -> None:
    """Raises UnsupportedError for an input, an output or a result without elements: there is nothing to compute.

    ONNX allows them, and so does importing; firmware has no use for them.
    """
    function = module.main
    values = [*((f"input '{v.name}'", v) for v in function.inputs)]
    values += [(f"node '{op.loc}'", r) for op in function.ops for r in op.results]
    values += [(f"output '{name}'", v) for name, v in function.outputs.items()]
    for what, v in values:
        if 0 in v.shape:
            raise UnsupportedError(
                f"a tensor {list(v.shape)} is empty", code="E-SHAPE", at=f"{module.name}: {what}", hints=[_LOOK]
            )


def _check(shape: Iterable[float], most: int, at: str) -> None:
    sizes = [int(n) for n in shape]
    if prod(sizes) > most:
        what = f"a tensor {sizes} has {prod(sizes):,} elements, more than the {most:,} that are compiled"
        raise UnsupportedError(what, code="E-LIMIT", at=at, hints=_HINTS)
    if len(sizes) > RANK:
        what = f"a tensor has {len(sizes)} axes, more than the {RANK} that are compiled"
        raise UnsupportedError(what, code="E-LIMIT", at=at, hints=[_LOOK])
