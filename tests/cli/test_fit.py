"""``emberc compile --fit`` and ``--plan`` on the command line."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Emberc, snapshot


def test_both_flags_at_once_are_refused(emberc_cli: Emberc, linear: Path, tmp_path: Path) -> None:
    done = emberc_cli("compile", linear, "--fit", "--plan", tmp_path / "p.json", "-o", tmp_path / "b")
    assert done.code == 2 and "give one of the two" in done.err


def test_what_can_not_fit_is_exit_3_and_leaves_nothing(emberc_cli: Emberc, linear: Path, tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    done = emberc_cli("compile", linear, "--fit", "--flash", "100", "-o", tmp_path / "b")
    assert done.code == 3
    assert "can't bring the flash below" in done.err and "try  " in done.err
    assert snapshot(tmp_path) == before


def test_what_fits_says_nothing_of_a_fit(emberc_cli: Emberc, linear: Path, tmp_path: Path) -> None:
    done = emberc_cli("compile", linear, "--fit", "-o", tmp_path / "b")
    assert done.code == 0 and "squeezed" not in done.out
    assert not (tmp_path / "b" / "fit_plan.json").exists()


def test_a_plan_that_is_none(emberc_cli: Emberc, linear: Path, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text('{"format": "emberc fit plan 1"}')
    done = emberc_cli("compile", linear, "--plan", path, "-o", tmp_path / "b")
    assert done.code == 2
    assert "error[E-PLAN]: not a fit plan: 'choices' is missing" in done.err and str(path) in done.err
