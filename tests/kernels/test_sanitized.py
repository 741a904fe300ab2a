"""The tests of the portable kernels again, with a library that checks every access and every overflow.

numpy takes its arrays from malloc, so that the address sanitizer fences them: a kernel that reads one element
before or after an operand stops the run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernels.coverage import KERNEL_TESTS
from tests.kernels.library import ROOT, build_library

HERE = Path(__file__).parent
FLAGS = ("-O1", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
COMPILER = shutil.which("gcc") or "cc"
MODULES = sorted({"test_packed", *(test.partition(".")[0] for test in KERNEL_TESTS.values())})


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kernels with both sanitizers; more than a minute's work."""
    out = tmp_path_factory.mktemp("sanitized") / "kernels.so"
    build_library(out, COMPILER, *FLAGS)
    return out


@pytest.mark.slow
@pytest.mark.parametrize("half", [0, 1])
def test_kernels_under_sanitizers(checked: Path, half: int) -> None:
    done = _run(checked, *(str(HERE / f"{module}.py") for module in MODULES[half::2]))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize("overread", [0, 1])
def test_the_sanitizer_sees_one_element_too_many(checked: Path, overread: int) -> None:
    script = (
        "import numpy as np\n"
        "from tests.kernels.library import call\n"
        "from tests.kernels.structs import fill\n"
        "x, y = np.zeros(64, np.int8), np.zeros(128, np.uint8)\n"
        f"call('ember_nonzero_s8', x, y, fill('ember_nonzero_params', count=64 + {overread}))\n"
    )
    done = _run(checked, script=script)
    assert (done.returncode == 0) == (overread == 0), done.stderr[-2000:]


def _run(library: Path, *arguments: str, script: str = "") -> subprocess.CompletedProcess[str]:
    found = subprocess.run([COMPILER, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    environment = {
        **os.environ,
        "EMBER_KERNEL_LIBRARY": str(library),
        "LD_PRELOAD": found.stdout.strip(),
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONMALLOC": "malloc",
    }
    command = [
        sys.executable,
        *(["-c", script] if script else ["-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]),
    ]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT.parent, check=False)
