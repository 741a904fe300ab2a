"""The model's inputs: their static shapes, and which of them are fixed to constants."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emberc.errors import ModelError, UsageError
from emberc.ir.types import Array, DType

Dim = int | str | None  # static size, symbol, or nothing known

#: What the hint suggests for a dimension that nobody gave: one sample, a sequence of a usual length.
_BATCH_NAMES = ("batch", "n", "b", "bs")
_USUAL_LENGTH = 128


@dataclass(frozen=True)
class InputSpec:
    """One graph input as the file declares it; ``dims`` None: not even the rank is known."""

    name: str
    dtype: DType
    dims: tuple[Dim, ...] | None

    def show(self) -> str:
        if self.dims is None:
            return f"'{self.name}' of unknown rank"
        return f"'{self.name}' [{', '.join('?' if d is None else str(d) for d in self.dims)}]"


def static_shapes(
    specs: Sequence[InputSpec],
    shapes: Mapping[str, Sequence[int]],
    fixed: Mapping[str, Any],
    model: str,
    needed: Collection[str],
) -> dict[str, tuple[int, ...]]:
    """The shape of every ``needed`` input: given ones, then the sizes that their symbols imply for the others.

    Raises UsageError for unknown names and contradictions, ModelError E-SHAPE for what stays symbolic.
    """
    _check_names("shapes", shapes, specs)
    _check_names("fix", fixed, specs)
    sizes: dict[str, tuple[int, str]] = {}
    out: dict[str, tuple[int, ...]] = {}
    for spec in specs:
        given = shapes.get(spec.name)
        if given is None and np.ndim(fixed.get(spec.name, 0)):
            given = np.shape(fixed[spec.name])
        if given is not None:
            out[spec.name] = _given_shape(spec, tuple(int(s) for s in given), sizes)
    for spec in specs:
        if spec.name not in out and spec.dims is not None:
            dims = [sizes[d][0] if isinstance(d, str) and d in sizes else d for d in spec.dims]
            if all(isinstance(d, int) for d in dims):
                out[spec.name] = tuple(d for d in dims if isinstance(d, int))
    unresolved = [s for s in specs if s.name not in out and s.name in needed]
    if unresolved:
        raise _symbolic(unresolved, {k: v for k, (v, _) in sizes.items()}, model)
    return out


def fixed_array(spec: InputSpec, value: Any, shape: tuple[int, ...]) -> Array:
    """A fixed input as a constant of its declared type, broadcast to its shape. Raises UsageError."""
    data = np.asarray(value)
    if data.dtype.kind not in "biuf":
        raise UsageError(f"fix: input '{spec.name}' can't be {value!r}", hints=["give a number or an array of numbers"])
    cast = data.astype(spec.dtype.numpy)
    if not np.array_equal(cast.astype(np.float64), data.astype(np.float64), equal_nan=True) and not spec.dtype.is_float:
        raise UsageError(f"fix: input '{spec.name}' is {spec.dtype.value}, {value!r} does not fit it")
    try:
        return np.broadcast_to(cast, shape)
    except ValueError:
        raise UsageError(
            f"fix: input '{spec.name}' has shape {list(shape)}, the given array {list(data.shape)}"
        ) from None


def _check_names(option: str, given: Mapping[str, Any], specs: Sequence[InputSpec]) -> None:
    unknown = sorted(set(given) - {s.name for s in specs})
    if unknown:
        names = ", ".join(repr(n) for n in unknown)
        raise UsageError(
            f"{option}: the model has no input {names}",
            hints=[f"its inputs are {', '.join(s.show() for s in specs) or 'none'}"],
        )


def _given_shape(spec: InputSpec, shape: tuple[int, ...], sizes: dict[str, tuple[int, str]]) -> tuple[int, ...]:
    text = "x".join(map(str, shape))
    if any(s < 0 for s in shape):
        raise UsageError(f"shape {text} of input '{spec.name}' has a negative size")
    dims: Sequence[Dim] = shape if spec.dims is None else spec.dims
    if len(dims) != len(shape):
        raise UsageError(f"input {spec.show()} has {len(dims)} dimensions, {text} has {len(shape)}")
    for dim, size in zip(dims, shape, strict=True):
        if isinstance(dim, int) and dim != size:
            raise UsageError(f"input {spec.show()} is fixed to {dim} in the model, {text} contradicts it")
        if isinstance(dim, str):
            known, by = sizes.setdefault(dim, (size, spec.name))
            if known != size:
                raise UsageError(
                    f"dimension '{dim}' is {known} in input '{by}' and {size} in input '{spec.name}'",
                    hints=["give both inputs the same size"],
                )
    return shape


def _symbolic(unresolved: Sequence[InputSpec], sizes: dict[str, int], model: str) -> ModelError:
    open_dims: list[str] = []
    for spec in unresolved:
        for dim in spec.dims or ():
            if not isinstance(dim, int) and dim not in sizes:
                open_dims.append(dim or "?")
    symbols = list(dict.fromkeys(open_dims))
    first = unresolved[0]
    if len(unresolved) == 1 and len(symbols) == 1:
        message = f"input '{first.name}' has a symbolic dimension '{symbols[0]}'"
    else:
        who = f"input '{first.name}' has" if len(unresolved) == 1 else f"{len(unresolved)} inputs have"
        message = f"{who} symbolic dimensions: {', '.join(symbols) or 'unknown rank'}"
    return ModelError(
        message,
        code="E-SHAPE",
        at=f"{model}: graph input {first.show()}",
        details=[
            *[f"     {model}: graph input {s.show()}" for s in unresolved[1:]],
            "firmware needs every size at compile time",
        ],
        hints=[f"emberc compile {model} {_suggest(unresolved, dict(sizes))}"],
    )


def _suggest(unresolved: Sequence[InputSpec], sizes: dict[str, int]) -> str:
    """The fewest ``--shape`` flags that settle everything, with usual sizes."""
    flags: list[str] = []
    for spec in unresolved:
        dims = spec.dims if spec.dims is not None else (None, None)
        if flags and all(isinstance(d, int) or d in sizes for d in dims):
            continue
        numbers = []
        for i, dim in enumerate(dims):
            size = dim if isinstance(dim, int) else sizes.get(dim or "", 0) or _usual(dim, i)
            if isinstance(dim, str):
                sizes[dim] = size
            numbers.append(size)
        flags.append(f"--shape {spec.name}={'x'.join(map(str, numbers))}")
    return " ".join(flags)


def _usual(dim: str | None, position: int) -> int:
    if dim is None or dim.startswith("unk"):
        return 1 if position == 0 else _USUAL_LENGTH
    name = dim.lower()
    return 1 if "batch" in name or name in _BATCH_NAMES or (position == 0 and "seq" not in name) else _USUAL_LENGTH
