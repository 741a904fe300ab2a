"""Several memories, from a target's description to the emulated board: placed, bit-exact, counted and checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import emberc
from emberc import harness
from emberc.memory import check_certificate
from tests.e2e.regions import two_layers
from tests.e2e.step_models import state_space

TIGHT = {"dtcm": 1800, "internal": 12000}


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[emberc.Firmware]:
    """A build for which neither the fast RAM nor the internal flash has room for all."""
    model, samples = two_layers(tmp_path_factory.mktemp("model"))
    yield emberc.compile(model, calibration=samples, target="stm32h743", regions=TIGHT)


@pytest.fixture(scope="module")
def build(tight: emberc.Firmware, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tight.write(tmp_path_factory.mktemp("regions") / "build")


def test_each_memory_holds_what_the_report_says_and_no_more(tight: emberc.Firmware) -> None:
    memory = tight.report.memory
    uses = {r.name: r for r in memory.regions}
    assert list(uses) == ["DTCM", "SRAM", "INTERNAL", "EXTERNAL"]
    assert all(0 < r.required <= r.available for r in uses.values())
    assert uses["DTCM"].available == 1800 and uses["INTERNAL"].available == 12000
    assert "stack" in uses["DTCM"].parts and uses["SRAM"].parts["I/O"] == memory.ram.io
    assert sum(r.parts["constants"] for r in uses.values() if r.kind == "flash") >= memory.flash.weights
    assert memory.ram.arena == uses["DTCM"].parts["arena"] + uses["SRAM"].parts["arena"]
    assert memory.waits is not None and memory.waits.bound <= memory.waits.placed <= memory.waits.by_size


def test_the_certificate_is_sound_for_every_memory(tight: emberc.Firmware) -> None:
    certificate = tight.certificate
    arenas = {a["name"]: a["arena"] for a in certificate["spread"]["arenas"]}
    assert set(arenas) == {"DTCM", "SRAM"} and all(arenas.values())
    check_certificate(certificate, model=certificate["model"], arena=sum(arenas.values()))


@pytest.mark.board
def test_it_is_exact_where_it_was_placed_and_on_boards_without_such_memories(build: Path) -> None:
    own, *others = harness.test_build(build, ["stm32h743", "cortex-m7", "host"])
    for run in (own, *others):
        assert run.ok, run.error
    assert [name for name, (loads, _) in own.accesses.items() if loads] == ["DTCM", "SRAM", "INTERNAL", "EXTERNAL"]
    assert all(run.wait_cycles is None for run in others)
    assert len({run.flash_bytes for run in (own, others[0])}) == 1
    assert own.stack_bytes is not None and own.painted_stack_bytes is not None
    assert own.stack_bytes <= own.painted_stack_bytes < own.stack_bytes + 300, "the stack is that of one memory's build"


@pytest.mark.board
def test_the_model_of_waits_is_near_the_count(tight: emberc.Firmware, build: Path) -> None:
    """Counted are also the caller's buffers, the stack and literals of the code, which are not placed."""
    (run,) = harness.test_build(build, ["stm32h743"])
    waits = tight.report.memory.waits
    assert waits is not None and run.wait_cycles is not None
    assert 0.75 * run.wait_cycles < waits.placed < 1.1 * run.wait_cycles


@pytest.mark.slow
@pytest.mark.board
def test_steps_with_their_state_over_two_memories(tmp_path: Path) -> None:
    """The state is the caller's, in SRAM; DTCM has of the arena what the stack of that very plan leaves."""
    x = np.random.default_rng(4).normal(size=(8, 6, 1, 1, 64)).astype(np.float32)
    options = {"streaming": True, "target": "stm32h743", "name": "ssm", "regions": {"dtcm": 700}}
    firmware = emberc.compile(state_space(64), {"x": x}, **options)
    dtcm, sram = firmware.report.memory.regions[:2]
    assert dtcm.required <= 700 and dtcm.parts["arena"] and sram.parts["arena"]
    assert sram.parts["state"] == firmware.report.memory.ram.state > 0
    check_certificate(firmware.certificate, model=firmware.certificate["model"], arena=firmware.plan.arena_bytes)
    for run in harness.test_build(firmware.write(tmp_path / "build"), ["stm32h743", "host"]):
        assert run.ok, run.error


@pytest.mark.slow
@pytest.mark.board
def test_hot_first_waits_less_than_largest_first(tmp_path: Path) -> None:
    """The same kernels and tiles, placed by accesses and by size: the emulator counts what both wait."""
    model, samples = two_layers(tmp_path)
    waits = {}
    for rule in ("hot", "size"):
        options = {"target": "stm32h743", "regions": TIGHT, "placement": rule}
        firmware = emberc.compile(model, calibration=samples, **options)
        (run,) = harness.test_build(firmware.write(tmp_path / rule), ["stm32h743"])
        assert run.ok, run.error
        waits[rule] = run.wait_cycles or 0
    assert 0 < waits["hot"] < 0.95 * waits["size"]


def test_the_fragment_for_the_linker_names_what_is_there(build: Path) -> None:
    text = (build / "two_layers_regions.ld").read_text()
    sections = json.loads((build / "manifest.json").read_text())["sections"]
    assert sections == [[".dtcm", "ram", "DTCM"], [".external", "flash", "EXTERNAL"]]
    for section, _, region in sections:
        assert f"*({section} {section}.*)" in text and f"> {region}" in text


def test_the_page_has_a_map_for_each_memory(build: Path) -> None:
    page = (build / "report.html").read_text()
    assert page.count('class="memory-map"') == 2 and "Arena in DTCM" in page and "Arena in SRAM" in page
