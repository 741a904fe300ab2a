"""Certificates: sealed for one model, with the plans of loops inside; refused when anything about them is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emberc.errors import VerifyError
from emberc.memory import Node, certificate_text, check_certificate, plan_memory, seal


def plan(scratch: int = 0) -> dict[str, Any]:
    """a --> b --> c, each of 64 bytes, ``b`` with scratch."""
    nodes = [Node("make b", ("a",), ("b",), scratch), Node("make c", ("b",), ("c",))]
    return plan_memory(nodes, {"a": 64, "b": 64, "c": 64}, ["a"], ["c"]).to_json()


def with_loop() -> dict[str, Any]:
    return {**plan(scratch=128), "bodies": {"make b": plan()}}


def test_a_certificate_survives_its_text() -> None:
    certificate = json.loads(certificate_text(seal(with_loop(), "abc")))
    assert check_certificate(certificate, model="abc", arena=256) == 2


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        ({"arena": 1}, "has no digest"),
        ({**seal(plan(), "abc"), "arena": 112}, "changed after it was written"),
        (seal(plan(), "abd"), r"for another model: abd\.\.\., the build's is abc"),
        (seal(plan(), "abc"), "proves an arena of 128 bytes, the C asks for 256"),
        (seal({**plan(), "order_bound": 64}, "abc"), "this order needs 128 bytes"),
        (seal({**with_loop(), "bodies": {"make d": plan()}}, "abc"), "'make d' that no node runs"),
        (seal({**with_loop(), "bodies": {"make b": {**plan(), "arena": 120}}}, "abc"), "outside the arena"),
        (seal({**with_loop(), "bodies": {"make b": plan(64)}}, "abc"), "needs 192 bytes of 128"),
    ],
)
def test_what_is_wrong_is_refused_with_its_reason(certificate: dict[str, Any], reason: str) -> None:
    with pytest.raises(VerifyError, match=reason) as caught:
        check_certificate(certificate, model="abc", arena=256)
    assert caught.value.code == "E-PLAN"
