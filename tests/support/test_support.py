"""The support table: current, and true of the cases that it counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emberc.support import Case, collect_cases, integer_outcome, markdown, measure_rows, registered_rows
from tests.cli.conftest import Emberc, emberc_cli  # noqa: F401 (a fixture)

TABLE = Path(__file__).parents[2] / "compiler" / "SUPPORT.md"
#: every case of these that leaves something to compute comes out of the integer pipeline within the bound
WHOLE = "Gemm MatMul Gelu Relu Tanh Sigmoid Sub Mul Transpose Concat Slice Where Max LeakyRelu HardSwish Erf"


def columns() -> list[list[str]]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [[c.strip() for c in line.strip("|").split("|")] for line in lines if line.startswith("| ")][2:]


def test_the_table_names_every_operator_with_its_opsets() -> None:
    assert [(c[0], c[1]) for c in columns()] == [(r.op, r.opsets) for r in registered_rows()]


def test_the_table_says_how_each_is_imported() -> None:
    for cells, row in zip(columns(), registered_rows(), strict=True):
        assert (cells[2] == "no") == (row.how == "refused"), cells
        assert cells[2].startswith("by its ONNX definition") == (row.how == "by its ONNX definition"), cells


@pytest.mark.slow
def test_the_table_is_what_the_command_writes() -> None:
    assert markdown(*measure_rows()) == TABLE.read_text(encoding="utf-8")


def cases(op: str) -> list[Case]:
    return [c for c in collect_cases() if c.op == op and "int" not in c.name]


@pytest.mark.parametrize("op", WHOLE.split())
def test_integers_stay_within_the_bound(op: str) -> None:
    outcomes = {c.name: integer_outcome(c) for c in cases(op)}
    assert outcomes and set(outcomes.values()) <= {"pass", "folded"}, outcomes


def test_rows_of_attention_that_see_nothing_are_0() -> None:
    """Softmax of nothing but minus infinity is no number; ONNX asks for 0 there, also where attention is not fused."""
    empty = [c for c in cases("Attention") if any(w in c.name for w in ("fullymasked", "nan_robustness", "empty"))]
    outcomes = {c.name: integer_outcome(c) for c in empty}
    assert len(outcomes) > 3 and set(outcomes.values()) <= {"pass", "folded"}, outcomes


def test_no_case_crashes_the_integer_pipeline() -> None:
    """A refusal names its reason; an internal error is a bug. The table is what the cases gave: the test above."""
    assert not [cells for cells in columns() if "failed:" in cells[-1]]


def test_one_operator_on_the_command_line(emberc_cli: Emberc) -> None:  # noqa: F811
    out = json.loads(emberc_cli("support", "Gelu", "--json").out)
    assert out["operators"][0]["op"] == "Gelu"
    assert out["operators"][0]["float_cases"][0] > 0


def test_an_unknown_operator_is_refused(emberc_cli: Emberc) -> None:  # noqa: F811
    assert "no operator Gellu" in emberc_cli("support", "Gellu").err
