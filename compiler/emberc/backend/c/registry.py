"""The emitters: for each op class the function that writes its C call.

A family of ops has one file in ``emitters/``. A custom op brings its own, from outside the package::

    @emberc.emitter("my.clip", kernel="my_clip_s8", source=Path(__file__).with_name("my_clip_s8.c"))
    def emit_clip(op: MyClip, ctx: EmitContext) -> Call:
        p = ctx.params("my_clip_params", {"count": op.x.type.elements, "limit": op.limit})
        return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)

The C file and the headers that it includes are copied into the build directory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from emberc.errors import UnsupportedError
from emberc.ir.op import Op

if TYPE_CHECKING:
    from emberc.backend.c.context import EmitContext


@dataclass(frozen=True)
class Call:
    """One C call: ``function(arguments)``; ``can_fail`` if it returns a status that must be looked at."""

    function: str
    arguments: tuple[str, ...]
    can_fail: bool = False

    @property
    def text(self) -> str:
        """``function(a, b, c)``"""
        return f"{self.function}({', '.join(self.arguments)})"


Emit = Callable[[Any, "EmitContext"], Call | list[Call]]
E = TypeVar("E", bound=Emit)


@dataclass(frozen=True)
class Emitter:
    """How an op becomes C: its kernel's function (or how to name it from the op), its C file if it is not the
    runtime's own, whether the function returns a status, and the function that builds the call (or calls)."""

    kernel: str | Callable[[Any], str]
    source: Path | None
    can_fail: bool
    emit: Emit


EMITTERS: dict[str, Emitter] = {}


def emitter(
    opcode: str, *, kernel: str | Callable[[Any], str], source: Path | None = None, can_fail: bool = False
) -> Callable[[E], E]:
    """Registers the decorated function as the emitter of ``opcode``; a later registration replaces an earlier one.

    ``kernel`` is the C function, or a function that names it from the op (``ember_matmul_s8``, ``_s16``...).
    ``source`` is its C file; None: the portable kernel of that name in the runtime.
    """

    def register(function: E) -> E:
        EMITTERS[opcode] = Emitter(kernel, source, can_fail, function)
        return function

    return register


def emitter_of(op: Op) -> Emitter:
    """The emitter of an op. Raises UnsupportedError if it has none."""
    check_emitters([op])
    return EMITTERS[op.opcode]


def check_emitters(ops: Iterable[Op]) -> None:
    """Raises UnsupportedError that lists every op without emitter, by kind, with its nodes."""
    missing: dict[str, list[str]] = {}
    for op in ops:
        if op.opcode not in EMITTERS and not op.is_view:
            missing.setdefault(op.opcode, []).append(op.loc or "no ONNX node")
    if missing:
        raise UnsupportedError(
            f"the C backend has no emitter for {', '.join(sorted(missing))}",
            code="E-EMIT",
            details=[
                f"{k} x{len(v)}: {', '.join(v[:3])}{', ...' if v[3:] else ''}" for k, v in sorted(missing.items())
            ],
            hints=["a custom op registers one with @emberc.emitter"],
        )
