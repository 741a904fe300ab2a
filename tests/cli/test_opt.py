"""`emberc opt`: text in, text out."""

from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Emberc, snapshot
from tests.zoo import ZooModel

MODULE = """\
module @m {
  func @main(%x : f32[1, 4]) {
    %0 = f.relu %x : f32[1, 4] loc "/first"
    %1 = f.relu %0 : f32[1, 4] loc "/second"
    return %1 as "y"
  }
}
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "m.eir"
    path.write_text(MODULE)
    return path


def test_without_passes_the_text_comes_back_as_it_is(emberc_cli: Emberc, module: Path) -> None:
    done = emberc_cli("opt", module)
    assert (done.code, done.out, done.err) == (0, MODULE, "")


def test_passes_run_in_order_on_the_text(emberc_cli: Emberc, module: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", x=np.random.default_rng(0).standard_normal((8, 1, 4)).astype(np.float32))
    done = emberc_cli("opt", module, "--passes", "canonicalize,quantize", "--calib", tmp_path / "c.npz")
    assert done.code == 0
    assert "no calibration data" not in done.err
    assert "q." in done.out
    assert "f." not in done.out.replace("inf.", "")


def test_quantizing_without_calibration_says_so(emberc_cli: Emberc, module: Path) -> None:
    done = emberc_cli("opt", module, "--passes", "quantize")
    assert done.code == 0
    assert "warning: no calibration data: synthetic samples were used" in done.err


def test_stop_after_leaves_out_the_rest_and_print_after_goes_to_stderr(emberc_cli: Emberc, module: Path) -> None:
    flags = ("--passes", "canonicalize,quantize", "--stop-after", "canonicalize", "--print-after", "canonicalize")
    done = emberc_cli("opt", module, *flags)
    assert done.code == 0
    assert "q." not in done.out
    assert done.err == f"// after canonicalize\n{done.out}\n"


def test_out_writes_text_and_side_file_that_read_back(emberc_cli: Emberc, small_bert: ZooModel, tmp_path: Path) -> None:
    emberc_cli("inspect", small_bert.path, "--save", tmp_path / "f.eir")
    done = emberc_cli("opt", tmp_path / "f.eir", "--passes", "canonicalize,fuse-norm", "-o", tmp_path / "g.eir")
    assert (done.code, done.out, done.err) == (0, "", "")
    again = emberc_cli("opt", tmp_path / "g.eir")
    assert again.out == (tmp_path / "g.eir").read_text().replace('"g.bin"', '"module.bin"')
    assert "-o OUT.eir writes them" in again.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("module @m {", "error[E-SYNTAX]"),
        (MODULE.replace("return %1", "return %7"), "value %7 is not defined"),
        (MODULE.replace("f.relu %x", "f.rule %x"), "f.rule"),
        (MODULE.replace("%0 = f.relu %x : f32[1, 4]", "%0 = f.relu %x : f32[1, 5]"), "[1, 5]"),
    ],
)
def test_bad_text_ends_with_2_or_1_and_the_place(emberc_cli: Emberc, module: Path, text: str, message: str) -> None:
    module.write_text(text)
    done = emberc_cli("opt", module)
    assert done.code in (1, 2)
    assert message in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["none.eir"], "can't read none.eir: No such file"),
        (["m.eir", "--passes", "nothing"], "unknown pass 'nothing'"),
        (["m.eir", "--passes", "canonicalize", "--stop-after", "quantize"], "--passes does not run 'quantize'"),
        (["m.eir", "--calib", "none.npz"], "there is no file 'none.npz'"),
        (["m.eir", "-o", "none/out.eir"], "can't write none/out.eir"),
        (["model.onnx"], "emberc inspect model.onnx --save FILE.eir"),
    ],
)
def test_bad_usage_ends_with_2(
    emberc_cli: Emberc, module: Path, linear: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], message: str
) -> None:
    monkeypatch.chdir(module.parent)
    linear.rename("model.onnx")
    Path("model.onnx").write_bytes(Path("model.onnx").read_bytes() + b"\xff\xfe")
    before = snapshot(module.parent)
    done = emberc_cli("opt", *args)
    assert done.code == 2
    assert message in done.err
    assert snapshot(module.parent) == before
