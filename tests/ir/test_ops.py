"""Every registered op has what an op must have: formula and source, type inference, reference, cost, kernel test."""

from __future__ import annotations

import importlib
import inspect
import re

import numpy as np
import pytest

import emberc.ir.ops
from emberc.errors import VerifyError
from emberc.ir.op import OPS, Cost, Op, operand, result
from emberc.ir.ops.integer_base import IntegerOp
from emberc.ir.types import TensorType
from tests.kernels.calls import CALLS
from tests.kernels.check import constant, value
from tests.kernels.coverage import KERNEL_TESTS
from tests.kernels.library import sources

BUILT_IN = {name: cls for name, cls in OPS.items() if cls.__module__.startswith(emberc.ir.ops.__name__)}
#: Ops that a kernel carries out; one that calls a function of the module is carried out by that function's ops.
INTEGER = {name: cls for name, cls in BUILT_IN.items() if name.startswith("q.") and not cls.calls}


def lacks(cls: type[Op]) -> list[str]:
    """What a well-defined op has and ``cls`` has not."""
    found = []
    doc = vars(cls).get("__doc__") or ""
    if "=" not in doc and "source" not in doc.lower():
        found.append("a docstring of its own with formula or source")
    for method in ("infer", "reference"):
        if getattr(cls, method) is getattr(Op, method):
            found.append(method)
    if not cls.result_fields:
        found.append("a result")
    for name, sources_ in cls.inplace.items():
        if name not in cls.result_fields or not set(sources_) <= set(cls.operand_fields):
            found.append("in-place fields that exist")
    return found


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_op_is_complete(name: str) -> None:
    assert lacks(BUILT_IN[name]) == []


def test_an_incomplete_op_is_seen() -> None:
    class Bare(Op):
        x = operand()
        inplace = {"y": ("z",)}

    assert lacks(Bare) == [
        "a docstring of its own with formula or source",
        "infer",
        "reference",
        "a result",
        "in-place fields that exist",
    ]


@pytest.mark.parametrize("name", sorted(INTEGER))
def test_integer_op_has_a_tested_kernel(name: str) -> None:
    assert issubclass(INTEGER[name], IntegerOp)
    assert name in CALLS
    module, _, test = KERNEL_TESTS[name].partition(".")
    function = getattr(importlib.import_module(f"tests.kernels.{module}"), test)
    assert INTEGER[name].__name__ in inspect.getsource(function) + inspect.getsource(inspect.getmodule(function))


def test_every_kernel_belongs_to_an_op() -> None:
    """Kernel file names are the op's name and types, so that a stale kernel or a wrong name is seen."""
    shared = {"copy", "fill", "packed_matmul", "packed_embed"}
    names = {n.partition(".")[2] for n in INTEGER} | shared
    for path in sources():
        stem = re.sub(r"(_s\d+(s\d+)?){1,2}$", "", path.stem.removeprefix("ember_"))
        assert stem in names, path.name
        assert f"{path.stem}(" in path.read_text(encoding="utf-8")


def test_kernel_names() -> None:
    class Mixed(IntegerOp):
        """y = x."""

        x = operand()
        y = result()

        def infer(self) -> list[TensorType]:
            return [TensorType.of(np.zeros(1, np.int16))]

    Mixed.opcode = "q.mixed"
    assert Mixed(value(np.zeros(1, np.int8))).kernel() == "ember_mixed_s8_s16"
    assert Mixed(value(np.zeros(1, np.int16))).kernel() == "ember_mixed_s16"


def test_costs() -> None:
    x, w = value(np.zeros((2, 3), np.int8)), constant(np.zeros((5, 3)), np.int8)
    op = OPS["q.matmul"](x, w, constant([0] * 5), constant([0] * 5))
    assert op.cost() == Cost(macs=30, elements=10)
    reshape = OPS["q.reshape"](x, shape=[6])
    assert reshape.cost() == Cost() and reshape.is_view


def test_weights_must_be_constants() -> None:
    x, w = value(np.zeros((2, 3), np.int8)), value(np.zeros((5, 3), np.int8))
    with pytest.raises(VerifyError, match="'w' must be a constant"):
        OPS["q.matmul"](x, w, constant([0] * 5), constant([0] * 5)).verify()
