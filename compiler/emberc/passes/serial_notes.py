"""Recurrences that an exporter unrolled and nothing rolled up again, for the report: which node is to blame."""

from __future__ import annotations

from dataclasses import dataclass

from emberc.ir.graph import Function
from emberc.ir.op import Op
from emberc.passes.loop_notes import step_of

#: what may happen to the state of a linear recurrence between two steps; f.mul and f.div by what is no state, too
_LINEAR = {"f.add", "f.sub", "f.neg", "f.reshape", "f.transpose", "f.slice", "f.gather", "f.expand", "f.concat"}
_SHORTEST = 3


@dataclass(frozen=True)
class _Seen:
    """What a value has seen of the rows: the last one, in how many steps a function of the state went into the next
    step, the op that is such a function of the state at hand, and the first of those that went on."""

    last: int
    bends: int = 0
    bent: Op | None = None
    first: Op | None = None
    state: bool = False


def serial_notes(function: Function) -> list[str]:
    """One line for each chain of steps, one a row of a tensor, that each need a function of the step before.

    Looks at what is left after recovery. Steps of a Loop or Scan have notes of their own (``loop_notes``).
    """
    notes: dict[str, str] = {}
    for rows in _rows_read_apart(function):
        worst = max(_follow(function, rows), key=lambda s: s.bends)
        culprit = worst.first
        if culprit is None or worst.bends < _SHORTEST - 1:
            continue
        count = len(set(rows.values()))
        notes[culprit.loc] = (
            f"'{culprit.loc}': {count} steps stay unrolled, as general ops, because each needs the one before and "
            f"{culprit.opcode.removeprefix('f.')} of a state is no multiple of it"
        )
    return list(notes.values())


def _rows_read_apart(function: Function) -> list[dict[int, int]]:
    """For every tensor and axis that is read row by row: result of the reading op --> how many rows were used before.

    Rows are numbered as they are used, so that steps may go either way.
    """
    found: dict[tuple[int, int], dict[int, int]] = {}
    values = {}
    for op in function.ops:
        row = _row(op)
        if row is not None and step_of(op) is None:
            axis, index = row
            found.setdefault((id(op.operands[0]), axis), {})[id(op.result)] = index
            values[id(op.result)] = op.result
    found = {key: rows for key, rows in found.items() if len(set(rows.values())) >= _SHORTEST}
    place = {id(op): i for i, op in enumerate(function.ops)} if found else {}
    out = []
    for rows in found.values():
        used = sorted(rows, key=lambda v: min((place[id(u)] for u in values[v].users), default=len(place)))
        number = {row: n for n, row in enumerate(dict.fromkeys(rows[v] for v in used))}
        out.append({v: number[row] for v, row in rows.items()})
    return out


def _row(op: Op) -> tuple[int, int] | None:
    """Axis and index of an op that reads a single row of a tensor."""
    x = op.operands[0] if op.operands else None
    if x is None or x.const is not None:
        return None
    if op.opcode == "f.gather":
        ids, axis = op.operands[1], op.attrs["axis"]
        if ids is None or ids.const is None or ids.const.size != 1 or not isinstance(axis, int):
            return None
        return axis % x.type.rank, int(ids.const.reshape(-1)[0]) % x.shape[axis]
    if op.opcode != "f.slice":
        return None
    axes, starts = op.attrs["axes"], op.attrs["starts"]
    assert isinstance(axes, list) and isinstance(starts, list)
    if len(axes) != 1 or op.result.shape[axes[0]] != 1 or x.shape[axes[0]] < _SHORTEST:
        return None
    return axes[0], starts[0] % x.shape[axes[0]]


def _follow(function: Function, rows: dict[int, int]) -> list[_Seen]:
    """What the values of the function have seen of these rows."""
    seen: dict[int, _Seen] = {}
    for op in function.ops:
        if id(op.results[0]) in rows:
            seen[id(op.results[0])] = _Seen(rows[id(op.results[0])])
            continue
        parts = [seen[id(v)] for v in op.operands if v is not None and id(v) in seen]
        if parts:
            result = _joined(op, parts)
            seen.update((id(r), result) for r in op.results)
    return list(seen.values())


def _joined(op: Op, parts: list[_Seen]) -> _Seen:
    """Rows meet in an op: one step goes into the next, unless it only lays them side by side."""
    last, most = max(p.last for p in parts), max(parts, key=lambda p: p.bends)
    states = [p for p in parts if p.state]
    bent = next((p.bent for p in states if p.bent is not None), None)
    if op.opcode != "f.concat" and any(p.last != last for p in parts):
        before = next((p.bent for p in parts if p.last != last and p.bent is not None), None)
        if before is not None:
            return _Seen(last, most.bends + 1, None, most.first or before, True)
        return _Seen(last, most.bends, bent, most.first, True)
    scaled = op.opcode in ("f.mul", "f.div") and len(states) == 1
    if states and bent is None and op.opcode not in _LINEAR and not scaled:
        bent = op
    return _Seen(last, most.bends, bent, most.first, bool(states))
