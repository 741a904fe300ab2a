"""The certificate as a file: plans of the function and of its loops, the model that they are for, and a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from emberc.errors import VerifyError
from emberc.memory.checker import check_plan

_AGAIN = "emberc compile writes it again"


def seal(plan: Mapping[str, Any], model: str) -> dict[str, Any]:
    """``plan`` with the hash of its ``model`` and a digest over all of it."""
    content = {**plan, "model": model}
    return {**content, "digest": _digest(content)}


def certificate_text(certificate: Mapping[str, Any]) -> str:
    """The text of ``memory_plan.json``."""
    return json.dumps(certificate, indent=1) + "\n"


def check_certificate(certificate: Mapping[str, Any], *, model: str, arena: int) -> int:
    """Verifies the certificate of a build for the model of hash ``model`` whose C asks for ``arena`` bytes.

    Returns how many plans it holds. Raises VerifyError (code E-PLAN) with the reason: another model's, edited by hand,
    another arena than the C's, or a plan that is not sound (``check_plan``).
    """
    content = {k: v for k, v in certificate.items() if k != "digest"}
    if "digest" not in certificate or "model" not in certificate:
        raise _refused("not a memory plan: it has no digest or names no model")
    if certificate["digest"] != _digest(content):
        raise _refused("it was changed after it was written: its digest is another")
    if certificate["model"] != model:
        raise _refused(f"it is for another model: {str(certificate['model'])[:12]}..., the build's is {model[:12]}...")
    plans = _check(certificate, "")
    said, align = certificate["arena"], certificate["align"]
    if -(-said // align) * align != arena:
        raise _refused(f"it proves an arena of {said:,} bytes, the C asks for {arena:,}")
    return plans


def _check(plan: Mapping[str, Any], where: str) -> int:
    """The plan itself and those of the loops that its nodes run, whose arenas are these nodes' scratch."""
    check_plan(plan)
    nodes = {node["name"]: node for node in plan["graph"]["nodes"]}
    plans = 1
    for name, body in plan.get("bodies", {}).items():
        if name not in nodes:
            raise _refused(f"it has a loop '{name}'{where} that no node runs")
        plans += _check(body, f" in '{name}'")
        if body["arena"] > nodes[name]["scratch"]:
            raise _refused(f"the loop '{name}'{where} needs {body['arena']:,} bytes of {nodes[name]['scratch']:,}")
    return plans


def _refused(reason: str) -> VerifyError:
    return VerifyError(reason, code="E-PLAN", at="memory_plan.json", hints=[_AGAIN])


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
