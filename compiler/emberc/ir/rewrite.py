"""Pattern rewrites: match a small DAG, check a condition, build the replacement.

A pattern is written as the expression that it matches::

    x = any_value("x")
    erf = op("f.erf", op("f.mul", x, scalar(0.5**0.5)))
    gelu = op("f.mul", op("f.mul", x, op("f.add", erf, scalar(1))), scalar(0.5))

Add, multiply and the other commutative ops match with their operands in either order. A name that occurs twice
must bind the same value both times. The idea is that of MLIR's PDL and of tinygrad's UPat.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from emberc.errors import VerifyError
from emberc.ir.builder import Builder
from emberc.ir.graph import Function
from emberc.ir.op import Op
from emberc.ir.types import Array
from emberc.ir.values import Value

COMMUTATIVE = {"f.add", "f.mul", "f.max", "f.min", "f.and", "f.or", "f.equal", "q.mul"}


@dataclass(frozen=True)
class Match:
    """What a pattern bound: values by name, and the ops that it named."""

    root: Op
    values: dict[str, Value]
    ops: dict[str, Op]
    function: Function | None = None

    def private(self, value: Value) -> bool:
        """Whether ``value`` dies with this match: one reader, and it is no output of the function."""
        return len(value.users) == 1 and not (self.function is not None and self.function.is_output(value))

    def __getitem__(self, name: str) -> Value:
        return self.values[name]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def const(self, name: str) -> Array:
        """The array of a value that was bound by ``constant`` or ``scalar``."""
        data = self.values[name].const
        assert data is not None
        return data


Bound = tuple[dict[str, Value], dict[str, Op]]


class Pattern(ABC):
    """Matches a value; yields the bindings of every way to do so."""

    @abstractmethod
    def bind(self, value: Value, bound: Bound) -> Iterator[Bound]: ...

    def __or__(self, other: Pattern) -> Pattern:
        return _Either([*_options(self), *_options(other)])


@dataclass(frozen=True)
class _Value(Pattern):
    name: str
    accepts: Callable[[Value], bool] | None = None

    def bind(self, value: Value, bound: Bound) -> Iterator[Bound]:
        values, ops = bound
        if self.accepts is not None and not self.accepts(value):
            return
        if not self.name:
            yield bound
        elif self.name not in values:
            yield {**values, self.name: value}, ops
        elif values[self.name] is value:
            yield bound


@dataclass(frozen=True)
class _Either(Pattern):
    options: list[Pattern]

    def bind(self, value: Value, bound: Bound) -> Iterator[Bound]:
        for p in self.options:
            yield from p.bind(value, bound)


def _options(pattern: Pattern) -> list[Pattern]:
    return pattern.options if isinstance(pattern, _Either) else [pattern]


@dataclass(frozen=True)
class _OpPattern(Pattern):
    opcode: str
    operands: tuple[Pattern, ...]
    name: str = ""
    where: Callable[[Op], bool] | None = None

    def bind(self, value: Value, bound: Bound) -> Iterator[Bound]:
        producer = value.producer
        if producer is None or producer.opcode != self.opcode or len(producer.results) != 1:
            return
        yield from self.bind_op(producer, bound)

    def bind_op(self, producer: Op, bound: Bound) -> Iterator[Bound]:
        if self.where is not None and not self.where(producer):
            return
        present = [v for v in producer.operands if v is not None]
        if len(present) != len(self.operands):
            return
        orders: list[Sequence[Value]] = [present]
        if self.opcode in COMMUTATIVE and len(present) == 2:
            orders.append(present[::-1])
        for order in orders:
            for values, ops in self._bind_all(list(order), 0, bound):
                yield values, ({**ops, self.name: producer} if self.name else ops)

    def _bind_all(self, values: list[Value], i: int, bound: Bound) -> Iterator[Bound]:
        if i == len(self.operands):
            yield bound
            return
        for b in self.operands[i].bind(values[i], bound):
            yield from self._bind_all(values, i + 1, b)


def any_value(name: str = "", accepts: Callable[[Value], bool] | None = None) -> Pattern:
    """Any value, bound to ``name``; ``accepts`` may refuse it."""
    return _Value(name, accepts)


def constant(name: str = "") -> Pattern:
    """Any constant."""
    return _Value(name, lambda v: v.const is not None)


def scalar(number: float | None = None, name: str = "", *, rtol: float = 1e-4) -> Pattern:
    """A constant whose elements are all one finite number; ``number`` None: any.

    ``rtol`` lets constants that exporters rounded to fp16 pass; where a match drops the number, it must be 0.
    """

    def accepts(v: Value) -> bool:
        s = splat(v)
        if s is None or not isfinite(s):
            return False
        return number is None or abs(s - number) <= rtol * abs(number)

    return _Value(name, accepts)


def splat(v: Value) -> float | None:
    """The one number that all elements of a constant are, or None."""
    data = v.const
    if data is None or data.size == 0 or data.dtype == np.bool_:
        return None
    first = data.reshape(-1)[0]
    return float(first) if bool(np.all(data == first)) else None


def op(opcode: str, *operands: Pattern, name: str = "", where: Callable[[Op], bool] | None = None) -> Pattern:
    """An op with exactly these operands; ``where`` looks at its attributes."""
    return _OpPattern(opcode, operands, name, where)


def match_op(pattern: Pattern, root: Op, function: Function | None = None) -> Match | None:
    """The first way in which ``pattern`` matches with ``root`` as its last op."""
    for p in _options(pattern):
        if isinstance(p, _OpPattern) and p.opcode == root.opcode:
            for values, ops in p.bind_op(root, ({}, {})):
                return Match(root, values, ops, function)
    return None


def roots(pattern: Pattern) -> set[str]:
    """Opcodes that a match can end in."""
    return {p.opcode for p in _options(pattern) if isinstance(p, _OpPattern)}


Replacement = Value | list[Value] | None
Rule = tuple[Pattern, Callable[[Match, Builder], Replacement]]


def apply_rules(function: Function, rules: Sequence[Rule], *, limit: int = 100) -> bool:
    """Applies rules greedily until none matches; returns whether anything changed.

    New ops stand where the matched root stood, so order stays valid; what became dead is pruned after each sweep.
    Raises VerifyError when the rules still change something after ``limit`` sweeps: they undo each other.
    """
    by_root = rules_by_root(rules)
    for sweep in range(limit):
        if not sweep_rules(function, by_root):
            return sweep > 0
    raise VerifyError(f"rewrite rules do not settle: they still change @{function.name} after {limit} sweeps")


def rules_by_root(rules: Sequence[Rule]) -> dict[str, list[Rule]]:
    """Rules by the opcode that a match ends in."""
    by_root: dict[str, list[Rule]] = {}
    for pattern, action in rules:
        for code in roots(pattern):
            by_root.setdefault(code, []).append((pattern, action))
    return by_root


def sweep_rules(function: Function, by_root: dict[str, list[Rule]]) -> bool:
    """Tries the rules on every op once, in order; returns whether anything changed."""
    changed = False
    ops: list[Op] = []
    for root in function.ops:
        new = _try_rules(function, root, by_root.get(root.opcode, ()), ops)
        if new is None:
            ops.append(root)
            continue
        changed = True
        for old, value in zip(root.results, new, strict=True):
            if value.name is None and value.const is None:
                value.name = old.name
            function.replace(old, value)
        ops.append(root)  # dead now unless the replacement reads it; prune decides
    function.ops = ops
    function.prune()
    return changed


def _try_rules(function: Function, root: Op, rules: Sequence[Rule], ops: list[Op]) -> list[Value] | None:
    for pattern, action in rules:
        m = match_op(pattern, root, function)
        if m is None:
            continue
        builder = Builder(root.loc)
        new = action(m, builder)
        if new is None:
            for o in builder.ops:
                o.drop_operands()
            continue
        ops += builder.ops
        return new if isinstance(new, list) else [new]
    return None
