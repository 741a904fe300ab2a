"""Every build has a README that brings it into a project: its C compiles and runs as it stands, so do its commands."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

import emberc
from tests.cli.models import linear_model
from tests.frontend.models import model

_STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
_STEPS = """(float[1,8,4] x) => (float[1,8,4] y) {
    t = Transpose<perm = [0, 2, 1]>(x)  c = Conv<pads = [2, 0], group = 4>(t, w)
    y = Transpose<perm = [0, 2, 1]>(c) }"""


def _build(folder: Path, kind: str) -> Path:
    if kind == "streaming":
        steps = model(_STEPS, w=[[[0.5, 0.25, 1.0]]] * 4)
        return emberc.compile(steps, streaming=True, name="tiny").write(folder / "build")
    target = {"several memories": "stm32h743"}.get(kind, "host")
    return emberc.compile(linear_model().proto, target=target, name="tiny").write(folder / "build")


def _run(*command: object) -> str:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _snippets(build: Path) -> str:
    return "\n".join(re.findall(r"```c\n(.*?)```", (build / "README.md").read_text(), re.S))


@pytest.mark.parametrize("kind", ["one memory", "several memories", "streaming"])
def test_its_c_compiles_and_runs_in_c_and_in_cpp(tmp_path: Path, kind: str) -> None:
    build = _build(tmp_path, kind)
    main = "\nint main(void)\n{\n    return setup_model() || run_model() || wrong_vectors();\n}\n"
    include = ["-I", build, "-I", build / "include"]
    _run("make", "-C", build, "CFLAGS=-O1")
    for compiler in (["gcc", "-std=c99"], ["g++", "-std=c++17"]):
        source = tmp_path / f"app.{'c' if compiler[0] == 'gcc' else 'cpp'}"
        source.write_text(_snippets(build) + main)
        _run(*compiler, *_STRICT, *include, "-c", source, "-o", tmp_path / "app.o")
        golden = build / "tiny_golden.c"
        _run("gcc", "-O1", *include, tmp_path / "app.o", golden, build / "libtiny.a", "-o", tmp_path / "app")
        _run(tmp_path / "app")


def test_its_files_build_flat_as_a_library_for_arduino(tmp_path: Path) -> None:
    build = _build(tmp_path, "one memory")
    flat = tmp_path / "src"
    flat.mkdir()
    for path in [*build.glob("tiny*.[ch]"), *build.glob("include/*"), *build.glob("kernels/*")]:
        if "golden" not in path.name:
            (flat / path.name).write_bytes(path.read_bytes())
    for source in flat.glob("*.c"):
        _run("gcc", "-O1", "-I", flat, "-c", source, "-o", tmp_path / "flat.o")


@pytest.mark.board
def test_its_make_command_cross_compiles(tmp_path: Path) -> None:
    build = _build(tmp_path, "several memories")
    (command,) = re.findall(r"\| `(make .*?)` builds", (build / "README.md").read_text())
    _run(*shlex.split(command), "-C", build)
    assert "tiny_run" in _run("arm-none-eabi-nm", build / "libtiny.a")
