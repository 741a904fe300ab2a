"""The comment above each call: what runs, on which shapes, where in memory."""

from __future__ import annotations

from emberc.backend.c.literals import wrap
from emberc.backend.c.naming import comment_text
from emberc.backend.planning import Copy, FunctionPlan, Home
from emberc.ir.graph import root
from emberc.ir.op import Op
from emberc.ir.values import Constant, Value

_COLUMNS = 116


def describe(op: Op, plan: FunctionPlan) -> list[str]:
    """Comment lines of an op, as in ::

    /* /layer.0/attention   q.attention   x i8[128,240] arena 0x0000 -> y i8[128,80] arena 0x7800;
     * scratch 0x9600 (512 bytes) */
    """
    node = comment_text(op.loc) or "(no ONNX node)"
    reads = [_operand(name, value, plan) for name, value in op.named_operands() if _tells(value)]
    writes = [_result(name, value, op, plan) for name, value in zip(op.result_fields, op.results, strict=False)]
    parts = [f"{node}  ", f"{op.opcode}  ", *_listed(reads), "->", *_listed(writes)]
    region = plan.scratch(op)
    if op.is_view:
        parts = [f"{node}  ", f"{op.opcode}  ", *_listed(reads), "->", *_listed(writes), "(the same bytes)"]
    elif region is not None:
        parts[-1] += ";"
        parts.append(f"scratch {region.pool + ' ' if region.pool else ''}0x{region.offset:04x} ({region.size} bytes)")
    return block_comment(parts)


def describe_copy(copy: Copy, plan: FunctionPlan) -> list[str]:
    """Comment lines of a copy to an output that no op writes."""
    source = f"{shape_text(copy.source)} {_where(copy.source, plan)}"
    return block_comment(["copy  ", source, "->", f"out {comment_text(copy.output)}"])


def block_comment(parts: list[str]) -> list[str]:
    """``parts`` as one C comment over as many lines as they need."""
    lines = wrap(parts, "", _COLUMNS - 6)
    lines = [("/* " if i == 0 else " * ") + line for i, line in enumerate(lines)]
    lines[-1] += " */"
    return lines


def shape_text(value: Value) -> str:
    """``i8[128,80]``"""
    return f"{value.type.dtype.value}[{','.join(map(str, value.shape))}]"


def _tells(value: Value) -> bool:
    return not isinstance(root(value), Constant) or value.type.rank > 1


def _listed(parts: list[str]) -> list[str]:
    return [p + "," for p in parts[:-1]] + parts[-1:]


def _operand(name: str, value: Value, plan: FunctionPlan) -> str:
    return f"{name} {shape_text(value)} {_where(value, plan)}"


def _result(name: str, value: Value, op: Op, plan: FunctionPlan) -> str:
    text = f"{name} {shape_text(value)} {_where(value, plan)}"
    mine = plan.place(value)
    if mine.home is Home.ARENA and not op.is_view:
        over = [n for n, v in op.named_operands() if plan.place(v) == mine]
        if over:
            text += f" in place over {over[0]}"
    return text


def _where(value: Value, plan: FunctionPlan) -> str:
    if isinstance(root(value), Constant):
        return "flash"
    place = plan.place(value)
    if place.home is Home.ARENA:
        return f"{place.name or 'arena'} 0x{place.offset:04x}"
    return f"{place.home.value} {comment_text(place.name)}".rstrip()
