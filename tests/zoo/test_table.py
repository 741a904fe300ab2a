"""The zoo's table is written row by row, and rows that are there already stay."""

from tests.zoo.families import FAMILIES, ONLY
from tests.zoo.table import END, HEADER, SHOWN, START, written


def test_rows_replace_those_of_the_same_family_and_exporter() -> None:
    page = f"above\n{START}\n{HEADER}\n| t5 | ts | 1 |\n| electra | ts | 2 |\n{END}\nbelow"
    lines = written(page, ["| electra | ts | 3 |", "| electra | dynamo | 4 |"]).splitlines()
    assert lines[0] == "above" and lines[-1] == "below"
    assert lines[4:-2] == ["| electra | dynamo | 4 |", "| electra | ts | 3 |", "| t5 | ts | 1 |"]


def test_what_is_shown_is_in_the_zoo() -> None:
    assert {*SHOWN, *ONLY} <= FAMILIES.keys()
