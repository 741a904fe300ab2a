"""The wheel: what it carries, and that it works in an environment that has never seen this checkout."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel; building it asks the package index for hatchling."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--quiet", "-w", str(folder)]
    subprocess.run(command, check=True)
    (path,) = folder.glob("*.whl")
    return path


def test_it_carries_everything_that_is_read_at_run_time(wheel: Path) -> None:
    package = ROOT / "compiler" / "emberc"
    data = [p for p in package.rglob("*") if p.suffix in {".toml", ".lark", ".j2", ".c"}]
    assert len(data) > 10
    wanted = {f"emberc/{p.relative_to(package).as_posix()}" for p in data}
    wanted |= {
        f"emberc/_runtime_c/{p.relative_to(ROOT / 'runtime_c').as_posix()}"
        for p in (ROOT / "runtime_c").rglob("*")
        if p.suffix in {".c", ".h", ".S", ".ld"}
    }
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert not wanted - names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert not any("__pycache__" in name for name in names)


def test_it_compiles_and_tests_a_model_far_from_the_checkout(wheel: Path, linear: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)], check=True)
    # The dependencies are those of the environment that runs the tests; emberc itself is not among them.
    here = next(environment.glob("lib/python*/site-packages"))
    (here / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")

    def run(*args: str) -> str:
        command = [environment / "bin" / "emberc", *args]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    where = [python, "-c", "import emberc; print(emberc.__file__)"]
    assert str(here) in subprocess.run(where, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert "cortex-m7" in run("targets")
    run("compile", linear.name, "-o", "build")
    assert "bit-exact" in run("test", "build", "--on", "host")
