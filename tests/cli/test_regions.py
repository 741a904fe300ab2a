"""--ram and --flash by region: unknown regions and contradictory limits are refused at once, each with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Emberc, snapshot

REFUSED: dict[str, tuple[list[str], list[str]]] = {
    "unknown RAM region": (
        ["--ram", "itcm=64KiB"],
        ["stm32h743 has no region 'itcm'", "RAM regions: DTCM, SRAM", "flash regions: INTERNAL, EXTERNAL"],
    ),
    "unknown flash region": (["--flash", "qspi=1MiB,internal=1MiB"], ["stm32h743 has no region 'qspi'"]),
    "more than there is": (
        ["--ram", "dtcm=256KiB"],
        ["DTCM is limited to 262,144 bytes, but has only 131,072"],
    ),
    "a region above its kind": (
        ["--ram", "64KiB,dtcm=96KiB"],
        ["--ram allows 65,536 bytes in all, but 98,304 in DTCM"],
    ),
    "a kind above the budget": (
        ["--flash", "1MiB", "--budget", "256KiB"],
        ["--flash allows 1,048,576 bytes, --budget only 262,144 for RAM and flash together"],
    ),
    "several at once": (
        ["--ram", "dtcm=256KiB,300KiB", "--budget", "128KiB"],
        [
            "the limits contradict each other",
            "DTCM is limited to 262,144 bytes, but has only 131,072",
            "DTCM is allowed 262,144 bytes, --budget only 131,072",
            "--ram allows 307,200 bytes, --budget only 131,072",
        ],
    ),
    "a region twice": (["--ram", "dtcm=1KiB", "--ram", "DTCM=2KiB"], ["or one for the second time"]),
    "two limits of all": (["--ram", "1KiB,2KiB"], ["two limits for all of it"]),
    "no size": (["--ram", "dtcm=much"], ["'much' is not a size"]),
    "no name": (["--ram", "=64KiB"], ["names no region"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_limits_that_can_not_be_meant_are_refused(emberc_cli: Emberc, linear: Path, tmp_path: Path, case: str) -> None:
    flags, messages = REFUSED[case]
    before = snapshot(tmp_path)
    done = emberc_cli("compile", linear, "-o", tmp_path / "b", "--target", "stm32h743", *flags)
    assert done.code == 2 and snapshot(tmp_path) == before
    assert "calibrate" not in done.out + done.err, "refused before any work"
    for message in messages:
        assert message in done.err


def test_a_target_without_regions_says_so(emberc_cli: Emberc, linear: Path, tmp_path: Path) -> None:
    done = emberc_cli("compile", linear, "-o", tmp_path / "b", "--ram", "dtcm=4KiB")
    assert done.code == 2 and "host has no region 'dtcm'" in done.err and "RAM regions: none" in done.err


def test_what_does_not_fit_names_the_region(emberc_cli: Emberc, linear: Path, tmp_path: Path) -> None:
    """Weights in neither flash; and the stack, which needs its region for itself."""
    done = emberc_cli(
        "compile", linear, "-o", tmp_path / "b", "--target", "stm32h743",
        "--ram", "dtcm=64", "--flash", "internal=500,external=16",
    )  # fmt: skip
    assert done.code == 3 and not (tmp_path / "b").exists()
    for part in ("RAM region DTCM: required ", "available 64, excess ", "flash region INTERNAL: required ",
                 "the limit that this build needs: --ram DTCM=", "--flash INTERNAL="):  # fmt: skip
        assert part in done.err


def test_the_only_region_of_a_kind_is_all_of_it(emberc_cli: Emberc, linear: Path, tmp_path: Path) -> None:
    done = emberc_cli("compile", linear, "-o", tmp_path / "b", "--target", "cortex-m7", "--ram", "ram=8")
    assert done.code == 3 and "RAM needs " in done.err and "the budget is 8" in done.err
