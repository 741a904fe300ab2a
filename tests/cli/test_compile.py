"""`emberc compile`: what it prints, what it writes, which flags it takes."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Emberc, snapshot
from tests.cli.models import linear_model
from tests.zoo import ZooModel

# The fields that the JSON promises to scripts.
TOP = ("model", "target", "integer_only", "macs", "seconds", "memory", "accuracy")
MEMORY = ("flash", "ram", "total", "budget", "arena_bound", "arena_proved")


def test_output_is_stages_report_and_what_to_do_next(
    emberc_cli: Emberc, small_bert: ZooModel, small_calib: Path, tmp_path: Path
) -> None:
    out = tmp_path / "my build"
    done = emberc_cli("compile", small_bert.path, "--calib", small_calib, "-o", out, "--name", "tiny")
    assert (done.code, done.err) == (0, "")
    stages = re.findall(r"^  (\w+) +\S.* \d+\.\d s$", done.out, re.MULTILINE)
    assert stages == ["import", "calibrate", "quantize", "plan", "emit", "measure", "compare"]
    assert re.search(r"memory +flash .* kB", done.out)
    assert re.search(r"accuracy +logits SQNR \d+\.\d dB", done.out)
    assert done.out.splitlines()[-1] == f"  next       emberc test '{out}' --on host"
    assert (out / "tiny.h").is_file()


def test_json_has_every_promised_field_and_stdout_holds_nothing_else(
    emberc_cli: Emberc, small_bert: ZooModel, small_calib: Path, tmp_path: Path
) -> None:
    done = emberc_cli("compile", small_bert.path, "--calib", small_calib, "-o", tmp_path / "b", "--json")
    report = json.loads(done.out)
    assert done.code == 0
    assert set(TOP) <= report.keys()
    assert set(MEMORY) <= report["memory"].keys()
    assert {"weights", "tables", "code"} <= report["memory"]["flash"].keys()
    assert {"arena", "state", "stack", "io"} <= report["memory"]["ram"].keys()
    assert {"sqnr_db", "cosine", "top1_agreement"} <= report["accuracy"]["logits"].keys()
    assert report["integer_only"] is True
    assert report["macs"] > 1000
    assert "import" in done.err  # the stages are still shown, elsewhere


def test_the_report_in_the_build_is_the_json_without_timings(
    emberc_cli: Emberc, small_bert: ZooModel, small_calib: Path, tmp_path: Path
) -> None:
    done = emberc_cli("compile", small_bert.path, "--calib", small_calib, "-o", tmp_path / "b", "--json")
    printed = json.loads(done.out)
    del printed["seconds"], printed["stages"]
    assert json.loads((tmp_path / "b" / "report.json").read_text()) == printed


def test_without_calibration_it_says_that_accuracy_means_nothing(
    emberc_cli: Emberc, linear: Path, tmp_path: Path
) -> None:
    done = emberc_cli("compile", linear, "-o", tmp_path / "b")
    assert done.code == 0
    assert "warning: no --calib: calibrating on made-up samples, accuracy is not representative" in done.err
    assert emberc_cli("compile", linear, "-o", tmp_path / "b", "--json").out.count('"synthetic_calibration": true') == 1


def test_shape_makes_a_symbolic_model_static(emberc_cli: Emberc, tmp_path: Path) -> None:
    model = linear_model(batch="batch").save(tmp_path / "m.onnx")
    assert emberc_cli("compile", model, "-o", tmp_path / "b").code == 2
    assert emberc_cli("compile", model, "-o", tmp_path / "b", "--shape", "x=3x4").code == 0


def test_fix_makes_an_input_constant(emberc_cli: Emberc, small_bert: ZooModel, tmp_path: Path) -> None:
    done = emberc_cli("compile", small_bert.path, "--fix", "attention_mask=1", "-o", tmp_path / "b", "--name", "m")
    header = (tmp_path / "b" / "m.h").read_text()
    assert done.code == 0
    assert "input_ids" in header
    assert "attention_mask" not in header


def test_limits_are_reported_when_they_are_met(emberc_cli: Emberc, linear: Path, tmp_path: Path) -> None:
    flags = ("--budget", "1MiB", "--flash", "500kB", "--ram", "65536")
    memory = json.loads(emberc_cli("compile", linear, "-o", tmp_path / "b", "--json", *flags).out)["memory"]
    assert (memory["budget"], memory["limits"]) == (1 << 20, {"RAM": 65536, "flash": 500_000})
    assert memory["fits"] is True


@pytest.mark.parametrize("flag", ["--budget", "--flash", "--ram"])
def test_a_limit_that_is_too_small_ends_with_3(emberc_cli: Emberc, linear: Path, tmp_path: Path, flag: str) -> None:
    before = snapshot(tmp_path)
    done = emberc_cli("compile", linear, "-o", tmp_path / "b", flag, "20")
    assert done.code == 3
    pool = {"--budget": "total", "--flash": "flash", "--ram": "RAM"}[flag]
    need = re.search(rf"error\[E-FIT\]: {pool} needs ([\d,]+) bytes, the budget is 20: ([\d,]+) too many", done.err)
    assert need
    required, excess = (int(n.replace(",", "")) for n in need.groups())
    assert excess == required - 20
    assert f"required {need[1]}, available 20, excess {need[2]}" in done.err
    assert "  at   " in done.err  # the op at the peak
    assert f"{flag} {required}" in done.err  # what would make it fit
    assert snapshot(tmp_path) == before


def test_the_limit_that_the_error_names_is_enough(emberc_cli: Emberc, linear: Path, tmp_path: Path) -> None:
    refused = emberc_cli("compile", linear, "-o", tmp_path / "b", "--budget", "20")
    enough = re.search(r"--budget (\d+)", refused.err)
    assert enough
    assert emberc_cli("compile", linear, "-o", tmp_path / "b", "--budget", enough[1]).code == 0
    assert emberc_cli("compile", linear, "-o", tmp_path / "b", "--budget", int(enough[1]) - 1).code == 3


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--budget", "2 apples"], "'2 apples' is not a size"),
        (["--budget", "0"], "'0' is not a whole number of bytes above 0"),
        (["--shape", "x=1,4"], "'x=1,4' is not a shape; write input=1x128"),
        (["--shape", "1x4"], "'1x4' is not a shape; write input=1x128"),
        (["--shape", "x=²x4"], "'x=²x4' is not a shape; write input=1x128"),
        (["--shape", "x=1x4", "--shape", "x=2x4"], "'x=2x4' gives 'x' a second shape"),
        (["--fix", "x=0", "--fix", "x=1"], "'x=1' fixes 'x' for the second time"),
        (["--fix", "x=zero"], "'x=zero' fixes no input; write input=0"),
        (["--fix", "x=nan"], "'x=nan' fixes no input; write input=0"),
        (["--shape", "z=1x4"], "the model has no input 'z'"),
        (["--fix", "z=0"], "the model has no input 'z'"),
        (["--observer", "median"], "'median' is not one of"),
        (["--precision", "int4"], "unknown precision 'int4'"),
        (["--percentile", "101"], "101"),
        (["--passes", "fuse-everything"], "unknown pass 'fuse-everything'"),
        (["--passes", "quantize{depth=3}"], "pass 'quantize' has no option 'depth'"),
        (["--passes", "quantize", "--observer", "mse"], "--observer can't be used with --passes"),
        (["--print-after", "nothing"], "the pipeline has no pass 'nothing'"),
        (["--print-after", "quantize,"], "a name is empty"),
        (["--colour"], "No such option"),
    ],
)
def test_bad_usage_ends_with_2_and_writes_nothing(
    emberc_cli: Emberc, linear: Path, tmp_path: Path, flags: list[str], message: str
) -> None:
    before = snapshot(tmp_path)
    done = emberc_cli("compile", linear, "-o", tmp_path / "b", *flags)
    assert done.code == 2
    assert message in done.err
    assert done.out == ""
    assert snapshot(tmp_path) == before


def test_the_output_folder_must_be_named(emberc_cli: Emberc, linear: Path) -> None:
    done = emberc_cli("compile", linear)
    assert done.code == 2
    assert "Missing option '-o' / '--out'" in done.err


def test_passes_replaces_the_pipeline_and_print_after_shows_its_work(
    emberc_cli: Emberc, linear: Path, tmp_path: Path
) -> None:
    passes = "canonicalize,fuse-linear,quantize{observer=mse}"
    done = emberc_cli("compile", linear, "-o", tmp_path / "b", "--passes", passes, "--print-after", "fuse-linear")
    assert done.code == 0
    assert done.out.count("// after ") == 1
    assert "// after fuse-linear\nmodule @linear" in done.out


def test_what_print_after_prints_does_not_spoil_the_json(emberc_cli: Emberc, linear: Path, tmp_path: Path) -> None:
    done = emberc_cli("compile", linear, "-o", tmp_path / "b", "--print-after", "quantize", "--json")
    assert json.loads(done.out)["model"] == "linear"
    assert "// after quantize" in done.err


@pytest.mark.parametrize("observer", ["minmax", "percentile", "mse"])
@pytest.mark.parametrize("precision", ["int8", "int16", "mixed:45dB"])
def test_every_observer_and_precision_compiles(
    emberc_cli: Emberc, linear: Path, tmp_path: Path, observer: str, precision: str
) -> None:
    np.savez(tmp_path / "c.npz", x=np.random.default_rng(0).standard_normal((16, 1, 4)).astype(np.float32))
    flags = ("--observer", observer, "--precision", precision, "--percentile", "99", "--calib", tmp_path / "c.npz")
    done = emberc_cli("compile", linear, "-o", tmp_path / "b", *flags, "--json")
    assert done.code == 0
    assert json.loads(done.out)["accuracy"]["y"]["cosine"] > 0.99


def test_an_earlier_build_is_replaced_and_what_is_not_ours_is_kept(
    emberc_cli: Emberc, linear: Path, tmp_path: Path
) -> None:
    out = tmp_path / "b"
    assert emberc_cli("compile", linear, "-o", out, "--name", "first").code == 0
    (out / "notes.txt").write_text("mine")
    assert emberc_cli("compile", linear, "-o", out, "--name", "second").code == 0
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "second.h").is_file()
    assert not (out / "first.h").exists()
