"""C identifiers from ONNX names, and text that is safe inside a C comment."""

from __future__ import annotations

import re

# C99 and C++ keywords, and what the generated code itself calls things.
_WORDS = (
    "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class "
    "co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype "
    "default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline "
    "int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register "
    "reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct switch "
    "template this thread_local throw true try typedef typeid typename typeof union unsigned using virtual void "
    "volatile wchar_t while xor xor_eq NULL "
)
_RESERVED = frozenset(_WORDS.split())


def c_identifier(text: str) -> str:
    """``text`` as a C and C++ identifier: ``/layer.0/MatMul`` becomes ``layer_0_MatMul``."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_") or "x"
    if name[0].isdigit():
        name = "n" + name
    return name + "_" if name in _RESERVED else name


def model_prefix(text: str) -> str:
    """The prefix of every file and symbol of a model.

    ``ember...`` belongs to the runtime (a model called "ember" would overwrite ``ember.h``).
    """
    name = c_identifier(text)
    return f"model_{name}" if name.lower().startswith("ember") else name


def comment_text(text: str) -> str:
    """``text`` so that it can't end, nest or break the comment it is put in."""
    text = "".join(c if " " <= c <= "~" else "?" for c in text)
    for danger in ("*/", "/*", "??"):
        while danger in text:
            text = text.replace(danger, f"{danger[0]} {danger[1]}")
    return text


class Names:
    """Hands out identifiers that differ even where case does not count (macros, file names)."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, hint: str) -> str:
        """``hint`` as an identifier, with ``_2``, ``_3``... where it is taken."""
        base = c_identifier(hint)
        name, k = base, 2
        while name.lower() in self._taken:
            name, k = f"{base}_{k}", k + 1
        self._taken.add(name.lower())
        return name
