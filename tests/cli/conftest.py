"""Runs command lines in this process, and makes models that are small enough to compile in a moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from emberc.cli.main import run
from tests.cli.models import linear_model


@dataclass(frozen=True)
class Result:
    """What a command line left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


Emberc = Callable[..., Result]


@pytest.fixture
def emberc_cli(capsys: pytest.CaptureFixture[str]) -> Emberc:
    """`emberc_cli("compile", path, "-o", out)` runs that command line; arguments are turned into text."""

    def call(*args: object) -> Result:
        code = run([str(a) for a in args])
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return call


@pytest.fixture
def linear(tmp_path: Path) -> Path:
    """The file of a one-layer model: x float [1, 4] -> y float [1, 3]."""
    return linear_model().save(tmp_path / "linear.onnx")


def snapshot(folder: Path) -> Sequence[str]:
    """Every path below `folder`, to show that a command left nothing behind."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))
