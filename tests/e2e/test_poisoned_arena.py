"""The certificate against the kernels: a run in which the arena is poisoned outside what the plan says is live.

Before every call the address sanitizer is told that, of the whole arena, only the tensors and the scratch that
``memory_plan.json`` has live in this step may be touched. The first byte beside them that a kernel reads or writes
stops the run.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emberc import harness
from tests.e2e.journey import SANITIZERS, compile_zoo, exact

pytestmark = pytest.mark.slow

HELPER = """
#include <sanitizer/asan_interface.h>
#include <stddef.h>

/* Of the arena, `count` regions {offset, bytes} may be touched from here on. */
static void only(unsigned char *arena, size_t bytes, size_t count, const size_t (*regions)[2])
{
    ASAN_POISON_MEMORY_REGION(arena, bytes);
    for (size_t i = 0; i < count; i++)
        ASAN_UNPOISON_MEMORY_REGION(arena + regions[i][0], regions[i][1]);
}
"""

Regions = list[tuple[int, int]]


def live(plan: dict[str, Any], base: int = 0, outer: Regions | None = None) -> Iterator[Regions]:
    """What is live in each step, the steps of loops right behind the one that runs them, as the C text has them."""
    for step, node in enumerate(plan["order"]):
        found = list(outer or [])
        for region in plan["tensors"].values():
            if region["start"] <= step < region["end"]:
                found.append((base + region["offset"], region["size"]))
        scratch = plan["scratch"].get(node)
        body = plan.get("bodies", {}).get(node)
        if body is not None:
            yield found
            yield from live(body, base + (scratch["offset"] if scratch else 0), found)
        else:
            yield [*found, *([(base + scratch["offset"], scratch["size"])] if scratch else [])]


def instrumented(source: str, plan: dict[str, Any], arena: int) -> str:
    """The generated C with the regions of each step in front of the comment that opens it."""
    head, run = source.split("    unsigned char *const arena = ctx->arena;\n")
    steps = live(plan)

    def poison(match: re.Match[str]) -> str:
        comment, indent = match.group(0), match.group(1)
        if "(the same bytes)" in comment:
            return comment
        regions = next(steps) or [(0, 0)]
        table = ", ".join(f"{{{at}, {size}}}" for at, size in regions)
        call = f"only(arena, {arena}, {len(regions)}, (const size_t[][2]){{{table}}});"
        return f"{indent}{call}\n{comment}"

    run = re.sub(r"^( +)/\* .*?\*/$", poison, run, flags=re.M | re.S)
    assert next(steps, None) is None, "the plan has more steps than the C"
    run = run.replace("    return EMBER_OK;", f"    ASAN_UNPOISON_MEMORY_REGION(arena, {arena});\n    return EMBER_OK;")
    return f"{HELPER}{head}    unsigned char *const arena = ctx->arena;\n{run}"


def poisoned(build: Path, folder: Path, plan: dict[str, Any]) -> list[harness.TestRun]:
    """Runs a copy of the build on the host with its arena poisoned as ``plan`` says."""
    copy = Path(shutil.copytree(build, folder))
    manifest = json.loads((copy / "manifest.json").read_text())
    path = copy / f"{manifest['model']}.c"
    path.write_text(instrumented(path.read_text(), plan, manifest["arena_bytes"]))
    return harness.test_build(copy, ["host"], extra_cflags=SANITIZERS)


@pytest.mark.parametrize("target", ["cortex-m7", "cortex-m55", "rv32"])
def test_kernels_touch_what_the_plan_has_live_and_nothing_else(target: str, tmp_path: Path) -> None:
    """Portable and fast kernels, loops over tiles, attention over its own Q; then with a tensor 16 bytes too short."""
    build = compile_zoo("bert_2mb", tmp_path, exporter="ts", length=32, target=target).folder
    plan = json.loads((build / "memory_plan.json").read_text())
    exact(poisoned(build, tmp_path / "poisoned", plan))

    largest = max(plan["tensors"].values(), key=lambda region: region["size"])
    largest["size"] -= 16
    (run,) = poisoned(build, tmp_path / "short", plan)
    assert run.error is not None and "ABORTING" in run.error.render()  # as the sanitizer ends its report
