"""Several memories: what is hot lies where it waits least, within capacities, near the best there is, and checked."""

from __future__ import annotations

import itertools
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emberc.errors import VerifyError
from emberc.memory import PLACEMENTS, Access, Node, Plan, Pool, check_plan, plan_memory, spread
from emberc.memory.pools import Item, assign, by_size, load_of
from tests.memory.graphs import problems

FAST, SLOW = Pool("DTCM", 128), Pool("SRAM", 4096, 6, 2)


def chain() -> Plan:
    """a --> b --> c --> d; b of 128 bytes is hot, the scratch of the last node hotter still."""
    nodes = [Node("1", ("a",), ("b",)), Node("2", ("b",), ("c",)), Node("3", ("c",), ("d",), scratch=64)]
    return plan_memory(nodes, {"a": 256, "b": 128, "c": 96, "d": 32}, ["a"], ["d"])


HEAT = {"a": Access(10, 0), "b": Access(900, 50), "c": Access(20, 20), "d": Access(0, 8), "3": Access(400, 400)}


def test_what_is_hot_lies_in_the_fast_memory() -> None:
    plan = spread(chain(), [FAST, SLOW], HEAT)
    check_plan(plan.to_json())
    assert plan.spread is not None
    where = {name: region.pool for name, region in [*plan.tensors.items(), *plan.scratch.items()]}
    assert where == {"a": "SRAM", "b": "DTCM", "c": "SRAM", "d": "DTCM", "3": "DTCM"}
    assert plan.spread.waits == 10 * 6 + 20 * 6 + 20 * 2 == plan.spread.waits_bound
    fast, slow = plan.spread.arenas
    assert (fast.bytes, fast.bound, slow.bytes, plan.arena) == (128, 128, 256, 384)


def test_size_alone_puts_the_largest_first() -> None:
    plan = spread(chain(), [FAST, SLOW], HEAT, "size")
    check_plan(plan.to_json())
    assert plan.tensors["a"].pool == "SRAM" and plan.spread is not None
    assert plan.spread.waits >= spread(chain(), [FAST, SLOW], HEAT).spread.waits  # type: ignore[union-attr]


def test_all_in_one_memory_is_the_plan_of_one_arena() -> None:
    plan = chain()
    both = spread(plan, [Pool("DTCM", 4096), SLOW], HEAT)
    assert both.arena == plan.arena and {r.pool for r in both.tensors.values()} == {"DTCM"}


def test_what_fits_nowhere_is_told() -> None:
    plan = spread(chain(), [FAST, Pool("SRAM", 64, 6, 2)], HEAT)
    assert plan.spread is not None and plan.spread.excess == 192
    with pytest.raises(VerifyError, match="the arena in SRAM has 256 bytes of 64"):
        check_plan(plan.to_json())


def test_cold_bytes_make_way_where_the_slow_memory_is_small() -> None:
    """By heat alone b and c would fill the fast memory, and a, which only fits there, find no room."""
    items = [Item(((0, 1, 64),), Access(100, 0)), Item(((0, 1, 128),), Access(1, 0))]
    found = assign(items, [Pool("fast", 128), Pool("slow", 64, 5, 5)])
    assert found.pool_of == (1, 0)


@pytest.mark.parametrize("seed", range(40))
def test_assignments_are_near_the_best_of_all(seed: int) -> None:
    rng = random.Random(seed)
    steps = rng.randint(1, 6)
    items = []
    for _ in range(rng.randint(1, 7)):
        start = rng.randrange(steps)
        span = (start, rng.randint(start + 1, steps), 16 * rng.randint(1, 20))
        items.append(Item((span,), Access(rng.randint(0, 100), rng.randint(0, 50))))
    pools = [Pool("fast", 16 * rng.randint(2, 30)), Pool("slow", 1 << 20, 6, 2)]
    found = assign(items, pools)

    def waits(choice: tuple[int, ...]) -> int:
        return sum(item.access.waits(pools[p]) for item, p in zip(items, choice, strict=True))

    def fits(choice: tuple[int, ...]) -> bool:
        fast = [item for item, p in zip(items, choice, strict=True) if p == 0]
        return int(load_of(fast, steps).max()) <= pools[0].capacity

    best = min(waits(c) for c in itertools.product((0, 1), repeat=len(items)) if fits(c))
    assert fits(found.pool_of) and found.waits == waits(found.pool_of)
    assert found.bound <= best <= found.waits <= 1.25 * best
    assert fits(tuple(by_size(items, pools)))


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(0, 1 << 16))
def test_spread_plans_of_any_graph_are_sound(problem: dict[str, Any], seed: int) -> None:
    rng = random.Random(seed)
    plan = plan_memory(**problem)
    heat = {name: Access(rng.randint(0, 99), rng.randint(0, 99)) for name in (*plan.graph.storage, *plan.scratch)}
    pools = [Pool("A", plan.arena // 3), Pool("B", plan.arena // 2, 1, 1), Pool("C", 1 << 30, 4, 2)]
    for rule in PLACEMENTS:
        found = spread(plan, pools, heat, rule)
        check_plan(found.to_json())
        assert found.to_json() == spread(plan, pools, heat, rule).to_json()


def test_a_thousand_buffers_take_seconds() -> None:
    rng = random.Random(1)
    items = []
    for _ in range(1000):
        start = rng.randrange(1000)
        span = (start, min(1000, start + rng.randint(1, 40)), 16 * rng.randint(1, 200))
        items.append(Item((span,), Access(rng.randint(0, 9999), rng.randint(0, 9999))))
    began = time.perf_counter()
    assign(items, [Pool("A", 8192), Pool("B", 16384, 1, 1), Pool("C", 1 << 30, 6, 2)])
    assert time.perf_counter() - began < 5


def lie(plan: dict[str, Any], what: str) -> None:
    tensors, arenas = plan["tensors"], plan["spread"]["arenas"]
    if what == "overlap":
        tensors["c"].update(pool="DTCM", offset=0)
    elif what == "elsewhere":
        tensors["b"]["pool"] = "ITCM"
    elif what == "outside":
        tensors["a"]["offset"] = 4096
    elif what == "too large":
        arenas[0]["capacity"] = 64
    elif what == "bound":
        arenas[0]["bound"] = 64
    elif what == "sum":
        plan["arena"] += 16
    elif what == "waits":
        plan["spread"]["waits"] -= 1
    else:
        plan["spread"]["waits_bound"] = 10**6


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("overlap", "'b' and 'c' overlap while both are live|'c' and 'b' overlap"),
        ("elsewhere", "'b' lies in 'ITCM', which is no memory of the plan"),
        ("outside", "'a' ends at 4352, outside the arena"),
        ("too large", "the arena in DTCM has 128 bytes of 64"),
        ("bound", "DTCM holds 128 bytes at its peak, not 64"),
        ("sum", "what the plan calls proved|do not add up"),
        ("waits", "accesses wait 220 cycles, not 219"),
        ("bound of waits", "the least waits are more than those of the plan"),
    ],
)
def test_the_checker_finds_every_lie(what: str, reason: str) -> None:
    plan = spread(chain(), [FAST, SLOW], HEAT).to_json()
    check_plan(plan)
    lie(plan, what)
    with pytest.raises(VerifyError, match=reason):
        check_plan(plan)
