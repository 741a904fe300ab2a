"""What the planner is told: the caller's buffers and flash take no arena, views no memory, in place only where safe."""

from __future__ import annotations

import numpy as np

from backend.encoder import encoder
from backend.support import Net
from emberc.backend.c import plan_for
from emberc.backend.planning import Home, Place, plan_function
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.integer_conv import CausalConv
from emberc.ir.ops.integer_elementwise import Add, Requantize
from emberc.ir.ops.integer_movement import Reshape
from emberc.ir.ops.integer_table import Table
from emberc.ir.types import DType
from emberc.memory import check_plan
from emberc.targets import load_target

ADD = {"m1": 1, "s1": 0, "m2": 1, "s2": 0, "c": 0, "frac": 0}


def test_inputs_outputs_and_constants_take_no_arena() -> None:
    net = Net()
    x = net.input("x", DType.I8, 3, 7)
    y = net.out(Add, x, net.weights(7), **ADD)
    plan = plan_function(net.module().main)
    assert plan.arena_bytes == 0 and plan.io_bytes == 42
    assert plan.place(x) == Place(Home.INPUT, "x") and plan.place(y) == Place(Home.OUTPUT, "y0")
    assert plan.place(plan.ops[0].operands[1] or x) == Place(Home.FLASH)


def test_an_output_that_is_read_later_stays_in_the_callers_buffer() -> None:
    net = Net()
    table = net.weights(256)
    middle = net.out(Table, net.input("x", DType.I8, 129), table)
    last = net.out(Table, middle, table)
    plan = plan_function(net.module().main)
    assert plan.place(middle) == Place(Home.OUTPUT, "y0") and plan.place(last) == Place(Home.OUTPUT, "y1")
    assert plan.arena_bytes == 0


def test_a_view_lies_where_its_operand_lies_and_a_viewed_output_is_written_directly() -> None:
    net = Net()
    made = net.add(Table, net.input("x", DType.I8, 3, 7), net.weights(256))
    view = net.out(Reshape, net.add(Reshape, made, shape=[21]), shape=[7, 3])
    plan = plan_function(net.module().main)
    assert plan.place(made) == plan.place(view) == Place(Home.OUTPUT, "y0")
    assert [op.opcode for op in plan.ops] == ["q.table", "q.reshape", "q.reshape"] and plan.copies == ()


def test_an_output_that_is_an_input_a_constant_or_another_output_is_copied() -> None:
    net = Net()
    x, k = net.input("x", DType.I8, 3), net.weights(3)
    y = net.out(Table, x, net.weights(256))
    net.outputs |= {"same": y, "input": x, "constant": k}
    plan = plan_function(net.module().main)
    assert [(c.output, c.source) for c in plan.copies] == [("same", y), ("input", x), ("constant", k)]


def test_elementwise_ops_run_in_place_of_what_dies() -> None:
    net = Net()
    a = net.add(Table, net.input("x", DType.I8, 129), net.weights(256))
    b = net.add(Table, a, net.weights(256))
    net.out(Table, b, net.weights(256))
    plan = plan_function(net.module().main)
    assert plan.place(a) == plan.place(b) and plan.arena_bytes == 144


def test_a_wider_result_or_a_broadcast_operand_is_never_overwritten() -> None:
    net = Net()
    x = net.input("x", DType.I8, 3, 17)
    a = net.add(Table, x, net.weights(256))
    wide = net.add(Requantize, a, m=1, s=0, c=0, frac=0, dtype="i16")
    row = net.add(Table, net.input("row", DType.I8, 1, 17), net.weights(256))
    z = net.add(Add, wide, net.add(Requantize, row, m=1, s=0, c=0, frac=0, dtype="i16"), **ADD, dtype="i16")
    net.out(Add, z, z, **ADD)
    plan = plan_function(net.module().main)
    assert plan.place(a) != plan.place(wide)
    check_plan(plan.memory.to_json())
    assert plan.memory.inplace == {plan.memory.graph.nodes[4].writes[0]: plan.memory.graph.nodes[1].writes[0]}


def test_a_narrower_result_lies_over_its_operand_where_kernels_keep_the_order() -> None:
    """int8 over int16, from the first byte: the sum needs one tensor of 16 bits at its peak, and nothing beside it."""
    net = Net()
    x = net.input("x", DType.I8, 3, 17)
    wide = net.add(Requantize, x, m=1, s=0, c=0, frac=0, dtype="i16")
    narrow = net.add(Add, wide, x, **ADD)
    net.out(Table, narrow, net.weights(256))
    plan = plan_function(net.module().main)
    check_plan(plan.memory.to_json())
    assert plan.place(wide) == plan.place(narrow) and plan.arena_bytes == 112 and plan.memory.proved


def test_a_result_that_nobody_reads_is_left_out() -> None:
    """The rows that a convolution keeps for a next call: of a whole sequence there is none."""
    net = Net()
    x = net.input("x", DType.I8, 1, 17, 8)
    parts = [net.weights(4, 8), net.words(8, -900, 900), net.words(8, 1 << 24, 1 << 26)]
    y, tail = net.builder.add(CausalConv, x, *parts)
    net.out(Table, y, net.weights(256))
    plan = plan_function(net.module().main)
    check_plan(plan.memory.to_json())
    assert plan.place(tail) == Place(Home.NOWHERE) and plan.arena_bytes == 144
    net.out(Table, tail, net.weights(256))
    assert plan_function(net.module().main).place(tail).home is Home.ARENA


def test_an_operand_that_is_read_twice_is_not_overwritten() -> None:
    net = Net()
    a = net.add(Table, net.input("x", DType.I8, 129), net.weights(256))
    twice = net.add(Add, a, a, **ADD)
    net.out(Table, twice, net.weights(256))
    plan = plan_function(net.module().main)
    assert plan.place(a) != plan.place(twice)


def test_scratch_is_the_selected_kernels() -> None:
    net = Net()
    q = net.add(Table, net.input("x", DType.I8, 1, 17, 4), net.weights(256))
    table = net.const([9, 0], np.int16)
    net.out(Attention, q, q, q, table, None, heads=1, head_dim=4, m_score=1, c_out=1, shift_out=0)
    module = net.module()
    plan = plan_for(module.main, load_target("host"))
    (op,) = [op for op in plan.ops if op.opcode == "q.attention"]
    at, size = (plan.scratch(op) or (-1, 0))[-2:]
    assert size == 36 and at % 16 == 0 and plan.scratch(plan.ops[0]) is None
    assert plan_function(module.main, lambda op: 1000).scratch(op) != ("", at, size)


def test_an_encoders_plan_holds_and_starts_every_buffer_aligned() -> None:
    plan = plan_for(encoder().main, load_target("host"))
    check_plan(plan.memory.to_json())
    assert all(region.offset % 16 == 0 for region in plan.memory.tensors.values())
    assert plan.memory.proved
