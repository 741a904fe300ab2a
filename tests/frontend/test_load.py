"""Damaged, foreign and hostile files: each is refused with what is wrong and the way out."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from emberc.errors import EmberError, ModelError, UsageError
from emberc.frontend import import_model
from tests.frontend.models import model, run, values

LINEAR = "(float[1,3] x) => (float[1,2] y) { y = MatMul (x, w) }"


def saved(folder: Path, **weights: object) -> Path:
    path = folder / "model.onnx"
    onnx.save(model(LINEAR, **(weights or {"w": np.ones((3, 2))})), path)
    return path


def with_external(folder: Path, location: str, **entries: int) -> Path:
    """A model whose w is said to stand in `location`."""
    proto = model(LINEAR, w=np.ones((3, 2)))
    (w,) = proto.graph.initializer
    w.ClearField("raw_data")
    w.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        w.external_data.add(key=key, value=str(value))
    path = folder / "model.onnx"
    onnx.save(proto, path)
    return path


def refused(path: Path, code: str) -> str:
    with pytest.raises(ModelError) as e:
        import_model(path)
    assert e.value.code == code
    assert e.value.exit_code == 2
    return str(e.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        import_model(tmp_path / "none.onnx")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (b"hello, this is not a model at all", "not an ONNX file"),
        (b"PK\x03\x04 and more", "a zip archive"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"\x08\x08", "it holds no graph"),
    ],
)
def test_not_onnx(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert says in refused(path, "E-NOT-ONNX")


def test_truncated(tmp_path: Path) -> None:
    path = saved(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    assert "truncated or damaged" in refused(path, "E-TRUNCATED")


def test_external_data_is_read(tmp_path: Path) -> None:
    path = with_external(tmp_path, "w.bin", offset=4, length=24)
    weights = values(3, 2)
    (tmp_path / "w.bin").write_bytes(b"\0\0\0\0" + weights.tobytes())
    x = values(1, 3, seed=1)
    (y,) = run(path, {"x": x})  # type: ignore[arg-type]
    np.testing.assert_array_equal(y, x @ weights)


def test_external_data_missing(tmp_path: Path) -> None:
    text = refused(with_external(tmp_path, "w.bin"), "E-EXTERNAL")
    assert "the external data file 'w.bin' is missing" in text
    assert "tensor 'w'" in text


@pytest.mark.parametrize("location", ["../w.bin", "/etc/passwd", "a/../../w.bin", "C:\\w.bin", "..\\w.bin", ""])
def test_external_data_outside_the_folder(tmp_path: Path, location: str) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(24))
    inner = tmp_path / "inner"
    inner.mkdir()
    assert "must be a file in the model's own folder" in refused(with_external(inner, location), "E-EXTERNAL")


def test_external_data_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(24))
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "w.bin").symlink_to(tmp_path / "secret.bin")
    assert "through a link out of" in refused(with_external(inner, "w.bin"), "E-EXTERNAL")


def test_external_data_too_short(tmp_path: Path) -> None:
    path = with_external(tmp_path, "w.bin", offset=8)
    (tmp_path / "w.bin").write_bytes(bytes(24))
    assert "ends at byte 32, the file has 24" in refused(path, "E-EXTERNAL")


def test_external_data_of_another_size(tmp_path: Path) -> None:
    path = with_external(tmp_path, "w.bin", length=20)
    (tmp_path / "w.bin").write_bytes(bytes(24))
    assert "needs 24 bytes, its external data says 20" in refused(path, "E-EXTERNAL")


def test_proto_with_external_data_needs_a_path(tmp_path: Path) -> None:
    proto = onnx.load(with_external(tmp_path, "w.bin"), load_external_data=False)
    with pytest.raises(ModelError, match="no folder to read it from"):
        import_model(proto)


@pytest.mark.parametrize("columns", [2, 600], ids=["small", "not seen by the checker"])
def test_inline_data_of_another_size(columns: int) -> None:
    text = LINEAR.replace("[1,2]", f"[1,{columns}]")
    proto = model(text, w=np.ones((3, columns)))
    proto.graph.initializer[0].raw_data = proto.graph.initializer[0].raw_data[:-4]
    with pytest.raises(ModelError, match=r"tensor (name: |')w"):
        import_model(proto)


@pytest.mark.parametrize(("opset", "says"), [(99, "opset 99 is too new, the newest supported is"), (5, "too old")])
def test_opset(opset: int, says: str) -> None:
    with pytest.raises(ModelError, match=says) as e:
        import_model(model(LINEAR, opset, w=np.ones((3, 2))))
    assert e.value.code == "E-OPSET"


def test_ir_version() -> None:
    proto = model(LINEAR, w=np.ones((3, 2)))
    proto.ir_version = 99
    with pytest.raises(ModelError, match="IR version 99 is too new"):
        import_model(proto)


def test_nan_in_weights_names_the_tensor() -> None:
    with pytest.raises(ModelError, match=r"tensor 'w' \[3, 2\] holds 1 NaN, the first at \[2, 1\]") as e:
        import_model(model(LINEAR, w=[[1, 2], [3, 4], [5, np.nan]]))
    assert e.value.code == "E-NAN"


def test_infinity_in_a_weight_names_it_even_behind_a_transpose() -> None:
    text = "(float[1,3] x) => (float[1,2] y) { t = Transpose (w)  y = MatMul (x, t) }"
    with pytest.raises(ModelError, match="weight 'w'") as e:
        import_model(model(text, w=[[1, 2, np.inf], [3, 4, 5]]))
    assert e.value.code == "E-NAN"


def test_infinity_in_a_mask_is_legitimate() -> None:
    proto = model("(float[1,3] x) => (float[1,3] y) { y = Add (x, m) }", m=[[0, -np.inf, 0]])
    (y,) = run(proto, {"x": np.ones((1, 3), np.float32)})
    np.testing.assert_array_equal(y, [[1, -np.inf, 1]])


def test_cycle_names_its_nodes() -> None:
    text = """(float[2] x) => (float[2] y) {
        [one] a = Add (x, c)  [two] b = Relu (a)  [three] c = Neg (b)  y = Neg (x) }"""
    with pytest.raises(ModelError, match="a cycle through 3 nodes") as e:
        import_model(model(text))
    assert e.value.code == "E-CYCLE"
    assert all(f"'{n}'" in e.value.message for n in ("one", "two", "three"))


def test_unsorted_nodes_are_named() -> None:
    text = "(float[2] x) => (float[2] y) { [late] y = Relu (a)  [early] a = Neg (x) }"
    with pytest.raises(ModelError, match="'late' reads 'a' before 'early' makes it"):
        import_model(model(text))


def test_undefined_name() -> None:
    with pytest.raises(ModelError, match="'nothing' is read, but nothing defines it"):
        import_model(model("(float[2] x) => (float[2] y) { y = Add (x, nothing) }"))


def test_name_defined_twice() -> None:
    with pytest.raises(ModelError, match="'a' is defined twice"):
        import_model(model("(float[2] x) => (float[2] y) { a = Neg (x)  a = Relu (x)  y = Neg (a) }"))


def test_invalid_permutation_names_the_node() -> None:
    """As Mamba-2 comes out of the TorchScript exporter."""
    text = "(float[2,3,4] x) => (float[4,3] y) { [mixer_Transpose] y = Transpose <perm = [0, 2]> (x) }"
    with pytest.raises(ModelError, match="Transpose") as e:
        import_model(model(text))
    assert "mixer_Transpose" in e.value.at
    assert "perm [0, 2]" in e.value.message


def test_shapes_that_do_not_fit_name_the_node() -> None:
    text = "(float[2,3] x) => (float[2,2] y) { [head_MatMul] y = MatMul (x, w) }"
    with pytest.raises(ModelError, match="MatMul") as e:
        import_model(model(text, w=np.ones((4, 2))))
    assert "head_MatMul" in e.value.at


def test_index_outside_a_table_names_the_node() -> None:
    text = "(float[2] x) => (float[1,2] y) { [embed] e = Gather (w, i)  y = Mul (e, x) }"
    with pytest.raises(ModelError, match="index 7 is outside the table of 4 rows") as e:
        import_model(model(text, w=np.ones((4, 2)), i=[7]))
    assert "embed" in e.value.at


def test_checker_findings_are_passed_on() -> None:
    with pytest.raises(ModelError, match="not a valid ONNX model"):
        import_model(model("(float[2] x) => (float[2] y) { y = Relu <bogus = 3> (x) }"))


def test_names_that_are_not_text() -> None:
    data = model("(float[2] x) => (float[2] y) { here = Relu (x)  y = Neg (here) }").SerializeToString()
    proto = onnx.ModelProto.FromString(data.replace(b"here", b"h\xffre"))
    with pytest.raises(ModelError, match="not UTF-8"):
        import_model(proto)


def test_damaged_bytes_never_surface_as_a_traceback(tmp_path: Path) -> None:
    """Flipped bytes give a model or an error that is the user's to mend, never an internal one."""
    text = """(float[2,n] x) => (float[2,4] y) { s = Shape (x)  r = Reshape (x, s)  m = MatMul (r, w)
        t = Transpose <perm = [1, 0]> (m)  u = Unsqueeze (t, a)  v = Squeeze (u, a)  c = Concat <axis = 0> (v, v)
        d = Slice (c, zero, four)  e = Transpose (d)  y = Softmax <axis = -1> (e) }"""
    data = model(text, w=np.ones((3, 4)), a=[0], zero=[0], four=[4]).SerializeToString()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(data)
        damaged[rng.integers(len(data))] = rng.integers(256)
        path = tmp_path / "model.onnx"
        path.write_bytes(damaged)
        try:
            import_model(path, shapes={"x": (2, 3)})
        except EmberError as e:
            assert e.exit_code == 2, str(e)
            refused += 1
    assert refused > 100
