"""The checker refuses what has been tampered with, and names the reason."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from emberc.errors import VerifyError
from emberc.memory import check_plan, plan_memory
from tests.memory.graphs import encoder

Json = dict[str, Any]
PLAN = plan_memory(**encoder(1, rows=8, width=16, hidden=32)).to_json()


def overlap(plan: Json) -> None:
    plan["tensors"]["0.k.y"]["offset"] = plan["tensors"]["0.v.y"]["offset"]


def scratch_over_a_tensor(plan: Json) -> None:
    plan["scratch"]["0.attention"]["offset"] = plan["tensors"]["0.k.y"]["offset"]


def wrong_order(plan: Json) -> None:
    order = plan["order"]
    order[2], order[-1] = order[-1], order[2]


def node_left_out(plan: Json) -> None:
    plan["order"].pop()


def arena_too_small(plan: Json) -> None:
    plan["arena"] -= 16


def bound_too_high(plan: Json) -> None:
    plan["order_bound"] += 16


def bound_too_low(plan: Json) -> None:
    plan["order_bound"] -= 16


def any_order_bound_too_high(plan: Json) -> None:
    plan["any_order_bound"] += 16


def any_order_bound_too_low(plan: Json) -> None:
    plan["any_order_bound"] -= 16
    plan["order_proved"] = plan["proved"] = False


def claim_without_proof(plan: Json) -> None:
    plan["arena"] += 16


def misaligned(plan: Json) -> None:
    plan["tensors"]["mask"]["offset"] += 8


def lifetime_cut(plan: Json) -> None:
    plan["tensors"]["0.k.y"]["end"] -= 1


def tensor_left_out(plan: Json) -> None:
    del plan["tensors"]["mask"]


def scratch_left_out(plan: Json) -> None:
    del plan["scratch"]["0.attention"]


def in_place_over_a_live_tensor(plan: Json) -> None:
    # Attention reads q, k and v; offering k is a lie about lifetimes only if k is read again.
    for node in plan["graph"]["nodes"]:
        if node["name"] == "0.out":
            node["reads"].append("0.q.y")
    plan["tensors"]["0.q.y"]["end"] += 1


def in_place_not_offered(plan: Json) -> None:
    for node in plan["graph"]["nodes"]:
        node["inplace"] = {}


def in_place_elsewhere(plan: Json) -> None:
    plan["tensors"]["0.attention.y"]["offset"] += 16


def alias_group_left_out(plan: Json) -> None:
    plan["alias_groups"].pop()


def witness_moved(plan: Json) -> None:
    plan["witness"]["step"] = 0


def witness_tensor_left_out(plan: Json) -> None:
    plan["witness"]["tensors"].pop()


def key_left_out(plan: Json) -> None:
    del plan["align"]


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (overlap, "overlap while both are live"),
        (scratch_over_a_tensor, "overlap while both are live"),
        (wrong_order, "before it is written"),
        (node_left_out, "not the list of nodes"),
        (arena_too_small, "outside the arena"),
        (bound_too_high, "bytes at its peak, not"),
        (bound_too_low, "bytes at its peak, not"),
        (any_order_bound_too_high, "any order needs"),
        (any_order_bound_too_low, "any order needs"),
        (claim_without_proof, "calls proved"),
        (misaligned, "is not aligned"),
        (lifetime_cut, r"'0.k.y' lives in \["),
        (tensor_left_out, "tensors are not those of its nodes"),
        (scratch_left_out, "scratch is not that of its nodes"),
        (in_place_over_a_live_tensor, "written over '0.q.y', which is still live"),
        (in_place_not_offered, "can't write"),
        (in_place_elsewhere, "does not lie over"),
        (alias_group_left_out, "alias groups are not"),
        (witness_moved, "witness at step 0"),
        (witness_tensor_left_out, "does not name what is live"),
        (key_left_out, "not a memory plan: KeyError at 'align'"),
    ],
)
def test_a_tampered_plan_is_refused(tamper: Callable[[Json], None], reason: str) -> None:
    check_plan(PLAN)
    plan = copy.deepcopy(PLAN)
    tamper(plan)
    with pytest.raises(VerifyError, match=reason) as caught:
        check_plan(plan)
    assert caught.value.code == "E-PLAN"


@pytest.mark.parametrize("text", [[], {}, {"graph": 3}, {"graph": {"nodes": [1]}, "tensors": {}, "order": []}])
def test_anything_else_is_no_plan(text: Any) -> None:
    with pytest.raises(VerifyError, match="not a memory plan"):
        check_plan(text)
