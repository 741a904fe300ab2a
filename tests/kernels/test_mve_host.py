"""The files of the Helium kernels on a machine without Helium: the same bits, under the sanitizers."""

from __future__ import annotations

from pathlib import Path

import pytest

from emberc.bench import Case
from emberc.bench.image import Run, write_image
from emberc.bench.suite import attention, matmul
from emberc.harness import build_image, run_image
from emberc.harness.compile import STRICT_CFLAGS
from emberc.targets import load_target

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

CASES = {
    "attention": [attention(3, 9, 2, 5), attention(2, 7, 1, 8, masked=True)],
    "matmul": [
        matmul(m, k, n, "i8", y, table=table)
        for m in (1, 3)
        for k, n in ((3, 5), (40, 37))
        for y in ("i8", "i16")
        for table in (False, True)
    ],
}


@pytest.mark.parametrize("family", CASES)
def test_plain_c_gives_the_same_bits(family: str, tmp_path: Path) -> None:
    cases: list[Case] = CASES[family]
    isa, host = load_target("cortex-m55").isa, load_target("host")
    runs = [Run(c, isa) for c in cases]
    assert all(r.kernel.function.endswith("_mve") for r in runs)
    write_image(runs, tmp_path / "build", "host")
    image = build_image(tmp_path / "build", host, tmp_path / "work", extra_cflags=[*STRICT_CFLAGS, *SANITIZERS])
    assert [v.mismatches for v in run_image(image, host, profile=False).vectors] == [0] * len(runs)
