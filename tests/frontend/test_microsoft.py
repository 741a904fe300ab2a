"""Operators of the com.microsoft domain against onnxruntime, which defines them."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from emberc.errors import UnsupportedError
from emberc.frontend import import_model
from emberc.ir.interpreter import run_function
from tests.frontend.models import check_against_onnxruntime, model, values
from tests.zoo import zoo_model

X = "(float[2,3,4] x)"
FORMS: dict[str, tuple[str, dict[str, object]]] = {
    "skip layer norm": (
        "(float[2,3,4] y, float[2,3,4] t) { y, u, w, t = com.microsoft.SkipLayerNormalization (x, x, s, b, c) }",
        {"s": values(4), "b": values(4, seed=1), "c": values(4, seed=2)},
    ),
    "skip rms norm": (
        "(float[2,3,4] y) { y = com.microsoft.SkipSimplifiedLayerNormalization (x, x, s) }",
        {"s": values(4)},
    ),
    "gelu": ("(float[2,3,4] y) { y = com.microsoft.Gelu (x) }", {}),
    "bias gelu": ("(float[2,3,4] y) { y = com.microsoft.BiasGelu (x, b) }", {"b": values(4)}),
    "fast gelu": ("(float[2,3,4] y) { y = com.microsoft.FastGelu (x, b) }", {"b": values(4)}),
    "quick gelu": ("(float[2,3,4] y) { y = com.microsoft.QuickGelu (x) }", {}),
    "fused matmul": ("(float[2,3,3] y) { y = com.microsoft.FusedMatMul <alpha = 0.5, transB = 1> (x, x) }", {}),
    "fused matmul of batches": (
        "(float[3,2,5] y) { y = com.microsoft.FusedMatMul <transBatchA = 1> (x, w) }",
        {"w": values(3, 4, 5)},
    ),
    "fused matmul of batches, both turned": (
        "(float[3,4,4] y) { y = com.microsoft.FusedMatMul <transA = 1, transBatchA = 1, transBatchB = 1> (x, x) }",
        {},
    ),
    "fused conv": (
        '(float[2,2,4] y) { y = com.microsoft.FusedConv <activation = "Relu", pads = [1, 1]> (x, w, b) }',
        {"w": values(2, 3, 3), "b": values(2)},
    ),
    "attention": (
        "(float[2,3,6] y) { y = com.microsoft.Attention <num_heads = 3> (x, w, b, m) }",
        {"w": values(4, 18), "b": values(18), "m": np.array([[1, 1, 0], [1, 1, 1]], np.int32)},
    ),
    "attention with lengths": (
        "(float[2,3,6] y) { y = com.microsoft.Attention <num_heads = 3, scale = 0.7> (x, w, b, m) }",
        {"w": values(4, 18), "b": values(18), "m": np.array([2, 3], np.int32)},
    ),
    "causal attention": (
        "(float[2,3,6] y) { y = com.microsoft.Attention <num_heads = 2, unidirectional = 1> (x, w, b) }",
        {"w": values(4, 18), "b": values(18)},
    ),
    "attention over heads": (
        "(float[2,3,4] y) { y = com.microsoft.MultiHeadAttention <num_heads = 2> (x, x, x, b, m, e) }",
        {"b": values(12), "m": np.array([[1, 1, 0], [1, 1, 1]], np.int32), "e": values(1, 2, 3, 3)},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_form(form: str) -> None:
    text, weights = FORMS[form]
    check_against_onnxruntime(model(f"{X} => {text}", **weights), {"x": values(2, 3, 4)})


def test_fused_gemm() -> None:
    text = """(float[3,4] x) => (float[3,2] y) {
        y = com.microsoft.FusedGemm <activation = "Tanh", transB = 1, alpha = 0.5> (x, w, b) }"""
    check_against_onnxruntime(model(text, w=values(2, 4), b=values(2)), {"x": values(3, 4)})


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("zeros", [False, True])
def test_weights_in_blocks_of_few_bits(bits: int, zeros: bool) -> None:
    rng = np.random.default_rng(0)
    packed = rng.integers(0, 256, (3, 2, 16 * bits // 8), dtype=np.uint8)
    weights = {"w": packed, "s": values(3, 2), "z": rng.integers(0, 256, (3, 2 * bits // 8), dtype=np.uint8)}
    given = "x, w, s, z" if zeros else "x, w, s"
    text = f"""(float[2,20] x) => (float[2,3] y) {{
        y = com.microsoft.MatMulNBits <K = 20, N = 3, bits = {bits}, block_size = 16> ({given}) }}"""
    if not zeros:
        del weights["z"]
    check_against_onnxruntime(model(text, **weights), {"x": values(2, 20)}, 1e-4)


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("positions", [[3], [[0, 1, 2], [4, 2, 5]]])
@pytest.mark.parametrize("heads", [False, True])
def test_rotary_embedding(interleaved: int, positions: list[object], heads: bool) -> None:
    shape, ids = "2,2,3,4" if heads else "2,3,8", np.array(positions)
    text = f"""(float[{shape}] x, int64[{",".join(map(str, ids.shape))}] p) => (float[{shape}] y) {{
        y = com.microsoft.RotaryEmbedding <interleaved = {interleaved}> (x, p, c, s) }}"""
    tables = {"c": values(7, 2), "s": values(7, 2, seed=1)}
    x = values(*map(int, shape.split(",")))
    check_against_onnxruntime(model(text, **tables), {"x": x, "p": ids})


@pytest.mark.parametrize("segments", [True, False])
def test_embeddings(segments: bool) -> None:
    given = "ids, seg, word, pos, kind, g, b, mask" if segments else "ids, , word, pos, , g, b, mask"
    text = f"""(int32[2,3] ids, int32[2,3] seg, int32[2,3] mask) => (float[2,3,4] y, int32[2] n, int32[2,3] s) {{
        y, n = com.microsoft.EmbedLayerNormalization <epsilon = 0.001> ({given})  s = Identity (seg) }}"""
    tables = {"word": values(9, 4), "pos": values(5, 4, seed=1), "kind": values(2, 4, seed=2)}
    weights = {**tables, "g": values(4, seed=3), "b": values(4, seed=4)}
    ids = np.array([[1, 8, 0], [4, 4, 5]], np.int32)
    mask = np.array([[1, 1, 0], [1, 1, 1]], np.int32)
    check_against_onnxruntime(model(text, **weights), {"ids": ids, "seg": ids % 2, "mask": mask})


def test_forms_that_are_refused() -> None:
    text = "(float[2,3,4] x) => (float[2,3,6] y) { y = com.microsoft.Attention <num_heads = 3> (x, w, b, m) }"
    with pytest.raises(UnsupportedError, match="a mask of") as e:
        import_model(model(text, w=values(4, 18), b=values(18), m=np.ones((2, 3, 3), np.int32)))
    assert "lengths" in e.value.details[0]


@pytest.mark.parametrize("exporter", ["ts", "dynamo"])
def test_what_onnxruntime_optimizes_means_the_same(exporter: str, tmp_path: Path) -> None:
    zoo = zoo_model("bert_small_for_tests", exporter=exporter)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    want = onnxruntime.InferenceSession(str(zoo.path), options).run(None, zoo.sample(1))
    module = import_model(options.optimized_model_filepath)
    (got,) = run_function(module.main, zoo.sample(1)).values()
    np.testing.assert_allclose(got, want[0], atol=2e-5)
