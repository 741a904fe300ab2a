"""The plan as a picture: what is drawn is what the certificate says."""

from pathlib import Path

import pytest

from emberc.errors import UsageError
from emberc.memory import Access, Node, Pool, plan_memory, spread
from emberc.report.memory_map import MemoryMap, bars, boxes


def chain() -> dict[str, object]:
    """a -> b -> c, 64 bytes each, the second op with 32 bytes of scratch."""
    nodes = [
        Node("first", ("x",), ("a",)),
        Node("second", ("a",), ("b",), scratch=32),
        Node("third", ("b",), ("c",)),
    ]
    return plan_memory(nodes, {"x": 64, "a": 64, "b": 64, "c": 64}, inputs=("x",), outputs=("c",)).to_json()


def test_every_tensor_and_scratch_is_drawn_where_the_plan_puts_it() -> None:
    plan = chain()
    (picture,) = MemoryMap.of(plan)
    regions = {("tensor", n): r for n, r in plan["tensors"].items()}  # type: ignore[attr-defined]
    regions |= {("scratch", n): r for n, r in plan["scratch"].items()}  # type: ignore[attr-defined]
    drawn = {
        (a.kind, a.name): {"offset": a.offset, "size": a.size, "start": a.start, "end": a.end} for a in picture.areas
    }
    assert drawn == {k: r for k, r in regions.items() if r["size"]}
    for area, box in zip(picture.areas, boxes(picture, 300, picture.arena), strict=True):
        assert box.height == pytest.approx(area.size)
        assert box.y == pytest.approx(picture.arena - area.offset - area.size)
        assert box.width == pytest.approx((area.end - area.start) * 300 / len(picture.steps))


def test_the_text_has_a_letter_where_a_tensor_lives_and_dots_where_nothing_does() -> None:
    (picture,) = MemoryMap.of(chain())
    lines = picture.text(width=len(picture.steps), height=picture.arena).splitlines()
    rows = [line.split("|")[1] for line in lines if "|" in line]
    assert len(rows) == picture.arena
    for step in range(len(picture.steps)):
        used = sum(a.size for a in picture.areas if a.start <= step < a.end)
        assert sum(row[step] != "." for row in rows) == used
    assert any("scratch of second: 32 bytes" in line for line in lines)


def test_several_memories_have_a_map_each() -> None:
    nodes = [Node("first", ("x",), ("a",)), Node("second", ("a",), ("b",), scratch=32)]
    plan = plan_memory(nodes, {"x": 64, "a": 64, "b": 64}, inputs=("x",), outputs=("b",))
    pools = [Pool("DTCM", 96), Pool("SRAM", 1024, 6, 2), Pool("SLOW", 1024, 9, 9)]
    pictures = MemoryMap.of(spread(plan, pools, {"a": Access(99), "second": Access(99), "b": Access(5)}).to_json())
    assert [(p.name, sorted(a.name for a in p.areas), p.arena) for p in pictures] == [
        ("DTCM", ["a", "second"], 96), ("SRAM", ["b", "x"], 64), ("SLOW", [], 0),
    ]  # fmt: skip
    assert [p.peak for p in pictures] == [1, 0, None]
    assert pictures[0].text().startswith("DTCM:\n") and pictures[2].text() == "SLOW:\nthe arena is empty"


@pytest.mark.parametrize("damage", ["tensors", "order", "graph", "witness"])
def test_a_damaged_plan_is_refused(damage: str) -> None:
    with pytest.raises(UsageError, match=r"memory_plan.json is damaged"):
        MemoryMap.of({**chain(), damage: 7})


def test_bars_are_shares_of_the_whole_and_the_rest_is_one_bar() -> None:
    got = bars([("a", 50), ("b", 30), ("c", 15), ("d", 5)], limit=2)
    assert [(b.label, b.share) for b in got] == [("a", 0.5), ("b", 0.3), ("2 smaller ones", 0.2)]


def test_an_empty_arena_is_no_picture() -> None:
    picture = MemoryMap([], 0, 0, [], None)
    assert picture.text() == "the arena is empty"
    assert boxes(picture, 10, 10) == []


def test_a_compiled_model_has_its_page(small_build: Path) -> None:
    page = (small_build / "report.html").read_text(encoding="utf-8")
    for needed in ("memory-map", "Flash by tensor", "Accuracy by layer", "scratch of"):
        assert needed in page
    for foreign in ("http:", "https:", "@import", "src="):
        assert foreign not in page
