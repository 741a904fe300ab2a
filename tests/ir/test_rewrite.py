"""The pattern engine: what matches, what does not, and what applying rules leaves behind."""

from __future__ import annotations

import numpy as np
import pytest

from emberc.errors import VerifyError
from emberc.ir.graph import Function
from emberc.ir.op import Op, op_class
from emberc.ir.parser import parse_module
from emberc.ir.rewrite import Pattern, any_value, apply_rules, constant, match_op, op, roots, scalar, splat
from emberc.ir.values import Constant

x, y = any_value("x"), any_value("y")


def function(*lines: str, outs: str = '%r as "r"') -> Function:
    """A function of two inputs %x and %y, and constants %two, %ones and %v."""
    body = "\n".join(f"    {line} : f32[2]" for line in lines)
    text = f"""module @m {{
      const %two : f32[] = [2.0]
      const %ones : f32[2] = [1.0, 1.0]
      const %v : f32[2] = [1.0, 3.0]
      func @main(%x : f32[2], %y : f32[2]) {{
    {body}
        return {outs}
      }}
    }}"""
    return parse_module(text).main


def last(*lines: str) -> Op:
    return function(*lines).ops[-1]


def test_an_expression_binds_its_names() -> None:
    pattern = op("f.tanh", op("f.mul", x, scalar(2.0, "c"), name="product"))
    m = match_op(pattern, last("%a = f.mul %x, %two", "%r = f.tanh %a"))
    assert m is not None and m["x"].name == "x" and m.const("c") == 2.0 and m.ops["product"].opcode == "f.mul"
    assert "x" in m and "y" not in m


@pytest.mark.parametrize("line", ["%r = f.add %x, %a", "%r = f.add %a, %x"])
def test_commutative_ops_match_in_either_order(line: str) -> None:
    assert match_op(op("f.add", x, op("f.tanh", x)), last("%a = f.tanh %x", line)) is not None


def test_other_ops_match_in_their_order_only() -> None:
    pattern = op("f.sub", x, op("f.tanh", x))
    assert match_op(pattern, last("%a = f.tanh %x", "%r = f.sub %x, %a")) is not None
    assert match_op(pattern, last("%a = f.tanh %x", "%r = f.sub %a, %x")) is None


def test_a_name_that_occurs_twice_binds_one_value() -> None:
    square = op("f.mul", x, x)
    assert match_op(square, last("%r = f.mul %x, %x")) is not None
    assert match_op(square, last("%r = f.mul %x, %y")) is None


def test_every_way_to_bind_is_tried() -> None:
    """The first order of the outer sum binds x to the wrong side; the second is right."""
    pattern = op("f.add", op("f.mul", x, y), op("f.tanh", x))
    root = last("%a = f.mul %y, %x", "%b = f.tanh %x", "%r = f.add %a, %b")
    m = match_op(pattern, root)
    assert m is not None and m["x"].name == "x" and m["y"].name == "y"


def test_alternatives_of_any_number_match() -> None:
    pattern: Pattern = op("f.tanh", x) | op("f.relu", x) | op("f.exp", x)
    assert roots(pattern) == {"f.tanh", "f.relu", "f.exp"}
    for code in ("tanh", "relu", "exp"):
        assert match_op(pattern, last(f"%r = f.{code} %x")) is not None
    assert match_op(pattern, last("%r = f.abs %x")) is None
    inner = op("f.neg", pattern)
    assert match_op(inner, last("%a = f.exp %x", "%r = f.neg %a")) is not None


def test_a_pattern_has_exactly_the_operands_that_are_there() -> None:
    text = """module @m {{
      const %w : f32[2, 2] = [1, 2, 3, 4]
      const %b : f32[2] = [1, 2]
      func @main(%x : f32[1, 2]) {{
        %r = f.linear %x, %w, {} : f32[1, 2]
        return %r as "r"
      }}
    }}"""
    bare, biased = (parse_module(text.format(b)).main.ops[0] for b in ("_", "%b"))
    without, having = op("f.linear", x, constant("w")), op("f.linear", x, constant("w"), constant("b"))
    assert match_op(without, bare) is not None and match_op(without, biased) is None
    assert match_op(having, biased) is not None and match_op(having, bare) is None


def test_where_looks_at_attributes() -> None:
    pattern = op("f.gelu", x, where=lambda o: o.attrs["approximate"] == "tanh")
    assert match_op(pattern, last('%r = f.gelu %x {approximate = "tanh"}')) is not None
    assert match_op(pattern, last("%r = f.gelu %x")) is None


@pytest.mark.parametrize(
    ("data", "number"),
    [
        (np.float32(2), 2.0),
        (np.full((2, 3), 2.0), 2.0),
        (np.array([1.0, 2.0]), None),
        (np.array([np.nan]), None),
        (np.zeros(0), None),
        (np.array([True]), None),
        (np.array([-np.inf]), -np.inf),
    ],
)
def test_splat_is_the_one_number(data: np.ndarray, number: float | None) -> None:
    assert splat(Constant(data)) == number


def test_scalars_are_finite_and_as_exact_as_asked() -> None:
    def accepts(pattern: Pattern, number: float) -> bool:
        return any(True for _ in pattern.bind(Constant(np.float64(number)), ({}, {})))

    assert accepts(scalar(), 5.0) and not accepts(scalar(), np.inf)
    assert accepts(scalar(0.7071067), 0.70710678) and not accepts(scalar(0.7071067), 0.71)
    assert accepts(scalar(1.0, rtol=0), 1.0) and not accepts(scalar(1.0, rtol=0), 1.0 + 1e-9)
    assert accepts(scalar(0.0), 0.0) and not accepts(scalar(0.0), 1e-30)


def test_rules_apply_until_none_matches_and_dead_ops_go() -> None:
    f = function("%a = f.neg %x", "%b = f.neg %a", "%c = f.neg %b", "%r = f.neg %c")
    assert apply_rules(f, [(op("f.neg", op("f.neg", x)), lambda m, b: m["x"])])
    assert f.ops == [] and f.outputs["r"] is f.inputs[0]
    assert f.inputs[0].users == []


def test_a_rule_that_declines_leaves_nothing_behind() -> None:
    f = function("%r = f.tanh %x")

    def decline(m, b):  # type: ignore[no-untyped-def]
        b.emit(op_class("f.relu"), m["x"])

    assert not apply_rules(f, [(op("f.tanh", x), decline)])
    assert [o.opcode for o in f.ops] == ["f.tanh"] and f.inputs[0].users == [f.ops[0]]


def test_a_replacement_takes_name_and_place() -> None:
    f = function("%a = f.exp %x", "%r = f.tanh %a", "%s = f.neg %r", outs='%s as "s"')
    f.ops[1].loc = "/here"
    assert apply_rules(f, [(op("f.tanh", x), lambda m, b: b.emit(op_class("f.relu"), m["x"]))])
    assert [(o.opcode, o.loc, o.result.name) for o in f.ops] == [
        ("f.exp", "", "a"),
        ("f.relu", "/here", "r"),
        ("f.neg", "", "s"),
    ]


def test_rules_that_undo_each_other_are_an_error() -> None:
    f = function("%r = f.tanh %x")
    swap = [
        (op("f.tanh", x), lambda m, b: b.emit(op_class("f.relu"), m["x"])),
        (op("f.relu", x), lambda m, b: b.emit(op_class("f.tanh"), m["x"])),
    ]
    with pytest.raises(VerifyError, match="rewrite rules do not settle"):
        apply_rules(f, swap)


def test_private_counts_outputs_as_readers() -> None:
    pattern = op("f.tanh", op("f.neg", x, name="inner"))
    seen = []

    def look(m, b):  # type: ignore[no-untyped-def]
        seen.append(m.private(m.ops["inner"].result))

    lines = ("%a = f.neg %x", "%r = f.tanh %a", "%s = f.exp %a")
    for count, outs in ((2, '%r as "r"'), (2, '%r as "r", %a as "a"'), (3, '%r as "r", %s as "s"')):
        apply_rules(function(*lines[:count], outs=outs), [(pattern, look)])
    assert seen == [True, False, False]
