"""Parser of the text form (``grammar.lark``): the exact inverse of ``printer.py``."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from lark import Lark, Token, Transformer, v_args
from lark.exceptions import LarkError, UnexpectedInput, VisitError

import emberc.ir.ops  # noqa: F401 (registers the ops that a text may name)
from emberc.errors import EmberError, ModelError
from emberc.ir.graph import Function, Module
from emberc.ir.op import Op, op_class
from emberc.ir.packed import BLOCK, Packed
from emberc.ir.printer import digest
from emberc.ir.types import DType, Quant, TensorType
from emberc.ir.values import Constant, Value

_NUMERIC = "0123456789"
_ABSENT = object()  # an operand written "_", as against lark's None for something that is not there


def parse_module(text: str, side: bytes = b"") -> Module:
    """Text to module; ``side`` holds the bytes that references point into.

    Raises ModelError with line and column for a syntax error, an undefined or twice defined value, or a
    reference whose bytes do not have the hash that the text promises.
    """
    try:
        tree = _lark().parse(text)
        module: Module = _Build(side).transform(tree)
        return module
    except UnexpectedInput as e:
        line = text.splitlines()[e.line - 1].strip() if 0 < e.line <= len(text.splitlines()) else ""
        raise ModelError(
            f"can't parse the IR: {line!r}", code="E-SYNTAX", at=f"line {e.line}, column {e.column}"
        ) from e
    except VisitError as e:
        if isinstance(e.orig_exc, EmberError):
            raise e.orig_exc from e
        raise ModelError(f"can't read the IR: {e.orig_exc}", code="E-SYNTAX") from e
    except LarkError as e:
        raise ModelError(f"can't parse the IR: {e}", code="E-SYNTAX") from e


def load_module(path: Path) -> Module:
    """Reads ``x.eir`` and, when it exists, its side file ``x.bin``."""
    side = path.with_suffix(".bin")
    return parse_module(path.read_text(encoding="utf-8"), side.read_bytes() if side.exists() else b"")


@cache
def _lark() -> Lark:
    grammar = resources.files("emberc.ir").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", maybe_placeholders=True)


@v_args(inline=True)
class _Build(Transformer[Token, Any]):
    """Builds values and ops bottom-up; lark visits children left to right, so definitions precede uses."""

    def __init__(self, side: bytes) -> None:
        super().__init__()
        self.side = side
        self.values: dict[str, Value] = {}

    # --- leaves
    def number(self, t: Token) -> int | float:
        return int(t) if t.type == "INT" else float(t)

    def STRING(self, t: Token) -> str:  # noqa: N802 (a terminal's name)
        return str(json.loads(t))

    def list(self, *items: Any) -> Any:
        return [*items]

    def true(self) -> bool:
        return True

    def false(self) -> bool:
        return False

    def none(self) -> None:
        return None

    # --- types
    def axis(self, n: Token) -> int:
        return int(n)

    def zero(self, n: Token) -> tuple[str, int]:
        return ("zp", int(n))

    def run(self, x: float, n: Token | None) -> tuple[float, ...]:
        return (float(x),) * (int(n) if n else 1)

    def quant(self, axis: int | None, *rest: Any) -> Quant:
        *runs, zero = rest
        return Quant(tuple(s for r in runs for s in r), zero[1] if zero else 0, axis)

    def type(self, dtype: Token, *rest: Any) -> TensorType:
        *dims, quant = rest
        return TensorType(DType(str(dtype)), tuple(int(d) for d in dims if d is not None), quant)

    # --- constants
    def inline(self, items: Any) -> Any:
        return items

    def reference(self, _file: str, at: Token, want: Token) -> tuple[int, str]:
        return (int(at, 16), str(want))

    def packed(self, bits: Token, group: Token) -> tuple[int, int]:
        return (int(bits), int(group))

    def constant(self, name: Token, t: TensorType, packed: tuple[int, int] | None, *payloads: Any) -> None:
        if len(payloads) != (1 if packed is None else 3):
            raise ModelError(f"constant {name} has {len(payloads)} payloads", code="E-SYNTAX", at=_place(name))
        if packed is None:
            self._define(name, Constant(self._data(name, t, payloads[0]).copy(), quant=t.quant))
            return
        bits, group = packed
        if t.dtype is not DType.I8 or t.rank != 2 or not (bits in (2, 3, 4) and group > 0):
            raise ModelError(f"constant {name} can't be packed so", code="E-SYNTAX", at=_place(name))
        rows, columns = t.shape
        types = [
            TensorType(DType.U8, (rows, bits * -(-columns // BLOCK))),
            TensorType(DType.I8, (1 << bits,)),
            TensorType(DType.U8, (rows, -(-columns // group))),
        ]
        parts = [self._data(name, part, payload).copy() for part, payload in zip(types, payloads, strict=True)]
        form = Packed(bits, columns, group, *parts)
        self._define(name, Constant(form.unpacked(), None, t.quant, form))

    def _data(self, name: Token, t: TensorType, payload: Any) -> Any:
        """A payload as an array of type ``t``."""
        if isinstance(payload, tuple):
            at, want = payload
            raw = self.side[at : at + t.nbytes]
            if len(raw) != t.nbytes or digest(raw) != want:
                raise ModelError(
                    f"the side file does not hold constant {name} (hash {want})",
                    code="E-SIDE",
                    hints=["keep x.eir and x.bin together: they are written as a pair"],
                )
            data = np.frombuffer(raw, t.dtype.numpy)
        else:
            wrong = next((x for x in payload if not _fits(x, t.dtype)), None)
            if wrong is not None:
                raise ModelError(f"{json.dumps(wrong)} does not fit {t.dtype.value}", code="E-SYNTAX", at=_place(name))
            data = np.asarray(payload, t.dtype.numpy)
        if data.size != t.elements:
            problem = f"constant {name} has {data.size} elements, its type says {t.elements}"
            raise ModelError(problem, code="E-SYNTAX", at=_place(name))
        return data.reshape(t.shape)

    # --- functions
    def param(self, name: Token, t: TensorType, public: str | None) -> Value:
        value = self._define(name, Value(t))
        value.name = public or value.name
        return value

    def use(self, t: Token) -> object:
        if t.type == "ABSENT":
            return _ABSENT
        if str(t) not in self.values:
            raise ModelError(f"value {t} is not defined", code="E-SYNTAX", at=_place(t))
        return self.values[str(t)]

    def attr(self, name: Token, value: Any) -> tuple[str, Any]:
        return (str(name), value)

    def attrs(self, *pairs: tuple[str, Any]) -> dict[str, Any]:
        return dict(pairs)

    def op(self, *parts: Any) -> Op:
        *rest, loc = parts
        at = next(i for i, p in enumerate(rest) if isinstance(p, Token) and p.type == "OPCODE")
        names = [p for p in rest[:at] if p is not None]
        types = [p for p in rest[at + 1 :] if isinstance(p, TensorType)]
        attrs = next((p for p in rest[at + 1 :] if isinstance(p, dict)), {})
        place = _place(rest[at])
        try:
            cls = op_class(str(rest[at]))
        except EmberError as e:
            e.at = place
            raise
        if len(names) != len(types):
            problem = f"{cls.opcode} names {len(names)} results and {len(types)} types"
            raise ModelError(problem, code="E-SYNTAX", at=place)
        if cls.result_fields and len(types) != len(cls.result_fields):
            problem = f"{cls.opcode} has {len(cls.result_fields)} results, got {len(types)} types"
            raise ModelError(problem, code="E-SYNTAX", at=place)
        uses: list[Value | None] = [
            p if isinstance(p, Value) else None for p in rest[at + 1 :] if p is _ABSENT or isinstance(p, Value)
        ]
        try:
            op = cls.from_parts(uses, attrs, types, loc or "")
        except EmberError as e:
            e.at = f"{place} {e.at}".strip()
            raise
        for name, value in zip(names, op.results, strict=True):
            self._define(name, value)
        return op

    def output(self, name: Token, public: str) -> tuple[str, Value]:
        value = self.values.get(str(name))
        if value is None:
            raise ModelError(f"value {name} is not defined", code="E-SYNTAX", at=_place(name))
        return (public, value)

    def function(self, name: Token, *parts: Any) -> Function:
        f = Function(str(name)[1:])
        for p in parts:
            if isinstance(p, Value):
                f.inputs.append(p)
            elif isinstance(p, Op):
                f.ops.append(p)
            elif p is not None:
                f.outputs[p[0]] = p[1]
        return f

    def target(self, t: str) -> tuple[str, Any]:
        return ("target", t)

    def budget(self, n: Token) -> tuple[str, Any]:
        return ("budget", int(n))

    def start(self, name: Token, *parts: Any) -> Module:
        m = Module(str(name)[1:])
        for p in parts:
            if isinstance(p, Function):
                m.functions[p.name] = p
            elif isinstance(p, tuple):
                setattr(m, p[0], p[1])
        m.link()
        return m

    def _define(self, name: Token, value: Value) -> Value:
        key = str(name)
        if key in self.values:
            raise ModelError(f"value {key} is defined twice", code="E-SYNTAX", at=_place(name))
        value.name = None if key[1] in _NUMERIC else key[1:]
        self.values[key] = value
        return value


def _place(t: Token) -> str:
    return f"line {t.line}, column {t.column}"


def _fits(x: Any, dtype: DType) -> bool:
    """Whether a written element is one of ``dtype``."""
    if isinstance(x, bool) or dtype is DType.BOOL:
        return isinstance(x, bool) and dtype is DType.BOOL
    if dtype.is_float:
        return isinstance(x, int | float)
    return isinstance(x, int) and dtype.limits[0] <= x <= dtype.limits[1]
