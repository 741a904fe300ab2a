"""The text form: an exact round trip for whatever a module may hold, and errors that name their place."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emberc.errors import EmberError
from emberc.ir.graph import Function, Module
from emberc.ir.op import Op, attribute, operand, optional, result, variadic
from emberc.ir.parser import load_module, parse_module
from emberc.ir.printer import print_module, side_data
from emberc.ir.types import DType, Quant, TensorType
from emberc.ir.values import Constant, Value


class Anything(Op):
    """y, z = anything: holds every kind of operand and attribute, and no rule."""

    opcode = "test.anything"
    a = operand()
    b = optional()
    rest = variadic()
    number = attribute[Any](7)
    items = attribute[list[Any]]([1])
    y = result()
    z = result()


numbers = st.floats() | st.integers(-(2**70), 2**70)
attrs = st.recursive(st.none() | st.booleans() | numbers | st.text(), lambda x: st.lists(x, max_size=3), max_leaves=5)
NAMES = ["x", "x", "x.2", "_", "layer.0/a:b", "0", "9lives", "a b", "é", "", "a//b", "i8", "inf"]
names = st.none() | st.sampled_from(NAMES)
scales = st.floats(1e-30, 1e30)
places = st.text(max_size=8) | st.sampled_from(["/layer.0/MatMul", 'quo"te', "back\\slash", "new\nline", "// loc"])


@st.composite
def tensor_types(draw: st.DrawFn, dtypes: list[DType] | None = None) -> TensorType:
    dtype = draw(st.sampled_from(dtypes or list(DType)))
    shape = tuple(draw(st.lists(st.sampled_from([0, 1, 2, 3, 17]), max_size=3)))
    quant = None
    if dtype.is_integer and draw(st.booleans()):
        axis = draw(st.none() | st.integers(0, len(shape) - 1)) if shape else None
        count = 1 if axis is None else shape[axis]
        if count:
            runs = draw(st.lists(scales, min_size=1, max_size=2))
            quant = Quant(tuple(runs[min(i // 2, len(runs) - 1)] for i in range(count)), draw(st.integers(-9, 9)), axis)
    return TensorType(dtype, shape, quant)


@st.composite
def constants(draw: st.DrawFn) -> Constant:
    t = draw(tensor_types())
    raw = np.random.default_rng(draw(st.integers(0, 9))).integers(0, 256, t.nbytes, np.uint8).tobytes()
    data = np.frombuffer(raw, t.dtype.numpy).reshape(t.shape)
    if t.dtype is DType.BOOL:
        data = np.frombuffer(raw, np.uint8).reshape(t.shape) > 127
    elif t.dtype.is_float and t.elements:  # every NaN is one NaN in the text
        data = np.where(np.isnan(data), np.nan, data).astype(t.dtype.numpy)
        data.reshape(-1)[0] = draw(st.sampled_from([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 0.1]))
    return Constant(data, draw(names), t.quant)


@st.composite
def modules(draw: st.DrawFn) -> Module:
    values: list[Value] = list(draw(st.lists(constants(), max_size=2)))
    inputs = [Value(draw(tensor_types()), draw(names)) for _ in range(draw(st.integers(1, 2)))]
    values += inputs
    ops: list[Op] = []
    for _ in range(draw(st.integers(0, 3))):
        one = st.sampled_from(values)
        types = [draw(tensor_types()), draw(tensor_types())]
        op = Anything(
            draw(one), draw(st.none() | one), draw(st.lists(one, max_size=2)),
            types=types, loc=draw(places), number=draw(attrs), items=draw(st.lists(attrs, max_size=3)),
        )  # fmt: skip
        for r in op.results:
            r.name = draw(names)
        ops.append(op)
        values += op.results
    outs = {draw(st.text(max_size=5)): draw(st.sampled_from(values)) for _ in range(draw(st.integers(0, 2)))}
    main = Function("main", inputs, ops, outs)
    target = draw(st.none() | st.sampled_from(["cortex-m7", 'a "b"']))
    return Module("m", {"main": main}, target, draw(st.none() | st.integers(0, 2**40)))


def same(a: object, b: object) -> bool:
    """Equality of attributes that tells 1, 1.0 and True apart and finds NaN equal to itself."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    return type(a) is type(b) and a == b


@settings(max_examples=150, deadline=None)
@given(modules())
def test_print_parse_print_is_exact(module: Module) -> None:
    text, side = print_module(module), side_data(module)
    again = parse_module(text, side)
    assert print_module(again) == text and side_data(again) == side
    first, second = module.main, again.main
    assert [v.name for v in second.inputs if v.name] == [v.name for v in first.inputs if v.name]
    assert list(second.outputs) == list(first.outputs)
    assert (again.target, again.budget) == (module.target, module.budget)
    for a, b in zip(first.ops, second.ops, strict=True):
        assert (a.loc, [r.type for r in a.results]) == (b.loc, [r.type for r in b.results])
        assert [v is None for v in a.operands] == [v is None for v in b.operands]
        assert all(same(a.attrs[k], b.attrs[k]) for k in a.attrs), (a.attrs, b.attrs)
    for c, d in zip(first.constants(), second.constants(), strict=True):
        assert (c.type, c.data.tobytes()) == (d.type, d.data.tobytes()) or np.isnan(c.data).any()


HEAD = "module @m {\n  func @main(%x : f32[2]) {\n"
TAIL = '    return %x as "y"\n  }\n}\n'


@pytest.mark.parametrize(
    ("body", "says", "at"),
    [
        ("    %a = f.relu %x f32[2]\n", "can't parse the IR: '%a = f.relu %x f32[2]'", "line 3, column 20"),
        ("    %a = f.relu %x : f99[2]\n", "can't parse", "line 3, column 22"),
        ("    %a = f.relu %b : f32[2]\n", "value %b is not defined", "line 3, column 17"),
        ("    %x = f.relu %x : f32[2]\n", "value %x is defined twice", "line 3, column 5"),
        ("    %a = f.nothing %x : f32[2]\n", "unknown op 'f.nothing'", "line 3, column 10"),
        ("    %a = f.relu %x, %x : f32[2]\n", "f.relu takes 1 operands, got 2", "line 3, column 10"),
        ("    %a = f.relu %x {slope = 1} : f32[2]\n", "f.relu has no field 'slope'", "line 3, column 10"),
        ("    %a = f.reshape %x : f32[2]\n", "lacks its attribute 'shape'", "line 3, column 10"),
        ("    %a, %b = f.relu %x : f32[2]\n", "f.relu names 2 results and 1 types", "line 3, column 14"),
        ("    %a, %b = f.relu %x : f32[2], f32[2]\n", "f.relu has 1 results, got 2 types", "line 3, column 14"),
    ],
)
def test_errors_name_line_and_column(body: str, says: str, at: str) -> None:
    with pytest.raises(EmberError) as e:
        parse_module(HEAD + body + TAIL)
    assert says in e.value.message and at in e.value.at


@pytest.mark.parametrize("cut", range(0, len(HEAD + TAIL) - 2, 5))
def test_a_text_cut_short_is_a_syntax_error(cut: int) -> None:
    with pytest.raises(EmberError, match="E-SYNTAX"):
        parse_module((HEAD + TAIL)[:cut])


@pytest.mark.parametrize(
    ("constant", "says"),
    [
        ("i8[2] = [1]", "has 1 elements, its type says 2"),
        ("i8[1] = [300]", "300 does not fit i8"),
        ("i32[1] = [1.5]", "1.5 does not fit i32"),
        ("f32[1] = [true]", "true does not fit f32"),
        ("bool[1] = [2]", "2 does not fit bool"),
        ('f32[1] = ["a"]', '"a" does not fit f32'),
    ],
)
def test_constants_that_do_not_fit_their_type_are_refused(constant: str, says: str) -> None:
    with pytest.raises(EmberError) as e:
        parse_module(f"module @m {{\n  const %c : {constant}\n  func @main() {{\n    return\n  }}\n}}\n")
    assert says in e.value.message and "line 2" in e.value.at


def big() -> Module:
    data = Constant(np.arange(40, dtype=np.int16), "big")
    return Module("m", {"main": Function("main", [], [], {"y": data})})


@pytest.mark.parametrize("change", ["a byte", "one byte short", "nothing there"])
def test_a_side_file_that_is_not_the_one_is_refused(change: str) -> None:
    module = big()
    text, side = print_module(module), side_data(module)
    np.testing.assert_array_equal(parse_module(text, side).constants()[0].data, np.arange(40))
    broken = {"a byte": b"\1" + side[1:], "one byte short": side[:-1], "nothing there": b""}[change]
    with pytest.raises(EmberError, match=r"E-SIDE.*side file does not hold constant %big"):
        parse_module(text, broken)


def test_a_pair_of_files_is_read_together(tmp_path: Path) -> None:
    module = big()
    (tmp_path / "m.eir").write_text(print_module(module, "m.bin"), encoding="utf-8")
    (tmp_path / "m.bin").write_bytes(side_data(module))
    np.testing.assert_array_equal(load_module(tmp_path / "m.eir").constants()[0].data, np.arange(40))
