"""tile-time: a model that only looks back runs a few steps at a time, so that no value is as long as the sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emberc.errors import UnsupportedError
from emberc.ir.graph import Function, Module, State
from emberc.ir.ops.integer_scan import SelectiveScan
from emberc.ir.ops.time_tiles import TimeTiles
from emberc.passes import step_rules, step_windows  # noqa: F401 (register the rules)
from emberc.passes.manager import Pass
from emberc.passes.steps import Steps, sequence_length, time_axis
from emberc.passes.tile_rows import largest_tile


@dataclass(frozen=True)
class TileTime(Pass):
    """main(x) with scans  -->  time_tiles(x) { main on ``rows`` steps, with its states }

    The streaming form of the model, a tile of steps a call: the same arithmetic for every row, so the same bits. Not
    where an op looks ahead, where a state is still read while the next one is made, or with several outputs.
    ``rows`` is the largest tile; the largest divisor of the sequence's length up to it is taken. 0: never.
    """

    name: ClassVar[str] = "tile-time"
    rows: int = 16

    def run(self, module: Module) -> bool:
        main = module.main
        if len(main.outputs) != 1 or not any(isinstance(op, SelectiveScan) for op in main.ops):
            return False
        rows = largest_tile(sequence_length(main), self.rows)
        if not rows or any(time_axis(v, main) is None for v in main.inputs):
            return False
        steps = Steps(main, rows)
        try:
            body = steps.run()
        except UnsupportedError:
            body = Function("")
        if not body.ops or not all(body.in_place(s) and _simple(body, s) for s in body.states):
            for op in steps.builder.ops:
                op.drop_operands()
            return False
        _outline(module, body, rows, steps.length)
        return True


def _simple(body: Function, state: State) -> bool:
    """Whether a memset begins the state: it is all zeros, or int8 with one value."""
    return state.start is None and (
        state.fill == 0 or any(v.name == state.name and v.type.dtype.size == 1 for v in body.inputs)
    )


def _outline(module: Module, body: Function, rows: int, length: int) -> None:
    main = module.main
    ((name, y),) = main.outputs.items()
    after = {s.after for s in body.states}
    (exit_,) = [v for n, v in body.outputs.items() if n not in after]
    differs = [i for i, (a, b) in enumerate(zip(y.shape, exit_.shape, strict=True)) if a != b]
    body.name = "time"
    module.functions[body.name] = body
    states = [f"{s.name}>{s.after}>{s.fill}" for s in body.states]
    attrs = {"body": body.name, "rows": rows, "states": states, "axis": differs[0] if differs else -1}
    call = TimeTiles.from_parts(main.inputs, attrs, [y.type], f"all {length} steps")
    call.callee = body
    call.result.name = y.name
    for op in main.ops:
        op.drop_operands()
    main.ops, main.outputs = [call], {name: call.result}
