"""`emberc plan`: buffers from a CSV file, placed."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Emberc

# Two of the three live at any time: 300 bytes are needed, and enough.
BUFFERS = "id,lower,upper,size\na,0,2,100\nb,1,3,200\nc,2,4,100\n"


@pytest.fixture
def buffers(tmp_path: Path) -> Path:
    path = tmp_path / "buffers.csv"
    path.write_text(BUFFERS)
    return path


def test_it_says_how_much_is_needed_and_whether_that_is_proved(emberc_cli: Emberc, buffers: Path) -> None:
    done = emberc_cli("plan", buffers)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("3 buffers in 300 bytes, proved smallest")


def test_json_gives_offsets_that_do_not_overlap(emberc_cli: Emberc, buffers: Path) -> None:
    data = json.loads(emberc_cli("plan", buffers, "--json").out)
    at = data["offsets"]
    assert (data["height"], data["bound"], data["proved"]) == (300, 300, True)
    for other in ("a", "c"):
        assert at["b"] + 200 <= at[other] or at[other] + 100 <= at["b"]


def test_a_capacity_that_is_too_small_ends_with_3(emberc_cli: Emberc, buffers: Path) -> None:
    assert emberc_cli("plan", buffers, "--capacity", "300").code == 0
    done = emberc_cli("plan", buffers, "--capacity", "299")
    assert done.code == 3
    assert "error[E-FIT]: the buffers take 300 bytes, the capacity is 299" in done.err
    assert "--capacity 300" in done.err


def test_effort_is_a_number_from_0(emberc_cli: Emberc, buffers: Path) -> None:
    assert emberc_cli("plan", buffers, "--effort", "0").code == 0
    assert emberc_cli("plan", buffers, "--effort", "-1").code == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "can't read it as CSV"),
        ("id,lower,upper\n", "column size is missing"),
        (BUFFERS + "a,4,5,1\n", "id 'a' stands twice"),
        (BUFFERS + "d,5,5,1\n", "lifetime [5, 5) is empty"),
        (BUFFERS + "d,5,6,big\n", "size 'big' is not a whole number from 0"),
    ],
)
def test_a_bad_file_ends_with_2_and_the_line(emberc_cli: Emberc, buffers: Path, text: str | None, message: str) -> None:
    if text is None:
        buffers.unlink()
    else:
        buffers.write_text(text)
    done = emberc_cli("plan", buffers)
    assert done.code == 2
    assert message in done.err
    assert "buffers.csv" in done.err
