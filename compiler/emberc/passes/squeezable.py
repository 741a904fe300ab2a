"""Which weights of a float function can be squeezed, and under which names a fit plan speaks of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emberc.ir.graph import Function
from emberc.ir.ops.float_fused import Embed, Linear
from emberc.ir.values import Value


@dataclass(frozen=True)
class Weight:
    """A float matrix in a form of its own. ``axis`` is the one that has a scale per index: 0 for the rows of a linear,
    1 for the columns of an embedding table. ``rows`` are those that firmware keeps."""

    name: str
    value: Value
    axis: int
    rows: int

    @property
    def columns(self) -> int:
        return self.value.shape[1]

    @property
    def nbytes(self) -> int:
        """Flash in int8."""
        return self.rows * self.columns


def squeezable(function: Function) -> list[Weight]:
    """The weights of linears and embeddings, each once, in order of first use; a name that repeats gets a number."""
    found: dict[int, Weight] = {}
    taken: set[str] = set()
    for value, axis, rows, loc in _matrices(function):
        if id(value) in found:
            continue
        stem = value.name or f"{loc}.weight"
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}.{number}", number + 1
        taken.add(name)
        found[id(value)] = Weight(name, value, axis, rows)
    return list(found.values())


def _matrices(function: Function) -> Iterator[tuple[Value, int, int, str]]:
    for op in function.ops:
        if isinstance(op, Linear) and op.weight.const is not None:
            yield op.weight, 0, op.weight.shape[0], op.loc
        elif isinstance(op, Embed):
            for ids, table in zip(op.parts[: op.count], op.parts[op.count :], strict=True):
                if table.const is not None and ids.const is None:
                    yield table, 1, table.shape[0], op.loc
