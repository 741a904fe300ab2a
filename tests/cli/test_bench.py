"""`emberc bench kernels`: rows for people and for scripts."""

import json

import pytest

from emberc.bench import KernelRow
from tests.cli.conftest import Emberc

ROW = KernelRow("cortex-m4", "ember_add_s8", "7", "element", 7, 700, 100.0, 120.5, True, 64, 0)


@pytest.mark.board
def test_rows_are_equal_and_have_the_fields_that_scripts_read(emberc_cli: Emberc) -> None:
    done = emberc_cli("bench", "kernels", "add", "--on", "cortex-m4", "--json")
    rows = json.loads(done.out)["rows"]
    assert done.code == 0
    assert rows
    for row in rows:
        assert "add" in row["kernel"]
        assert row["equal"] is True
        assert row["per_unit"] > 0
        assert row["modelled_cycles_per_unit"] > 0
        assert row["shape"]


@pytest.mark.parametrize(("equal", "code", "shown"), [(True, 0, "yes"), (False, 1, "NO")])
def test_a_row_that_differs_ends_with_1(
    emberc_cli: Emberc, monkeypatch: pytest.MonkeyPatch, equal: bool, code: int, shown: str
) -> None:
    row = KernelRow(**{**vars(ROW), "equal": equal})
    monkeypatch.setattr("emberc.bench.bench_kernels", lambda *args, **options: [row])
    done = emberc_cli("bench", "kernels", "--on", "cortex-m4")
    assert done.code == code
    assert done.out.splitlines()[1].split() == [
        *("cortex-m4", "ember_add_s8", "7", "element", "700", "100.000", "120.500", shown, "64", "0")
    ]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["kernels"], "Missing option '--on'"),
        (["kernels", "--on", "cortex-m99"], "unknown target 'cortex-m99'"),
        (["kernels", "fft", "--on", "host"], "no kernel in the bench is called 'fft'"),
        (["models"], "No such command 'models'"),
    ],
)
def test_bad_usage_ends_with_2(emberc_cli: Emberc, args: list[str], message: str) -> None:
    done = emberc_cli("bench", *args)
    assert done.code == 2
    assert message in done.err
