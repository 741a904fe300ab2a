"""The rv32 kernels are plain C: on this machine, too, and there in all shapes and under the sanitizers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from emberc.bench import Case
from emberc.bench.image import Run
from emberc.bench.run import execute
from emberc.targets import load_target
from tests.kernels.boards import assert_exact

SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def assert_exact_here(cases: Sequence[Case], *, kernel: str) -> None:
    """Every case is run by ``kernel`` on the host, under sanitizers, and gives the reference's bits."""
    isa, host = load_target("rv32").isa, load_target("host")
    compiler = (*host.toolchain.compiler, *SANITIZE)
    board = replace(host, toolchain=replace(host.toolchain, compiler=compiler))
    runs = [Run(case, isa) for case in cases]
    assert {run.kernel.function for run in runs} == {kernel}
    _, result = execute(runs, board, opt="-O1", profile=False)
    differ = [(c.shape, c.note, v) for c, v in zip(cases, result.vectors, strict=True) if v.mismatches or v.status]
    assert differ == []


def assert_exact_there(cases: Sequence[Case], *, kernel: str) -> None:
    """The same on the emulated core."""
    assert_exact("rv32", cases, kernel=kernel)
