"""No kernel of a scan or causal convolution calls through a pointer: the worst-case stack follows direct calls only."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.kernels.library import ROOT

CORES = {
    "armv7em": ["-mcpu=cortex-m4", "-mthumb"],
    "mve": ["-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"],
}


@pytest.mark.board
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("level", ["-O2", "-Os"])
def test_every_call_is_direct(core: str, level: str, tmp_path: Path) -> None:
    folder = ROOT / "kernels" / core
    parts = ("scan", "causal_conv", "conv_window", "mve_conv")
    files = [str(f) for part in parts for f in sorted(folder.glob(f"*{part}*.c"))]
    headers = [f"-I{path}" for path in (ROOT / "include", folder, ROOT / "kernels" / "portable")]
    flags = [*CORES[core], "-std=c99", level, "-fcallgraph-info=su", *headers]
    subprocess.run(["arm-none-eabi-gcc", *flags, "-c", *files], check=True, cwd=tmp_path)
    graphs = {g.stem: g.read_text() for g in tmp_path.glob("*.ci")}
    assert len(graphs) == len(files)
    assert [name for name, text in graphs.items() if "__indirect_call" in text] == []
