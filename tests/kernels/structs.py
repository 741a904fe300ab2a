"""The parameter structs as ctypes classes, read from the C headers so that the two can't drift apart."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path
from typing import Any

import numpy as np

from emberc.ir.op import Op

INCLUDE = Path(__file__).parents[2] / "runtime_c" / "include"

_SCALARS: dict[str, Any] = {
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "uint64_t": ctypes.c_uint64,
}
_FIELD = re.compile(r"^\s*(const )?(\w+) (\*?)(\w+)(?:\[(\w+)\])?;", re.MULTILINE)


def _read() -> dict[str, type[ctypes.Structure]]:
    text = "\n".join(p.read_text(encoding="utf-8") for p in sorted(INCLUDE.glob("ember_*.h")))
    lengths = {name: int(n) for name, n in re.findall(r"#define (EMBER_\w+) (\d+)\n", text)}
    scalars = dict(_SCALARS)
    for name in re.findall(r"typedef enum \{[^}]*\} (\w+);", text):
        scalars[name] = ctypes.c_int32
    bodies = {struct: body for body, struct in re.findall(r"typedef struct \{\n([^}]*)\} (\w+);", text)}
    found: dict[str, type[ctypes.Structure]] = {}

    def read(struct: str) -> type[ctypes.Structure]:
        """The struct, after those that it holds, which another header may declare."""
        if struct not in found:
            fields: list[tuple[str, Any]] = []
            for _, kind, star, name, length in _FIELD.findall(bodies[struct]):
                c_type = ctypes.c_void_p if star else scalars.get(kind) or read(kind)
                fields.append((name, c_type * lengths[length] if length else c_type))
            found[struct] = type(struct, (ctypes.Structure,), {"_fields_": fields})
        return found[struct]

    return {struct: read(struct) for struct in bodies}


STRUCTS = _read()


def fill(struct: str, **values: Any) -> ctypes.Structure:
    """A struct with all its fields given: numpy arrays become pointers, sequences arrays, dicts nested structs."""
    cls = STRUCTS[struct]
    made = cls()
    kept: list[Any] = []
    names = [name for name, _ in cls._fields_]
    if sorted(names) != sorted(values):
        raise TypeError(f"{struct} has {names}, given {list(values)}")
    for name, c_type in cls._fields_:
        value = values[name]
        if isinstance(value, np.ndarray):
            kept.append(value)
            setattr(made, name, value.ctypes.data)
        elif isinstance(value, dict):
            setattr(made, name, fill(c_type.__name__, **value))
        elif isinstance(value, list | tuple):
            setattr(made, name, c_type(*value))
        elif isinstance(value, ctypes.Array):
            kept.append(value)
            setattr(made, name, ctypes.addressof(value))
        else:
            if isinstance(value, int) and c_type in _SCALARS.values() and c_type(value).value != value:
                raise OverflowError(f"{struct}.{name} can't hold {value}")
            setattr(made, name, value)
    made.kept = kept  # type: ignore[attr-defined]
    return made


def fields(op: Op, names: str) -> dict[str, Any]:
    """Attributes of an op by name, as a struct's fields of those names."""
    return {n: getattr(op, n) for n in names.split()}
