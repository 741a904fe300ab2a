"""Numbers and arrays as C text.

Large byte arrays are the whole cost of compiling a model: 4.3 MB as decimal int8 take gcc 12 over 10 s and 480 MB of
memory, as 64-bit words 3.4 s and 150 MB. So small arrays are written to be read, large ones to be compiled.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np

from emberc.errors import InternalError
from emberc.ir.types import Array, DType

WORDS_FROM = 256 * 1024
"""Arrays of one-byte elements from this many bytes on are written as 64-bit words."""

_COLUMNS = 100
_WORDS_A_LINE = 5
_C_TYPES = {
    DType.I8: "int8_t",
    DType.U8: "uint8_t",
    DType.I16: "int16_t",
    DType.U16: "uint16_t",
    DType.I32: "int32_t",
    DType.U32: "uint32_t",
    DType.I64: "int64_t",
    DType.BOOL: "uint8_t",
}


def c_type(dtype: DType) -> str:
    """The C element type. Raises InternalError for floats, which integer IR does not have."""
    if dtype not in _C_TYPES:
        raise InternalError(f"a value of type {dtype.value} reached the C backend")
    return _C_TYPES[dtype]


def c_int(value: int) -> str:
    """An integer constant whose type holds it on a 32-bit machine, without a warning from any compiler."""
    if -(2**31) < value < 2**31:
        return str(value)
    if value == -(2**31):
        return "(-2147483647 - 1)"
    if 0 <= value < 2**32:
        return f"{value}u"
    if value == -(2**63):
        return "(-9223372036854775807LL - 1)"
    return f"{value}LL" if value < 2**63 else f"{value}uLL"


@dataclass(frozen=True)
class ArrayText:
    """The definition of a constant array: element type, number of elements, initialiser lines, bytes in flash.

    ``cast`` is what the address must be cast to where the elements are not stored as themselves, else "".
    """

    ctype: str
    count: int
    lines: list[str]
    nbytes: int
    cast: str = ""


def array_text(array: Array, indent: str = "    ") -> ArrayText:
    """``array`` flattened in row-major order, in lines of about 100 columns."""
    dtype = DType.of(array.dtype)
    if dtype.size == 1 and array.nbytes >= WORDS_FROM:
        return _words(array, f"const {c_type(dtype)} *", indent)
    flat = array.astype(np.uint8).reshape(-1) if dtype is DType.BOOL else array.reshape(-1)
    if flat.dtype == np.int64:
        tokens = [c_int(x) for x in flat.tolist()]
    else:
        # Plain decimals are right for all of these: C99 gives each the first type that holds it.
        tokens = list(map(str, flat.tolist()))
    tokens = tokens or ["0"]
    return ArrayText(c_type(dtype), len(tokens), _columns(tokens, array.shape, indent), len(tokens) * dtype.size)


def _columns(tokens: list[str], shape: tuple[int, ...], indent: str) -> list[str]:
    """Right-aligned columns; a line holds whole rows, or a fraction of one, where that fits well."""
    width = max(map(len, tokens))
    fit = max(1, (_COLUMNS - len(indent)) // (width + 2))
    row = shape[-1] if shape else 1
    if 1 < row <= fit:
        per_line = fit // row * row
    else:
        even = [n for n in range(1, fit + 1) if row and row % n == 0]
        per_line = even[-1] if even and even[-1] * 2 > fit else fit
    cells = [t.rjust(width) for t in tokens]
    return [indent + ", ".join(cells[i : i + per_line]) + "," for i in range(0, len(cells), per_line)]


def _words(array: Array, cast: str, indent: str) -> ArrayText:
    data = array.tobytes()
    data += b"\0" * (-len(data) % 8)
    words = np.frombuffer(data, "<u8")
    digits = words.astype(">u8").tobytes().hex()
    tokens = [f"0x{digits[i : i + 16]}," for i in range(0, len(digits), 16)]
    lines = [indent + " ".join(tokens[i : i + _WORDS_A_LINE]) for i in range(0, len(tokens), _WORDS_A_LINE)]
    return ArrayText("uint64_t", len(words), lines, len(data), cast)


Initialiser = int | bool | str | None | list["Initialiser"] | dict[str, "Initialiser"]


def initialiser(value: Initialiser) -> str:
    """A C initialiser: numbers, C expressions as strings, None as a null pointer, lists and structs nested."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "1" if value else "0"
    if isinstance(value, int | np.integer):
        return c_int(int(value))
    if isinstance(value, list | tuple):
        return "{" + ", ".join(initialiser(v) for v in value) + "}"
    return "{" + ", ".join(f".{k} = {initialiser(v)}" for k, v in value.items()) + "}"


def wrap(parts: list[str], prefix: str, columns: int = _COLUMNS) -> list[str]:
    """``parts`` joined by blanks into lines of at most ``columns``, each after ``prefix``."""
    lines: list[str] = []
    for part in chain(parts):
        if lines and len(lines[-1]) + 1 + len(part) <= columns:
            lines[-1] += " " + part
        else:
            lines.append(prefix + part)
    return lines
