"""Explicit state: which inputs of a model take what an output gave in the call before.

Names say nothing that can be relied on, so pairs are found by structure. Equal types make candidates. Of these the next
state is the one that its own state reaches on a path of sums, products and movements alone (c' = f c + i g, a cache
with a row appended, a shifted window); another state comes to it only through a matrix or a squashing function. What
that leaves open is settled by plain dependence: in layers, the state of the first depends on one input only, that of
the second on one more, and so on. A pair counts when nothing else is left to choose; else the user names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from emberc.errors import UsageError
from emberc.ir.builder import Builder
from emberc.ir.graph import Function, State
from emberc.ir.op import Op
from emberc.ir.ops.float_movement import Slice
from emberc.ir.values import Constant, Value

#: ops whose result carries on what any of their operands holds
CARRIES = {"f.add", "f.sub", "f.mul", "f.where", "f.concat", "f.slice", "f.reshape", "f.transpose", "f.expand", "f.pad"}
#: those whose result carries on their first operand
CARRIES_FIRST = {"f.gather", "f.gather_nd", "f.cast", "f.fake_quant"}
#: result -> the operand that it is in the next call
STATEFUL = {
    "f.lstm": {"y": "h0", "hidden": "h0", "last": "c0"},
    "f.gru": {"y": "h0", "last": "h0"},
    "f.recurrence": {"states": "initial"},
}

Pairs = dict[str, str]


def pair_states(function: Function, given: Mapping[str, str]) -> list[State]:
    """The states of a function that has them as inputs and outputs; empty for one that has none.

    ``given``: output by input, ``*`` standing for the same text in both; empty: by structure. A cache that comes out
    longer than it went in, new rows behind the old, keeps its size: its oldest rows leave (``function`` gets the
    slice). Raises UsageError for names that do not exist or do not fit, and where structure leaves a choice.
    """
    pairs = _named(function, given) if given else _found(function)
    inputs = {v.name: v for v in function.inputs}
    for name, after in pairs.items():
        function.outputs[after] = _same_size(function, inputs[name], function.outputs[after])
    return [State(name, after) for name, after in pairs.items()]


def states_text(function: Function) -> str:
    """``; state h = hn``: what the compiler took for states, for its log."""
    pairs = [f"{s.name} = {s.after}" for s in function.states]
    more = f", .. {len(pairs) - 3} more" if len(pairs) > 4 else ""
    return f"; state {', '.join(pairs[:3] if more else pairs)}{more}" if pairs else ""


def show_states(function: Function) -> None:
    """Where states are all that a model gives, its caller is given them too."""
    if function.states and not function.caller_outputs():
        for i, s in enumerate(function.states):
            kept = f"{s.after}_kept"
            function.outputs[kept] = function.outputs[s.after]
            function.states[i] = replace(s, after=kept)


# --- by name --------------------------------------------------------------------------------------


def _named(function: Function, given: Mapping[str, str]) -> Pairs:
    inputs = {v.name or "": v for v in function.inputs}
    pairs: Pairs = {}
    for name, after in given.items():
        for found, output in _expanded(name, after, inputs):
            if found not in inputs or output not in function.outputs:
                side, known = ("input", inputs) if found not in inputs else ("output", function.outputs)
                wrong = found if found not in inputs else output
                raise UsageError(f"--state {name}={after}: the model has no {side} '{wrong}'", hints=[_list(known)])
            if not _fits(inputs[found], function.outputs[output]):
                raise UsageError(
                    f"--state {name}={after}: input '{found}' is {inputs[found].type}, "
                    f"output '{output}' is {function.outputs[output].type}",
                    hints=["a state goes in as it came out; a cache may come out longer, new rows behind the old"],
                )
            pairs[found] = output
    if len(set(pairs.values())) < len(pairs):
        raise UsageError("--state: two inputs take the same output", hints=[_list(function.outputs)])
    return pairs


def _expanded(name: str, after: str, inputs: Iterable[str]) -> list[tuple[str, str]]:
    """``past.*=present.*`` for every input that matches; a pair without a star as it is."""
    if "*" not in name:
        return [(name, after)]
    head, _, tail = name.partition("*")
    found = [i for i in inputs if len(i) >= len(name) - 1 and i.startswith(head) and i.endswith(tail)]
    if not found:
        raise UsageError(f"--state {name}={after}: no input matches '{name}'", hints=[_list(inputs)])
    return [(i, after.replace("*", i[len(head) : len(i) - len(tail)], 1)) for i in found]


def _list(names: Iterable[str]) -> str:
    return "there are: " + ", ".join(names)


# --- by structure ---------------------------------------------------------------------------------


def _found(function: Function) -> Pairs:
    """The pairs that structure leaves no choice about; none where no input could be a state."""
    carried, reached = _origins(function)
    length = _steps(function)
    candidates = [  # data come first in every exporter's signature
        v
        for v in function.inputs[1:]
        if not (length > 1 and length in v.shape[:2]) and any(_fits(v, o) for o in function.outputs.values())
    ]
    pairs: Pairs = {}
    for origins in (carried, reached):
        while found := _forced(function, candidates, pairs, origins):
            pairs |= found
    open_ = {v.name or "": _choices(function, v, pairs, reached) for v in candidates if v.name not in pairs}
    open_ = {name: outputs for name, outputs in open_.items() if outputs}
    if open_:
        raise UsageError(
            "streaming: which inputs are states, and of which outputs, can be read in more than one way",
            details=[f"{name} may be what {' or '.join(o)} was in the call before" for name, o in open_.items()],
            hints=[f"name every pair: --state {next(iter(open_))}={next(iter(open_.values()))[0]}"],
        )
    return pairs


def _forced(function: Function, candidates: list[Value], pairs: Pairs, origins: dict[int, set[int]]) -> Pairs:
    """One more pair: an input with one output left, or an output with one input left."""
    left = {v.name or "": _choices(function, v, pairs, origins) for v in candidates if v.name not in pairs}
    for name, outputs in left.items():
        if len(outputs) == 1 and sum(outputs[0] in o for o in left.values()) == 1:
            return {name: outputs[0]}
    for output in function.outputs:
        takers = [name for name, outputs in left.items() if output in outputs]
        if len(takers) == 1:
            return {takers[0]: output}
    return {}


def _choices(function: Function, v: Value, pairs: Pairs, origins: dict[int, set[int]]) -> list[str]:
    """Outputs not yet taken that ``v`` reaches and whose type it has."""
    taken = set(pairs.values())
    return [
        name
        for name, o in function.outputs.items()
        if name not in taken and _fits(v, o) and id(v) in origins.get(id(o), set())
    ]


def _steps(function: Function) -> int:
    """Steps that the first input has; 1 where it is a step, as a row of features is."""
    first = function.inputs[0].type if function.inputs else None
    if first is None or (first.dtype.is_float and first.rank < 3):
        return 1
    return next((s for s in first.shape[:2] if s != 1), 1)


def _origins(function: Function) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    """The inputs that every value carries on, and those that it depends on, by ``id``."""
    carried: dict[int, set[int]] = {id(v): {id(v)} for v in function.inputs}
    reached: dict[int, set[int]] = {id(v): {id(v)} for v in function.inputs}
    for op in function.ops:
        depends = set[int]().union(*(reached.get(id(v), ()) for v in op.operands if v is not None))
        for name, r in zip(op.result_fields, op.results, strict=False):
            reached[id(r)] = depends
            carried[id(r)] = set[int]().union(*(carried.get(id(v), ()) for v in _carriers(op, name)))
    return carried, reached


def _carriers(op: Op, result: str) -> list[Value]:
    """The operands that a result carries on."""
    operands = [v for v in op.operands if v is not None]
    if op.opcode in STATEFUL:
        port = STATEFUL[op.opcode].get(result)
        return [v for name, v in op.named_operands() if name == port]
    if op.opcode in CARRIES:
        return operands
    return operands[:1] if op.opcode in CARRIES_FIRST else []


# --- caches that grow -----------------------------------------------------------------------------


def _fits(v: Value, o: Value | Constant) -> bool:
    return v.type == o.type or _grown_axis(v, o) is not None


def _grown_axis(v: Value, o: Value | Constant) -> int | None:
    """The axis along which ``o`` is ``v`` with new rows behind it."""
    op = o.producer
    if op is None or op.opcode != "f.concat" or op.operands[0] is not v:
        return None
    return int(str(op.attrs["axis"])) % v.type.rank


def _same_size(function: Function, v: Value, o: Value | Constant) -> Value | Constant:
    """``o``, or its last rows where it has grown."""
    axis = _grown_axis(v, o)
    if axis is None or v.type == o.type:
        return o
    b = Builder(o.producer.loc if o.producer else "")
    new = o.shape[axis] - v.shape[axis]
    last = b.emit(Slice, o, starts=[new], ends=[o.shape[axis]], axes=[axis], steps=[1])
    function.ops += b.ops
    return last
