"""Loops over tiles in C: forwards, and backwards over rows that are narrower."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from backend.support import compile_and_run, vectors, write
from emberc.ir.parser import parse_module
from emberc.passes.tile_rows import TileRows

CASES = Path(__file__).parents[1] / "passes" / "cases" / "tile-rows"


def test_a_loop_that_writes_over_narrower_rows_runs_backwards(tmp_path: Path) -> None:
    text = (CASES / "attention_head_by_head.eir").read_text().split("// expect")[0]
    # An output is the caller's memory: a copy of the rows behind it leaves the loop's own in the arena.
    more = '%z = q.transpose %y {perm = [0, 2, 1]} : i8[1, 4, 8] q(1.0)\n    return %z as "z"'
    module = parse_module(text.replace('return %y as "y"', more))
    TileRows(4, queries=True, heads=True, recompute=True).run(module)
    rng = np.random.default_rng(0)
    golden = vectors(module, [{"ids": rng.integers(0, 4, (1, 8)).astype(np.int32)} for _ in range(4)])
    build = write(module, tmp_path / "build", golden)
    assert "mismatches=0 errors=0" in compile_and_run(build)

    source = " ".join((build / f"{module.name}.c").read_text().replace("\n     * ", " ").split())
    assert "for (int32_t row = 4; row >= 0; row -= 4)" in source
    (first,) = re.findall(r"-> y i8\[1,8,2\] arena (0x\w+)", source)
    assert f"-> y i8[1,8,4] arena {first}" in source  # where the rows of the first head were
