"""Fixtures that tests of several areas share: a small BERT, its calibration file and its build."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import emberc
import emberc.harness.compile
from tests.kernels import library
from tests.objects import remembering
from tests.zoo import ZooModel, zoo_model


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this test run that all its workers share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def _our_c_is_compiled_once(shared_folder: Path) -> Iterator[None]:
    library.shared = shared_folder
    store = shared_folder / "objects"
    store.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        run_tool = remembering(emberc.harness.compile.run_tool, store)
        patch.setattr(emberc.harness.compile, "run_tool", run_tool)
        yield


@pytest.fixture(scope="session")
def small_bert() -> ZooModel:
    """Two layers, width 16, sequence 8: everything that a BERT has, compiled in a second."""
    return zoo_model("bert_small_for_tests")


@pytest.fixture(scope="session")
def small_calib(small_bert: ZooModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small BERT's samples as `--calib` takes them."""
    path = tmp_path_factory.mktemp("calib") / "calib.npz"
    np.savez(path, **small_bert.samples)
    return path


@pytest.fixture(scope="session")
def small_build(small_bert: ZooModel, small_calib: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small BERT's build directory for the host. Shared: copy it before you change it."""
    firmware = emberc.compile(small_bert.path, small_calib, name="small")
    return firmware.write(tmp_path_factory.mktemp("small") / "build")
