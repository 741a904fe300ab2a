"""``emberc bench model``: the calls of a build, what they cost, and that they add up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emberc.bench import bench_model
from emberc.errors import UsageError
from emberc.harness.measure import measure_build
from emberc.targets import load_target
from tests.e2e.journey import compile_zoo

pytestmark = pytest.mark.board


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    return compile_zoo("bert_small_for_tests", folder, target="cortex-m4", exporter="ts").folder


def test_the_calls_are_the_models(build: Path) -> None:
    """Every call is measured, in order, and together they are what a plain run counts."""
    (bench,) = bench_model(build)
    listed = json.loads((build / "manifest.json").read_text())["calls"]
    assert [row.kernel for row in bench.rows] == [call["kernel"] for call in listed]
    assert bench.on == "cortex-m4" and bench.mismatches == 0
    assert all(row.instructions > 0 for row in bench.rows if row.op != "q.nonzero")
    assert bench.macs == sum(call["macs"] for call in listed) > 0
    assert abs(sum(row.share for row in bench.rows) - 1) < 0.01
    assert sum(row.instructions for row in bench.rows) == pytest.approx(bench.instructions, abs=len(bench.rows))
    (again,) = bench_model(build, ["cortex-m4"])
    assert again == bench


def test_the_runtime_is_small(build: Path) -> None:
    """All kernels of an encoder: less than 16 kB on Cortex-M4, and less than the build's whole code."""
    (bench,) = bench_model(build)
    code = measure_build(build, load_target("cortex-m4")).code_bytes
    assert 4000 < bench.runtime_bytes < min(16_000, code)


def test_another_core_runs_the_same_build(build: Path) -> None:
    runs = bench_model(build, ["cortex-m33", "rv32"])
    assert [run.on for run in runs] == ["cortex-m33", "rv32"]
    assert runs[1].instructions > runs[0].instructions


def test_what_is_no_build_is_refused(build: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a build directory"):
        bench_model(tmp_path)
    with pytest.raises(UsageError, match="host has no profiler"):
        bench_model(build, ["host"])
