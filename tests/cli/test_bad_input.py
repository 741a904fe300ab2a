"""Every kind of bad input: exit code 2, a message that names the place and the way out, and nothing written."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Emberc, snapshot
from tests.cli.models import WEIGHT, cyclic_model, external_model, linear_model, unsupported_model

MakeModel = Callable[[Path], Path]


def _bytes(content: bytes) -> MakeModel:
    def make(folder: Path) -> Path:
        (folder / "m.onnx").write_bytes(content)
        return folder / "m.onnx"

    return make


def _truncated(folder: Path) -> Path:
    path = linear_model().save(folder / "m.onnx")
    path.write_bytes(path.read_bytes()[:-30])
    return path


def _nan_weight(folder: Path) -> Path:
    weight = WEIGHT.copy()
    weight[2, 1] = np.nan
    return linear_model(weight=weight).save(folder / "m.onnx")


MODELS: dict[str, tuple[MakeModel, str, list[str]]] = {
    "missing": (lambda folder: folder / "m.onnx", "E-USAGE", ["no such file"]),
    "a folder": (lambda folder: folder, "E-USAGE", ["is a folder, not an ONNX file"]),
    "empty": (_bytes(b""), "E-NOT-ONNX", ["the file is empty"]),
    "text": (_bytes(b"hello, I am not a model\n" * 9), "E-NOT-ONNX", ["not an ONNX file"]),
    "a zip": (_bytes(b"PK\x03\x04" + bytes(99)), "E-NOT-ONNX", ["a zip archive (a PyTorch checkpoint?)"]),
    "truncated": (_truncated, "E-TRUNCATED", ["truncated or damaged", "export it again"]),
    "external data missing": (
        lambda folder: external_model("weights.bin").save(folder / "m.onnx"),
        "E-EXTERNAL",
        ["'w'", "weights.bin"],
    ),
    "external data outside": (
        lambda folder: external_model("../secret.bin").save(folder / "m.onnx"),
        "E-EXTERNAL",
        ["'w'", "../secret.bin", "external data must be a file in the model's own folder"],
    ),
    "unsupported": (
        lambda folder: unsupported_model().save(folder / "m.onnx"),
        "E-UNSUPPORTED",
        [
            "2 unsupported operators in 3 nodes: my.ops::Warp, my.ops::Weft",
            "my.ops::Warp: 2 nodes: /first/warp, /second/warp",
            "my.ops::Weft: 1 node: /third/weft",
            "register an importer",
        ],
    ),
    "symbolic": (
        lambda folder: linear_model(batch="batch").save(folder / "m.onnx"),
        "E-SHAPE",
        ["input 'x' has a symbolic dimension 'batch'", "emberc compile m.onnx --shape x=1x4"],
    ),
    "NaN in a weight": (_nan_weight, "E-NAN", ["'w'"]),
    "cyclic": (lambda folder: cyclic_model().save(folder / "m.onnx"), "E-CYCLE", ["/add_a", "/relu_b"]),
    "opset too new": (
        lambda folder: linear_model(opset=99).save(folder / "m.onnx"),
        "E-OPSET",
        ["opset 99 is too new", "export again with opset_version="],
    ),
}


@pytest.mark.parametrize("kind", MODELS)
def test_a_bad_model_is_refused_with_the_reason(emberc_cli: Emberc, tmp_path: Path, kind: str) -> None:
    make, code, parts = MODELS[kind]
    model = make(tmp_path)
    before = snapshot(tmp_path)
    done = emberc_cli("compile", model, "-o", tmp_path / "b")
    assert done.code == 2
    for part in [f"error[{code}]: ", *parts]:
        assert part in done.err
    assert "Traceback" not in done.err
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("kind", MODELS)
def test_inspect_refuses_it_the_same_way(emberc_cli: Emberc, tmp_path: Path, kind: str) -> None:
    make, code, parts = MODELS[kind]
    done = emberc_cli("inspect", make(tmp_path))
    assert done.code == 2
    for part in [f"error[{code}]: ", *parts]:
        assert part in done.err + done.out


GOOD = np.zeros((8, 1, 4), np.float32)
NAN = np.where(np.arange(32).reshape(8, 1, 4) == 21, np.float32(np.nan), GOOD)
CALIBRATIONS: dict[str, tuple[dict[str, np.ndarray], list[str]]] = {
    "wrong name": ({"X": GOOD}, ["lacks x and has unknown X", "x [1, 4]"]),
    "wrong shape": ({"x": GOOD[:, :, :3]}, ["'x' has shape [8, 1, 3], expected [samples, 1, 4]"]),
    "no sample axis": ({"x": GOOD[0, 0]}, ["'x' has shape [4], expected [samples, 1, 4]"]),
    "wrong type": ({"x": GOOD.astype(np.int64)}, ["'x' holds int64, the input takes f32"]),
    "text": ({"x": GOOD.astype(str)}, ["the input takes f32"]),
    "no samples": ({"x": GOOD[:0]}, ["different numbers of samples, or none"]),
    "beyond float32": ({"x": GOOD + 1e300}, ["'x' holds NaN or infinity, first in sample 0"]),
    "NaN": ({"x": NAN}, ["'x' holds NaN or infinity, first in sample 5"]),
}


@pytest.mark.parametrize("kind", CALIBRATIONS)
def test_bad_calibration_data_is_refused_with_the_array_and_what_it_should_be(
    emberc_cli: Emberc, linear: Path, tmp_path: Path, kind: str
) -> None:
    arrays, parts = CALIBRATIONS[kind]
    np.savez(tmp_path / "c.npz", **arrays)
    before = snapshot(tmp_path)
    done = emberc_cli("compile", linear, "-o", tmp_path / "b", "--calib", tmp_path / "c.npz")
    assert done.code == 2
    for part in ["error[E-CALIB]: ", *parts]:
        assert part in done.err
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(("content", "why"), [(None, "there is no file"), (b"not a zip", "is not a readable .npz")])
def test_an_unreadable_calibration_file_is_named(
    emberc_cli: Emberc, linear: Path, tmp_path: Path, content: bytes | None, why: str
) -> None:
    if content:
        (tmp_path / "c.npz").write_bytes(content)
    done = emberc_cli("compile", linear, "-o", tmp_path / "b", "--calib", tmp_path / "c.npz")
    assert done.code == 2
    assert why in done.err
    assert "c.npz" in done.err
    assert not (tmp_path / "b").exists()


def test_an_unknown_target_lists_the_known_ones(emberc_cli: Emberc, linear: Path, tmp_path: Path) -> None:
    done = emberc_cli("compile", linear, "-o", tmp_path / "b", "--target", "cortex-m9")
    assert done.code == 2
    assert "error[E-TARGET]: unknown target 'cortex-m9'" in done.err
    assert "known: host, cortex-m3, cortex-m4, cortex-m7, cortex-m33, cortex-m55, rv32" in done.err
    assert "try  --target cortex-m" in done.err
    assert not (tmp_path / "b").exists()


def test_an_output_that_can_not_be_written_is_refused(emberc_cli: Emberc, linear: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years of work")
    before = snapshot(tmp_path)
    for out, why in [
        (linear, "the output is a file, not a folder"),
        (linear / "b", "not"),
        (tmp_path / "full", "holds something that is not an emberc build"),
        (Path("/proc/emberc"), "cannot write the build directory"),
    ]:
        done = emberc_cli("compile", linear, "-o", out)
        assert done.code == 2
        assert why in done.err
        assert str(out) in done.err
    assert snapshot(tmp_path) == before


def test_an_error_is_an_object_on_stdout_with_json(emberc_cli: Emberc, tmp_path: Path) -> None:
    model = unsupported_model().save(tmp_path / "m.onnx")
    done = emberc_cli("compile", model, "-o", tmp_path / "b", "--json")
    error = json.loads(done.out)["error"]
    assert done.code == 2
    assert list(error) == ["code", "message", "at", "details", "hints"]
    assert (error["code"], error["at"]) == ("E-UNSUPPORTED", "m.onnx")
    assert len(error["details"]) == 2
    assert done.err.startswith("error[E-UNSUPPORTED]: ")


def test_a_usage_error_is_an_object_too(emberc_cli: Emberc) -> None:
    done = emberc_cli("compile", "m.onnx", "--json")
    assert done.code == 2
    assert json.loads(done.out) == {"error": {"code": "E-USAGE", "message": "Missing option '-o' / '--out'."}}


def test_a_machine_without_memory_is_no_defect(
    emberc_cli: Emberc, linear: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hungry(*_: object) -> None:
        raise MemoryError("Unable to allocate 9 TiB")

    monkeypatch.setattr("emberc.driver.FloatModel", hungry)
    done = emberc_cli("compile", linear, "-o", tmp_path / "b")
    assert done.code == 2
    assert "error[E-MEMORY]: this takes more memory than there is: Unable to allocate 9 TiB" in done.err
    assert not (tmp_path / "b").exists()


def test_a_calibration_file_that_unpacks_to_gigabytes_is_not_read(
    emberc_cli: Emberc, linear: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "c.npz", x=np.zeros((1000, 1, 4), np.float32))
    monkeypatch.setattr("emberc.quant.calibration.UNPACKED_BYTES", 16_000)
    done = emberc_cli("compile", linear, "-o", tmp_path / "b", "--calib", tmp_path / "c.npz")
    assert done.code == 2
    assert "holds 16,128 bytes unpacked, more than the 16,000 that are read" in done.err
    assert "try  a few hundred samples are enough" in done.err
