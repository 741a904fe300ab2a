"""Worst-case stack from gcc's call graphs: the deepest path from the entry through all frames.

gcc writes, with ``-fcallgraph-info=su``, one VCG graph a source: nodes with their frame size, edges for calls
(GCC manual, "Developer Options"). We join the graphs and take the longest path; there is one, since recursion
and indirect calls are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from emberc.harness.errors import StackError

_NODE = re.compile(r'^node: \{ title: "([^"]+)" label: "([^"]*)"(.*)\}$')
_EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
_FRAME = re.compile(r"(\d+) bytes \(([\w,]+)\)")
_INDIRECT = "__indirect_call"

LIBRARY_FRAMES = {
    "memcpy": 16,
    "memmove": 16,
    "memset": 16,
    "memcmp": 16,
    "__aeabi_memcpy": 16,
    "__aeabi_memset": 16,
    "__aeabi_ldivmod": 64,
    "__aeabi_uldivmod": 64,
    "__divdi3": 64,
    "__udivdi3": 64,
    "__moddi3": 64,
    "__umoddi3": 64,
    "__aeabi_lmul": 16,
    "__muldi3": 16,
    "__aeabi_llsl": 16,
    "__aeabi_llsr": 16,
    "__aeabi_lasr": 16,
    "__ashldi3": 16,
    "__lshrdi3": 16,
    "__ashrdi3": 16,
    "__clzsi2": 16,
    "__clzdi2": 32,
    "__ctzsi2": 16,
    "__ctzdi2": 32,
    "__popcountsi2": 16,
    "__bswapsi2": 16,
}
"""Bytes of stack of the C library's and libgcc's leaf routines that compiled integer code may call.

No graph exists for them. Upper bounds over the largest frame, callees included, in the code of Debian 12's
newlib, picolibc and libgcc 12.2 for Armv7-M to Armv8.1-M and RV32IMAC (a test disassembles them); memory
routines of the host's C library run in its own, unbounded stack."""


@dataclass(frozen=True)
class StackUse:
    """Worst-case stack of an entry in bytes, and the calls of the deepest path, outermost first."""

    total: int
    path: tuple[str, ...]


@dataclass
class _Function:
    frame: int | None = None
    dynamic: bool = False
    calls: list[str] = field(default_factory=list)


def worst_stack(graphs: Iterable[Path], entry: str) -> StackUse:
    """The deepest stack below ``entry``, its own frame included.

    ``graphs`` are the ``.ci`` files of all sources that it can reach.

    Raises StackError, naming the function, for recursion, an indirect call, a frame of dynamic size, a callee
    that neither the graphs nor LIBRARY_FRAMES know, or an entry that is in none of the graphs.
    """
    functions = _read(graphs)
    if functions.get(entry, _Function()).frame is None:
        raise StackError(f"no stack figures for the entry '{entry}': it is in none of the call graphs")
    return _deepest(entry, functions, {}, [])


def _read(graphs: Iterable[Path]) -> dict[str, _Function]:
    """Title -> function. Static functions have titles of their own ("file.c:name"), so they can't clash."""
    functions: dict[str, _Function] = {}
    for path in graphs:
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if node := _NODE.match(line):
                function = functions.setdefault(node[1], _Function())
                if frame := _FRAME.search(node[2]):
                    function.frame = int(frame[1])
                    # "dynamic,bounded" still is a bound; plain "dynamic" is the part known at compile time.
                    function.dynamic = frame[2] == "dynamic"
            elif edge := _EDGE.match(line):
                functions.setdefault(edge[1], _Function()).calls.append(edge[2])
    return functions


def _deepest(name: str, functions: dict[str, _Function], known: dict[str, StackUse], above: list[str]) -> StackUse:
    if name in known:
        return known[name]
    short = name.rpartition(":")[2]
    if name in above:
        raise StackError(f"'{short}' calls itself: {' -> '.join([*above[above.index(name) :], name])}")
    if name == _INDIRECT:
        raise StackError(f"'{above[-1]}' calls through a pointer: the callee's stack is not known")
    function = functions[name]
    if function.frame is None:
        if short not in LIBRARY_FRAMES:
            raise StackError(f"'{above[-1]}' calls '{short}', whose stack use is not known")
        return StackUse(LIBRARY_FRAMES[short], (short,))
    if function.dynamic:
        raise StackError(f"the frame of '{short}' has no fixed size")
    below = [_deepest(callee, functions, known, [*above, name]) for callee in dict.fromkeys(function.calls)]
    worst = max(below, key=lambda use: use.total, default=StackUse(0, ()))
    known[name] = StackUse(function.frame + worst.total, (short, *worst.path))
    return known[name]
