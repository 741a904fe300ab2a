"""fuse-functions: expressions of one variable become one function, which firmware looks up in one table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from emberc.ir.builder import Builder
from emberc.ir.graph import Function, Module
from emberc.ir.op import Op
from emberc.ir.ops.float_binary import Binary, Mul, Where
from emberc.ir.ops.float_pointwise import Pointwise
from emberc.ir.ops.float_quant import FakeQuant
from emberc.ir.ops.float_unary import Reciprocal, Unary
from emberc.ir.rewrite import splat
from emberc.ir.types import DType
from emberc.ir.values import Value
from emberc.passes.manager import Pass

#: what one integer op does as well as a table, with more than 8 bits
AFFINE = {"f.add", "f.sub", "f.mul", "f.neg"}
#: more steps than this are a program, not an activation function
STEP_LIMIT = 200


@dataclass(frozen=True)
class FuseFunctions(Pass):
    """where(less(x, 0), mul(x, 0.1), x)  -->  pointwise(x)

    Any tree of elementwise ops and numbers over one value: leaky ReLU, hard swish, Mish, softcap, x^3, I-BERT's
    integer GELU. A table costs the same for all of them, and no value inside is rounded. Sums and products with
    numbers alone stay; roundings that the file prescribes begin a new function, unless they stand inside one.
    div(x, y) becomes mul(x, reciprocal(y)), so that it is a function and a product.
    """

    name: ClassVar[str] = "fuse-functions"

    def run(self, module: Module) -> bool:
        quotients = [_split_quotients(f) for f in module.functions.values()]
        return any([_fuse(f) for f in module.functions.values()] + quotients)


def _split_quotients(function: Function) -> bool:
    """div(x, y) of two activations becomes mul(x, reciprocal(y)): firmware has a table, but no division."""
    found = [op for op in function.ops if op.opcode == "f.div" and op.result.type.dtype is DType.F32]
    for op in found:
        x, y = op.operands
        assert x is not None and y is not None
        builder = Builder(op.loc)
        inverse = builder.emit(Reciprocal, y)
        at = function.ops.index(op)
        product = builder.emit(Mul, x, inverse)
        product.name = op.result.name
        function.ops[at:at] = builder.ops
        function.replace(op.result, product)
    if found:
        function.prune()
    return bool(found)


def _fuse(function: Function) -> bool:
    base: dict[int, Value] = {}
    for op in function.ops:
        for r in op.results:
            base[id(r)] = _base(op, base)
    found = [_expression(op, base, function) for op in function.ops]
    expressions = [e for e in found if e is not None]
    for e in expressions:
        _replace(function, e)
    if expressions:
        function.prune()
    return bool(expressions)


@dataclass(frozen=True)
class _Expression:
    """The result of ``op`` as ``steps`` over ``x``, and who reads it from outside."""

    op: Op
    x: Value
    steps: list[str]
    readers: list[Op]


def _expression(op: Op, base: dict[int, Value], function: Function) -> _Expression | None:
    y = op.results[0]
    x = base[id(y)]
    if x is y or y.type.dtype is not x.type.dtype or isinstance(op, FakeQuant):
        return None
    outside = [u for u in y.users if base[id(u.results[0])] is not x or isinstance(u, FakeQuant)]
    steps = expression_steps(y, x) if outside or function.is_output(y) else None
    return None if steps is None else _Expression(op, x, steps, list(dict.fromkeys(outside)))


def _replace(function: Function, e: _Expression) -> None:
    y, builder = e.op.results[0], Builder(e.op.loc)
    new = builder.emit(Pointwise, e.x, steps=e.steps)
    new.name = y.name
    function.ops.insert(function.ops.index(e.op), builder.ops[0])
    for user in e.readers:
        for i, v in enumerate(user.operands):
            if v is y:
                user.set_operand(i, new)
    function.outputs = {name: new if v is y else v for name, v in function.outputs.items()}


def _base(op: Op, base: dict[int, Value]) -> Value:
    """The one value that the op's result is a function of: itself where there are several, or none."""
    y = op.results[0]
    if not isinstance(op, Unary | Binary | Where):
        return y
    leaves = {id(b): b for v in op.operands if v is not None and splat(v) is None for b in [base.get(id(v), v)]}
    if len(leaves) != 1:
        return y
    (x,) = leaves.values()
    if not x.type.dtype.is_float or x.shape != y.shape:
        return y
    return y if isinstance(op, FakeQuant) and not isinstance(x.producer, FakeQuant) else x


def expression_steps(y: Value, x: Value) -> list[str] | None:
    """The expression of ``y`` over ``x``; None where the op that is there does as well."""
    places: dict[int, int] = {id(x): 0}
    steps: list[str] = []
    codes: list[str] = []
    pending = [y]
    while pending:
        v = pending[-1]
        if id(v) in places:
            pending.pop()
            continue
        number = splat(v)
        if number is not None:
            steps.append(repr(number) + ("" if v.type.dtype is x.type.dtype else f":{v.type.dtype.value}"))
        else:
            op = v.producer
            assert op is not None
            missing = [o for o in op.operands if o is not None and id(o) not in places]
            if missing:
                pending += missing
                continue
            read = " ".join(str(places[id(o)]) for o in op.operands if o is not None)
            steps.append(f"{op.opcode} {read}" + (f" {json.dumps(op.attrs)}" if op.attrs else ""))
            codes.append(op.opcode)
        places[id(v)] = len(steps)
        pending.pop()
    alone = len(codes) == 1 and y.producer is not None and isinstance(y.producer, Unary)
    if alone or set(codes) <= AFFINE or len(steps) > STEP_LIMIT or x.type.dtype is not DType.F32:
        return None
    return steps
