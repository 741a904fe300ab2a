"""The certificate against the kernels: a run in which the arena is poisoned outside what the plan says is live.

Before every call the address sanitizer is told that, of the whole arena, only the tensors and the scratch that
``memory_plan.json`` has live in this step may be touched; of all arenas, where there are several. The first byte beside
them that a kernel reads or writes stops the run.
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

typedef struct {
    unsigned char *at;
    size_t bytes;
} region;

/* Of the arenas, `count` regions may be touched from here on. */
static void only(size_t arenas, const region *arena, size_t count, const region *live)
{
    for (size_t i = 0; i < arenas; i++)
        ASAN_POISON_MEMORY_REGION(arena[i].at, arena[i].bytes);
    for (size_t i = 0; i < count; i++)
        ASAN_UNPOISON_MEMORY_REGION(live[i].at, live[i].bytes);
}
"""

Regions = list[tuple[str, int, int]]
"""(the C name of the arena, offset, bytes)"""

ARENA = re.compile(r"    unsigned char \*const (\w+) = ctx->[\w.]+;\n")


def live(plan: dict[str, Any], base: tuple[str, int] = ("arena", 0), outer: Regions | None = None) -> Iterator[Regions]:
    """What is live in each step, the steps of loops right behind the one that runs them, as the C text has them."""

    def place(region: dict[str, Any]) -> tuple[str, int]:
        return region["pool"].lower() if "pool" in region else base[0], base[1] + region["offset"]

    for step, node in enumerate(plan["order"]):
        found = list(outer or [])
        for region in plan["tensors"].values():
            if region["start"] <= step < region["end"]:
                found.append((*place(region), region["size"]))
        scratch = plan["scratch"].get(node)
        body = plan.get("bodies", {}).get(node)
        if body is not None:
            yield found
            yield from live(body, place(scratch) if scratch else base, found)
        else:
            yield [*found, *([(*place(scratch), scratch["size"])] if scratch else [])]


def instrumented(source: str, plan: dict[str, Any]) -> str:
    """The generated C with the regions of each step in front of the comment that opens it."""
    arenas = {a["name"].lower(): a["arena"] for a in plan["spread"]["arenas"]} if "spread" in plan else {}
    used = ARENA.findall(source)
    sizes = {name: arenas.get(name, plan["arena"]) for name in used}
    at = [m.end() for m in ARENA.finditer(source)][-1]
    head, run = source[:at], source[at:]
    whole = ", ".join(f"{{{name}, {size}}}" for name, size in sizes.items())
    steps = live(plan)

    def poison(match: re.Match[str]) -> str:
        comment, indent = match.group(0), match.group(1)
        if "(the same bytes)" in comment:
            return comment
        regions = next(steps) or [(used[0], 0, 0)]
        table = ", ".join(f"{{{arena} + {offset}, {size}}}" for arena, offset, size in regions)
        call = f"only({len(used)}, (const region[]){{{whole}}}, {len(regions)}, (const region[]){{{table}}});"
        return f"{indent}{call}\n{comment}"

    run = re.sub(r"^( +)/\* .*?\*/$", poison, run, flags=re.M | re.S)
    assert next(steps, None) is None, "the plan has more steps than the C"
    free = "".join(f"    ASAN_UNPOISON_MEMORY_REGION({name}, {size});\n" for name, size in sizes.items())
    return HELPER + head + run.replace("    return EMBER_OK;", f"{free}    return EMBER_OK;")


def poisoned(build: Path, folder: Path, plan: dict[str, Any]) -> list[harness.TestRun]:
    """Runs a copy of the build on the host with its arena poisoned as ``plan`` says."""
    copy = Path(shutil.copytree(build, folder))
    manifest = json.loads((copy / "manifest.json").read_text())
    path = copy / f"{manifest['model']}.c"
    path.write_text(instrumented(path.read_text(), plan))
    return harness.test_build(copy, ["host"], extra_cflags=SANITIZERS)


@pytest.mark.parametrize("target", ["cortex-m7", "cortex-m55", "rv32", "stm32h743"])
def test_kernels_touch_what_the_plan_has_live_and_nothing_else(target: str, tmp_path: Path) -> None:
    """Portable and fast kernels, loops over tiles, attention over its own Q; then with a tensor 16 bytes too short."""
    regions = {"DTCM": 5000} if target == "stm32h743" else None
    build = compile_zoo("bert_2mb", tmp_path, exporter="ts", length=32, target=target, regions=regions).folder
    plan = json.loads((build / "memory_plan.json").read_text())
    assert ("spread" in plan) == (target == "stm32h743")
    assert all(arena["arena"] for arena in plan.get("spread", {}).get("arenas", []))
    exact(poisoned(build, tmp_path / "poisoned", plan))

    largest = max(plan["tensors"].values(), key=lambda region: region["size"])
    largest["size"] -= 16
    (run,) = poisoned(build, tmp_path / "short", plan)
    assert run.error is not None and "ABORTING" in run.error.render()  # as the sanitizer ends its report
