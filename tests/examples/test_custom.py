"""The examples of a pass and an op of one's own, as their README runs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(script: str) -> str:
    done = subprocess.run([sys.executable, str(EXAMPLES / script)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_custom_pass_stands_where_it_was_put_and_changes_the_model() -> None:
    out = run("custom_pass/run.py")
    names = next(line for line in out.splitlines() if line.startswith("pipeline")).split()
    assert names[names.index("fuse-functions,") - 1] == "merge-clamps,"
    assert "ops        {'q.matmul': 2}" in out  # two ReLUs, a max and a min became the end of the first product


@pytest.mark.board
def test_custom_op_is_bit_exact_from_its_own_c_file() -> None:
    out = run("custom_op/run.py")
    assert "'my.q.running_max': 1" in out
    results = [line.split(maxsplit=1) for line in out.splitlines()[-2:]]
    assert results == [["host", "0 mismatches"], ["cortex-m4", "0 mismatches"]]
