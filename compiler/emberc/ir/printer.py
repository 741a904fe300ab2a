"""The text form of the IR, written by hand so that it reads well. ``parser.py`` is its exact inverse.

Small constants stand in the text, large ones in a side file that the text refers to by offset and hash.
"""

from __future__ import annotations

import hashlib
import json
import re
from itertools import groupby
from typing import Any

import numpy as np

from emberc.ir.graph import Function, Module
from emberc.ir.op import Op, attribute
from emberc.ir.types import Array, Quant, TensorType
from emberc.ir.values import Constant, Value

INLINE_ELEMENTS = 16
SIDE_ALIGN = 16
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-/:]*\Z")


def print_module(module: Module, side: str = "module.bin") -> str:
    """The module as text; ``side`` is the file name that large constants are said to stand in."""
    return _Printer(module, side).text()


def side_data(module: Module) -> bytes:
    """The bytes of the side file that :func:`print_module` refers to."""
    printer = _Printer(module, "")
    printer.text()
    return bytes(printer.blob)


def digest(data: bytes) -> str:
    """The short hash that a reference carries."""
    return hashlib.sha256(data).hexdigest()[:12]


def format_type(t: TensorType) -> str:
    """``i8[128, 80] q(0.0312, zp=4)``"""
    text = f"{t.dtype.value}[{', '.join(map(str, t.shape))}]"
    return text + (" " + format_quant(t.quant) if t.quant else "")


def format_quant(q: Quant) -> str:
    """``q(0.5, zp=3)``, ``q(axis=1, 0.5*80, 0.25*80)``: equal neighbours are run-length coded."""
    runs = [(s, len(list(g))) for s, g in groupby(q.scale)]
    parts = [] if q.axis is None else [f"axis={q.axis}"]
    parts += [_number(s) + (f"*{n}" if n > 1 else "") for s, n in runs]
    return f"q({', '.join(parts)}{f', zp={q.zero_point}' if q.zero_point else ''})"


def _number(x: float | int) -> str:
    if isinstance(x, int):
        return str(x)
    text = repr(float(x))
    return text if any(c in text for c in ".einf") else text + ".0"


def _attr(x: Any) -> str:
    if x is None:
        return "none"
    if isinstance(x, bool | np.bool_):
        return "true" if x else "false"
    if isinstance(x, str):
        return json.dumps(x)
    if isinstance(x, list | tuple):
        return "[" + ", ".join(_attr(i) for i in x) + "]"
    return _number(int(x) if isinstance(x, int | np.integer) else float(x))


class _Printer:
    def __init__(self, module: Module, side: str) -> None:
        self.module = module
        self.side = side
        self.blob = bytearray()
        self.names: dict[int, str] = {}
        self.taken: set[str] = set()
        self.next = 0

    def text(self) -> str:
        m = self.module
        head = f"module @{re.sub(r'[^A-Za-z0-9_.-]', '_', m.name) or 'm'}"
        head += f" target {json.dumps(m.target)}" if m.target else ""
        head += f" budget {m.budget}" if m.budget is not None else ""
        self._name_all()
        lines = [head + " {"]
        seen: set[int] = set()
        for f in m.functions.values():
            for c in f.constants():
                if id(c) not in seen:
                    seen.add(id(c))
                    lines.append(f"  const {self.names[id(c)]} : {format_type(c.type)}{self._stored(c)}")
        for f in m.functions.values():
            lines += self._function(f)
        return "\n".join([*lines, "}"]) + "\n"

    def _name_all(self) -> None:
        order: list[Value] = []
        for f in self.module.functions.values():
            order += [*f.constants(), *f.inputs]
            for op in f.ops:
                order += op.results
        for v in order:
            if v.name and _PLAIN.match(v.name) and id(v) not in self.names:
                name = v.name
                k = 2
                while name in self.taken:
                    name, k = f"{v.name}.{k}", k + 1
                self.taken.add(name)
                self.names[id(v)] = "%" + name
        number = 0
        for v in order:
            if id(v) not in self.names:
                self.names[id(v)] = f"%{number}"
                number += 1

    def _stored(self, c: Constant) -> str:
        """`` = [1, 2]``, `` packed(3, group=128) = CODES, CODEBOOK, GAINS``"""
        p = c.packed
        if p is None:
            return f" = {self._payload(c.data)}"
        parts = ", ".join(map(self._payload, (p.codes, p.codebook, p.gains)))
        return f" packed({p.bits}, group={p.group}) = {parts}"

    def _payload(self, a: Array) -> str:
        if a.size <= INLINE_ELEMENTS:
            return _attr(a.reshape(-1).tolist())
        self.blob += b"\0" * (-len(self.blob) % SIDE_ALIGN)
        data = a.tobytes()
        at = len(self.blob)
        self.blob += data
        return f"{json.dumps(self.side)} +0x{at:x} #{digest(data)}"

    def _function(self, f: Function) -> list[str]:
        params = ", ".join(self._param(v) for v in f.inputs)
        outs = ", ".join(f"{self.names[id(v)]} as {json.dumps(k)}" for k, v in f.outputs.items())
        body = ["    " + self._op(op) for op in f.ops]
        return [f"  func @{f.name}({params}) {{", *body, f"    return {outs}".rstrip(), "  }"]

    def _param(self, v: Value) -> str:
        """An input's name is public: where it can't be the value's name in the text, it stands beside it."""
        name = self.names[id(v)]
        public = f" as {json.dumps(v.name)}" if v.name and not (_PLAIN.match(v.name) and name == "%" + v.name) else ""
        return f"{name} : {format_type(v.type)}{public}"

    def _op(self, op: Op) -> str:
        uses = ", ".join("_" if v is None else self.names[id(v)] for v in op.operands)
        shown = {k: op.attrs[k] for k, a in op.attr_fields.items() if not _is_default(a, op.attrs[k])}
        attrs = " {" + ", ".join(f"{k} = {_attr(v)}" for k, v in shown.items()) + "}" if shown else ""
        types = ", ".join(format_type(r.type) for r in op.results)
        loc = f" loc {json.dumps(op.loc)}" if op.loc else ""
        left = ", ".join(self.names[id(r)] for r in op.results)
        return f"{left} = {op.opcode}{' ' + uses if uses else ''}{attrs} : {types}{loc}"


def _is_default(a: attribute[Any], value: Any) -> bool:
    """By the text: to Python [True] and [1] are equal, and so are 0.0 and -0.0."""
    return bool(a.default) and _attr(a.default[0]) == _attr(value)
