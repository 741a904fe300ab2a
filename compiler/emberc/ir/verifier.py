"""The verifier: runs after every pass; a failure names the pass, the op and what broke."""

from __future__ import annotations

from math import isfinite

from emberc.errors import VerifyError
from emberc.ir.graph import Function, Module
from emberc.ir.op import Op, operand, optional, variadic
from emberc.ir.types import TensorType
from emberc.ir.values import Constant, Value


def verify(module: Module, after: str = "") -> None:
    """Checks every function: SSA order, operand types, inferred result types, the ops' own rules, use lists.

    ``after`` is the pass to blame. Raises VerifyError.
    """
    for function in module.functions.values():
        for problem, op in _problems(function):
            where = f"op {op.opcode} ({op.loc or 'no ONNX node'})" if op else f"function @{function.name}"
            blame = f" after pass '{after}'" if after else ""
            raise VerifyError(f"{problem}{blame}", at=where)


def _problems(function: Function) -> list[tuple[str, Op | None]]:
    found: list[tuple[str, Op | None]] = []
    defined: set[int] = {id(v) for v in function.inputs}
    users: dict[int, set[int]] = {}  # of values that were looked at: a constant may have thousands

    def known(v: Value) -> bool:
        return isinstance(v, Constant) or id(v) in defined

    for op in function.ops:
        for name, v in op.named_operands():
            if not known(v):
                found.append((f"operand '{name}' is used before it is defined", op))
            if id(v) not in users:
                users[id(v)] = {id(u) for u in v.users}
            if id(op) not in users[id(v)]:
                found.append((f"operand '{name}' does not list the op among its users", op))
        found += [(p, op) for p in _type_problems(op)]
        for r in op.results:
            if id(r) in defined:
                found.append(("a result is defined twice", op))
            if r.producer is not op:
                found.append(("a result does not point back at its op", op))
            defined.add(id(r))
    inside = {id(op) for op in function.ops}
    for v in [*function.inputs, *(r for op in function.ops for r in op.results)]:
        strangers = [u for u in v.users if id(u) not in inside]
        found += [(f"{v} lists a user that is not in the function: {u}", None) for u in strangers[:1]]
    for name, v in function.outputs.items():
        if not known(v):
            found.append((f"output '{name}' is never defined", None))
    return found


def _type_problems(op: Op) -> list[str]:
    out: list[str] = []
    fields = list(op.operand_fields.items())
    for i, v in enumerate(op.operands):
        name, field = fields[min(i, len(fields) - 1)]
        if v is None:
            if isinstance(field, operand | variadic):
                out.append(f"operand '{name}' is missing")
        elif field.dtypes and v.type.dtype not in field.dtypes:
            allowed = ", ".join(d.value for d in field.dtypes)
            kind = "optional operand" if isinstance(field, optional) else "operand"
            out.append(f"{kind} '{name}' is {v.type.dtype.value}, allowed: {allowed}")
    if out:
        return out
    try:
        inferred = op.infer()
        op.verify()
    except VerifyError as e:
        return [e.message]
    except (ArithmeticError, LookupError, TypeError, ValueError) as e:  # a rule that took too much for granted
        return [f"operands and attributes do not fit: {type(e).__name__}: {e}"]
    if len(inferred) != len(op.results):
        return [f"{len(op.results)} results, {len(inferred)} inferred"]
    for name, t, r in zip(op.result_fields or [""] * len(inferred), inferred, op.results, strict=False):
        if (t.dtype, t.shape) != (r.type.dtype, r.type.shape):
            out.append(
                f"result '{name}' is {r.type.dtype.value}{list(r.shape)}, "
                f"its operands make {t.dtype.value}{list(t.shape)}"
            )
        out += [f"result '{name}' {problem}" for problem in _quant_problems(r.type)]
    return out


def _quant_problems(t: TensorType) -> list[str]:
    """Rules of a quantization: positive scales, one or as many as its axis is long, a zero point that exists."""
    q = t.quant
    if q is None:
        return []
    if not t.dtype.is_integer:
        return [f"is {t.dtype.value} and has a quantization"]
    want = 1 if q.axis is None else t.shape[q.axis] if 0 <= q.axis < t.rank else -1
    if len(q.scale) != want:
        return [f"has {len(q.scale)} scales on axis {q.axis} of {list(t.shape)}"]
    if not all(isfinite(s) and s > 0 for s in q.scale):
        return ["has a scale that is no positive number"]
    lo, hi = t.dtype.limits
    return [] if lo <= q.zero_point <= hi else [f"has zero point {q.zero_point}, outside {t.dtype.value}"]
