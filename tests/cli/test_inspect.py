"""`emberc inspect`: what it says about models that compile and models that do not."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Emberc, snapshot
from tests.cli.models import external_model, linear_model, unsupported_model
from tests.zoo import ZooModel, zoo_model


def test_it_names_inputs_outputs_operators_and_weights(emberc_cli: Emberc, small_bert: ZooModel) -> None:
    done = emberc_cli("inspect", small_bert.path)
    assert (done.code, done.err) == (0, "")
    for part in ["opset      ai.onnx", "input_ids : int64[1, 8]", "logits : float[1, 2]", "LayerNormalization 5"]:
        assert part in done.out
    assert done.out.splitlines()[-1] == "  compiles   yes"


def test_json_counts_what_the_file_holds(emberc_cli: Emberc, linear: Path) -> None:
    data = json.loads(emberc_cli("inspect", linear, "--json").out)
    assert data["inputs"] == [{"name": "x", "dtype": "float", "shape": [1, 4]}]
    assert data["outputs"] == [{"name": "y", "dtype": "float", "shape": [1, 3]}]
    assert data["operators"] == {"MatMul": 1, "Relu": 1}
    assert (data["parameters"], data["parameter_bytes"]) == (12, 48)
    assert (data["compiles"], data["error"]) == (True, None)


def test_parameters_in_another_file_are_counted(emberc_cli: Emberc, tmp_path: Path) -> None:
    model = external_model("w.bin").save(tmp_path / "m.onnx")
    (tmp_path / "w.bin").write_bytes(bytes(48))
    data = json.loads(emberc_cli("inspect", model, "--json").out)
    assert (data["parameters"], data["parameter_bytes"], data["compiles"]) == (12, 48, True)


def test_local_functions_are_listed(emberc_cli: Emberc) -> None:
    model = zoo_model("bert_small_for_tests", form="functions")
    data = json.loads(emberc_cli("inspect", model.path, "--json").out)
    assert data["compiles"]
    assert data["functions"]
    assert any(op.endswith("::" + data["functions"][0].split("::")[1]) for op in data["operators"])


def test_an_unsupported_model_is_described_all_the_same(emberc_cli: Emberc, tmp_path: Path) -> None:
    model = unsupported_model().save(tmp_path / "m.onnx")
    done = emberc_cli("inspect", model)
    assert done.code == 2
    assert "my.ops::Warp 2" in done.out
    assert "  compiles   no" in done.out
    assert "my.ops::Weft: 1 node: /third/weft" in done.out
    data = json.loads(emberc_cli("inspect", model, "--json").out)
    assert (data["compiles"], data["error"]["code"], data["float_ops"]) == (False, "E-UNSUPPORTED", None)


def test_symbolic_sizes_are_shown_until_they_are_given(emberc_cli: Emberc, tmp_path: Path) -> None:
    model = linear_model(batch="batch").save(tmp_path / "m.onnx")
    done = emberc_cli("inspect", model)
    assert done.code == 2
    assert "x : float[batch, 4]" in done.out
    assert "try  emberc compile m.onnx --shape x=1x4" in done.out
    assert emberc_cli("inspect", model, "--shape", "x=2x4").code == 0


def test_ir_prints_the_module_as_it_was_imported(emberc_cli: Emberc, linear: Path) -> None:
    shown = emberc_cli("inspect", linear, "--ir").out
    assert "module @linear {" in shown
    assert "f.relu" in shown
    assert json.loads(emberc_cli("inspect", linear, "--ir", "--json").out)["ir"] in shown


def test_save_writes_what_opt_reads(emberc_cli: Emberc, small_bert: ZooModel, tmp_path: Path) -> None:
    assert emberc_cli("inspect", small_bert.path, "--save", tmp_path / "f.eir").code == 0
    assert snapshot(tmp_path) == ["f.bin", "f.eir"]
    assert emberc_cli("opt", tmp_path / "f.eir", "-o", tmp_path / "g.eir").code == 0
    text = (tmp_path / "f.eir").read_text()
    assert (tmp_path / "g.eir").read_text() == text.replace('"f.bin"', '"g.bin"')
    assert (tmp_path / "g.bin").read_bytes() == (tmp_path / "f.bin").read_bytes()


@pytest.mark.parametrize("name", ["missing/f.eir", "f.bin"])
def test_save_that_can_not_be_written_leaves_nothing(
    emberc_cli: Emberc, small_bert: ZooModel, tmp_path: Path, name: str
) -> None:
    done = emberc_cli("inspect", small_bert.path, "--save", tmp_path / name)
    assert done.code == 2
    assert name in done.err
    assert snapshot(tmp_path) == []
