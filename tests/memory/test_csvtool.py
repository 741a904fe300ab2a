"""The planner as a tool on CSV files: what it gives back, and what it says about files it can't use."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from emberc.errors import FitError, UsageError
from emberc.memory import Buffer, Placement, csvtool, merging, place
from emberc.memory.csvtool import patience, plan_csv
from emberc.memory.exact import OutOfNodesError, Search, node_cost
from tests.bench.tight import cut_box


def written(folder: Path, text: str) -> Path:
    path = folder / "buffers.csv"
    path.write_text(text)
    return path


def test_buffers_are_placed(tmp_path: Path) -> None:
    plan = plan_csv(written(tmp_path, "id,lower,upper,size\na,0,2,10\nb,1,3,7\n\nc,2,4,3\n"))
    found = plan.to_json()
    assert (found["height"], found["bound"], found["proved"]) == (17, 17, True)
    assert set(found["offsets"]) == {"a", "b", "c"}
    assert "3 buffers in 17 bytes, proved smallest" in plan.to_text()


def test_columns_come_in_any_order_with_others_between(tmp_path: Path) -> None:
    plan = plan_csv(written(tmp_path, "size, note ,upper,ID,lower\n5,x,1,a,0\n"))
    assert plan.to_json()["offsets"] == {"a": 0}


def test_an_empty_list_needs_nothing(tmp_path: Path) -> None:
    assert plan_csv(written(tmp_path, "id,lower,upper,size\n")).to_json()["height"] == 0


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "column id, lower, upper, size is missing"),
        ("id,lower,size\n", 1, "column upper is missing"),
        ("id,lower,upper,size\na,0,1\n", 2, "3 values, the header has 4 columns"),
        ("id,lower,upper,size\na,0,1,8\nb,0,1,ten\n", 3, "size 'ten' is not a whole number"),
        ("id,lower,upper,size\na,0,1,-8\n", 2, "size '-8' is not a whole number"),
        ("id,lower,upper,size\na,3,3,8\n", 2, r"lifetime \[3, 3\) is empty"),
        ("id,lower,upper,size\na,0,1,8\n\na,0,1,8\n", 4, "id 'a' stands twice"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        plan_csv(written(tmp_path, text))
    assert caught.value.at.endswith(f"buffers.csv:{line}")


def test_a_missing_or_binary_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        plan_csv(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UsageError, match="can't read it as CSV"):
        plan_csv(tmp_path / "binary.csv")


def test_a_capacity_too_small_says_what_is_needed(tmp_path: Path) -> None:
    path = written(tmp_path, "id,lower,upper,size\na,0,2,10\nb,1,3,7\n")
    with pytest.raises(FitError, match="take 17 bytes, the capacity is 16") as caught:
        plan_csv(path, capacity=16)
    assert "nothing can make them fit" in caught.value.render()
    assert plan_csv(path, capacity=17).placement.height == 17


def test_a_thousand_buffers_are_given_few_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were every search in vain: a node of 1,000 blocks takes about 0.25 ms, so that this is two seconds' worth."""
    buffers = cut_box(1000, 3, steps=20)
    worth = 0

    def in_vain(search: Search, height: int, nodes: int) -> None:
        nonlocal worth
        worth += nodes * node_cost(search.count)
        search.spent += nodes
        raise OutOfNodesError

    ladder = sys.modules["emberc.memory.place"]  # the package has a function of this name
    monkeypatch.setattr(ladder, "climb", lambda packing, order, at, goal, rounds: at)
    for user in (ladder, merging):
        monkeypatch.setattr(user, "solve_with_restarts", in_vain)
    place(buffers, effort=patience(len(buffers)))
    assert 2_000 * node_cost(1000) < worth < 8_000 * node_cost(1000)


def test_a_few_hundred_are_searched_for_a_minute_thousands_for_seconds() -> None:
    assert [patience(count) for count in (0, 150, 450, 1000, 100_000)] == [24, 24, 24, 2, 1]


def test_more_effort_may_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    efforts: list[int] = []

    def noted(buffers: list[Buffer], *, capacity: int | None, effort: int) -> Placement:
        efforts.append(effort)
        return place(buffers, capacity=capacity, effort=effort)

    monkeypatch.setattr(csvtool, "place", noted)
    path = written(tmp_path, "id,lower,upper,size\na,0,1,8\n")
    plan_csv(path)
    plan_csv(path, effort=100)
    assert efforts == [24, 100]
