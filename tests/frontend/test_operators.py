"""Each operator form against onnxruntime: attributes against inputs, negative axes, old opsets, odd ranks."""

import numpy as np
import pytest

from emberc.frontend import import_model
from tests.frontend.models import check_against_onnxruntime, model, opcodes, run, values

X = "(float[2,3,4] x)"

# text after "(float[2,3,4] x) => ", opset, weights
FORMS: dict[str, tuple[str, int, dict[str, object]]] = {
    "squeeze axes attribute": (
        "(float[2,3,4] y) { u = Unsqueeze <axes = [0, -1]> (x)  y = Squeeze <axes = [-1, 0]> (u) }",
        11,
        {},
    ),
    "squeeze axes input": ("(float[2,3,4] y) { u = Unsqueeze (x, a)  y = Squeeze (u, a) }", 18, {"a": [0, -1]}),
    "squeeze all": ("(float[2,3,4] y) { u = Unsqueeze (x, a)  y = Squeeze (u) }", 18, {"a": [1, 3]}),
    "reduce axes attribute": ("(float[2,1,4] y) { y = ReduceMean <axes = [-2]> (x) }", 13, {}),
    "reduce axes input": ("(float[3] y) { y = ReduceMax <keepdims = 0> (x, a) }", 18, {"a": [0, -1]}),
    "reduce everything": ("(float y) { y = ReduceProd <keepdims = 0> (x) }", 18, {}),
    "reduce nothing": ("(float[2,3,4] y) { y = ReduceSum <noop_with_empty_axes = 1> (x) }", 13, {}),
    "log of sum of exp": ("(float[2,1,4] y) { y = ReduceLogSumExp (x, a) }", 18, {"a": [1]}),
    "l2 norm": ("(float[2,3,1] y) { y = ReduceL2 (x, a) }", 18, {"a": [-1]}),
    "softmax of one axis": ("(float[2,3,4] y) { y = Softmax <axis = 1> (x) }", 13, {}),
    "softmax of the flat rest": ("(float[2,3,4] y) { y = Softmax <axis = 1> (x) }", 11, {}),
    "log softmax": ("(float[2,3,4] y) { y = LogSoftmax <axis = 0> (x) }", 13, {}),
    "clip attributes": ("(float[2,3,4] y) { y = Clip <max = 0.5> (x) }", 9, {}),
    "clip inputs": ("(float[2,3,4] y) { y = Clip (x, lo) }", 18, {"lo": -0.25}),
    "split equal": ("(float[2,3,2] y, float[2,3,2] z) { y, z = Split <axis = -1> (x) }", 13, {}),
    "split sizes": ("(float[2,3,1] y, float[2,3,3] z) { y, z = Split <axis = 2> (x, s) }", 13, {"s": [1, 3]}),
    "split sizes attribute": (
        "(float[2,1,4] y, float[2,2,4] z) { y, z = Split <axis = 1, split = [1, 2]> (x) }",
        11,
        {},
    ),
    "split count, last smaller": (
        "(float[2,2,4] y, float[2,1,4] z) { y, z = Split <axis = 1, num_outputs = 2> (x) }",
        18,
        {},
    ),
    "pad some axes": ("(float[2,6,4] y) { y = Pad (x, p, v, a) }", 18, {"p": [1, 2], "v": 7.0, "a": [-2]}),
    "pad mirror": ('(float[2,3,7] y) { y = Pad <mode = "reflect"> (x, p) }', 18, {"p": [0, 0, 1, 0, 0, 2]}),
    "pad that cuts": ("(float[2,2,5] y) { y = Pad (x, p) }", 18, {"p": [0, -1, 1, 0, 0, 0]}),
    "slice backwards": (
        "(float[2,3,2] y) { y = Slice (x, s, e, a, t) }",
        18,
        {"s": [-1, 10], "e": [-100, 0], "a": [1, 2], "t": [-1, -2]},
    ),
    "slice attributes": ("(float[1,2,4] y) { y = Slice <starts = [1, -2], ends = [99, 3]> (x) }", 9, {}),
    "reshape that copies": ("(float[2,12] y) { y = Reshape (x, s) }", 18, {"s": [0, -1]}),
    "flatten from the end": ("(float[6,4] y) { y = Flatten <axis = -1> (x) }", 18, {}),
    "transpose all": ("(float[4,3,2] y) { y = Transpose (x) }", 18, {}),
    "expand both ways": ("(float[5,2,3,4] y) { y = Expand (x, s) }", 18, {"s": [5, 1, 3, 1]}),
    "tile": ("(float[4,3,12] y) { y = Tile (x, r) }", 18, {"r": [2, 1, 3]}),
    "concat last": ("(float[2,3,9] y) { y = Concat <axis = -1> (x, c, x) }", 18, {"c": np.ones((2, 3, 1))}),
    "gather a range": ("(float[2,2,4] y) { y = Gather <axis = 1> (x, i) }", 18, {"i": [1, 2]}),
    "gather one": ("(float[2,4] y) { y = Gather <axis = 1> (x, i) }", 18, {"i": -1}),
    "gather in disorder": ("(float[2,2,2,4] y) { y = Gather <axis = 1> (x, i) }", 18, {"i": [[2, 0], [-3, 1]]}),
    "gather elements": (
        "(float[2,3,2] y) { y = GatherElements <axis = 2> (x, i) }",
        18,
        {"i": np.arange(12).reshape(2, 3, 2) % 4},
    ),
    "gather points": ("(float[2,4] y) { y = GatherND (x, i) }", 18, {"i": [[0, 2], [1, -1]]}),
    "gather everything": (
        "(float[1,2,3,4] y) { y = GatherND (x, i) }",
        18,
        {"i": [[[[r, c] for c in range(3)] for r in range(2)]]},
    ),
    "upper triangle": ("(float[2,3,4] y) { y = Trilu (x, k) }", 18, {"k": 1}),
    "cumulative": ("(float[2,3,4] y) { y = CumSum <exclusive = 1, reverse = 1> (x, a) }", 18, {"a": -1}),
    "largest two": ("(float[2,3,2] y, int64[2,3,2] z) { y, z = TopK <largest = 1> (x, k) }", 18, {"k": [2]}),
    "position of the least": ("(int64[2,4] y) { y = ArgMin <axis = 1, keepdims = 0> (x) }", 18, {}),
    "erf": ("(float[2,3,4] y) { y = Erf (x) }", 18, {}),
    "gelu tanh": ('(float[2,3,4] y) { y = Gelu <approximate = "tanh"> (x) }', 20, {}),
    "power of an integer": ("(float[2,3,4] y) { y = Pow (x, p) }", 18, {"p": 3}),
    "remainder": ("(float[2,3,4] y) { y = Mod <fmod = 1> (x, m) }", 18, {"m": 0.3}),
    "integer division": (
        "(int64[2,3,4] y) { s = Mul (x, k)  i = Cast <to = 7> (s)  y = Div (i, d) }",
        18,
        {"k": 10.0, "d": -3},
    ),
    "layer norm of two axes": (
        "(float[2,3,4] y) { y = LayerNormalization <axis = -2, epsilon = 0.001> (x, s, b) }",
        17,
        {"s": values(3, 4), "b": values(3, 4, seed=1)},
    ),
    "layer norm with its statistics": (
        "(float[2,3,4] y, float[2,3,1] m, float[2,3,1] v) { y, m, v = LayerNormalization (x, s) }",
        17,
        {"s": values(4)},
    ),
    "instance norm": (
        "(float[2,3,4] y) { y = InstanceNormalization (x, s, b) }",
        18,
        {"s": values(3), "b": values(3, seed=1)},
    ),
    "batch norm": (
        "(float[2,3,4] y) { y = BatchNormalization (x, s, b, m, v) }",
        15,
        {"s": values(3), "b": values(3, seed=1), "m": values(3, seed=2), "v": np.abs(values(3, seed=3)) + 0.1},
    ),
    "einsum batched": (
        '(float[2,3,5] y) { y = Einsum <equation = "bij,bjk->bik"> (x, w) }',
        18,
        {"w": values(2, 4, 5)},
    ),
    "einsum heads": (
        '(float[2,5,3] y) { y = Einsum <equation = "...ij, kj -> ...ki"> (x, w) }',
        18,
        {"w": values(5, 4)},
    ),
    "einsum outer": ('(float[2,3,4,5] y) { y = Einsum <equation = "abc,d->abcd"> (x, w) }', 18, {"w": values(5)}),
    "einsum sum": ('(float[4] y) { y = Einsum <equation = "abc->c"> (x) }', 18, {}),
    "conv with groups": (
        "(float[2,6,2] y) { y = Conv <group = 3, pads = [2, 0], strides = [2], dilations = [2]> (x, w, b) }",
        18,
        {"w": values(6, 1, 2), "b": values(6)},
    ),
    "conv same": ('(float[2,2,4] y) { y = Conv <auto_pad = "SAME_UPPER"> (x, w) }', 18, {"w": values(2, 3, 3)}),
    "mean pool": (
        "(float[2,3,3] y) { y = AveragePool <kernel_shape = [2], pads = [1, 0], strides = [2], ceil_mode = 1> (x) }",
        19,
        {},
    ),
    "max pool": ("(float[2,3,4] y) { y = MaxPool <kernel_shape = [3], pads = [1, 1]> (x) }", 18, {}),
    "dropout": ("(float[2,3,4] y) { y, m = Dropout (x, r) }", 18, {"r": 0.5}),
    "constants": ("(float[2,3,4] y) { s = Shape (x)  c = ConstantOfShape (s)  y = Add (x, c) }", 18, {}),
    "range": (
        "(float[2,3,4] y) { r = Range (a, b, c)  f = Cast <to = 1> (r)  y = Mul (x, f) }",
        18,
        {"a": 1, "b": 9, "c": 2},
    ),
    "one hot": ("(float[2,3,4,2] y) { i = Cast <to = 7> (x)  y = OneHot (i, d, v) }", 18, {"d": 2, "v": [0.5, 2.0]}),
    "mean of three": ("(float[2,3,4] y) { y = Mean (x, c, x) }", 18, {"c": values(4)}),
    "swish": ("(float[2,3,4] y) { s = Sigmoid (x)  y = Mul (x, s) }", 18, {}),
    "hard swish": ("(float[2,3,4] y) { y = HardSwish (x) }", 18, {}),
    "selu": ("(float[2,3,4] y) { y = Selu (x) }", 18, {}),
    "celu": ("(float[2,3,4] y) { y = Celu <alpha = 2.0> (x) }", 18, {}),
    "where is not a number": ("(float[2,3,4] y) { q = Sqrt (x)  n = IsNaN (q)  y = Where (n, z, q) }", 18, {"z": 0.0}),
}


@pytest.mark.parametrize("form", FORMS)
def test_form(form: str) -> None:
    text, opset, weights = FORMS[form]
    check_against_onnxruntime(model(f"{X} => {text}", opset, **weights), {"x": values(2, 3, 4)})


@pytest.mark.parametrize(
    ("attributes", "shapes"),
    [
        ("", ((3, 5), (5, 4), (4,))),
        ("transA = 1, alpha = 0.5", ((5, 3), (5, 4), (3, 1))),
        ("transB = 1, beta = 2.0", ((3, 5), (4, 5), ())),
        ("transA = 1, transB = 1, alpha = 2.0, beta = 0.5", ((5, 3), (4, 5), (1, 4))),
    ],
)
@pytest.mark.parametrize("constant", [True, False])
def test_gemm(attributes: str, shapes: tuple[tuple[int, ...], ...], constant: bool) -> None:
    a, b, c = (values(*s, seed=i) for i, s in enumerate(shapes))
    given = "" if constant else f", float[{','.join(map(str, b.shape))}] b"
    text = f"(float[{','.join(map(str, a.shape))}] a{given}) => (float[3,4] y) {{ y = Gemm <{attributes}> (a, b, c) }}"
    proto = model(text.replace(" <>", ""), c=c, **({"b": b} if constant else {}))
    check_against_onnxruntime(proto, {"a": a} if constant else {"a": a, "b": b})
    if constant:  # transposed and scaled at compile time
        assert opcodes(import_model(proto)).count("f.transpose") == ("transA" in attributes)


NOTHING = {
    "identity": "{ y = Identity (x) }",
    "dropout": "{ y = Dropout (x) }",
    "cast": "{ y = Cast <to = 1> (x) }",
    "cast like": "{ y = CastLike (x, x) }",
    "reshape": "{ s = Shape (x)  y = Reshape (x, s) }",
    "expand": "{ s = Shape (x)  y = Expand (x, s) }",
    "transpose": "{ y = Transpose <perm = [0, 1, 2]> (x) }",
    "slice": "{ y = Slice (x, s, e) }",
    "concat": "{ y = Concat <axis = 0> (x) }",
    "pad": "{ y = Pad (x, p) }",
    "clip": "{ y = Clip (x) }",
    "tile": "{ y = Tile (x, t) }",
    "split": "{ y = Split <axis = 0, num_outputs = 1> (x) }",
    "gather": "{ y = Gather (x, i) }",
    "einsum": '{ y = Einsum <equation = "abc->abc"> (x) }',
}
WEIGHTS = {"s": [0], "e": [99], "p": [0] * 6, "t": [1, 1, 1], "i": [0, 1], "a": [0]}


@pytest.mark.parametrize("name", NOTHING)
def test_what_changes_nothing_vanishes(name: str) -> None:
    body = NOTHING[name]
    used = {k: v for k, v in WEIGHTS.items() if f" {k})" in body or f" {k}," in body}
    if name in ("reshape", "expand"):
        used.pop("s", None)
    module = import_model(model(f"{X} => (float[2,3,4] y) {body}", 18, **used))
    assert opcodes(module) == []


def test_transpose_of_size_one_axes_is_a_reshape() -> None:
    module = import_model(model("(float[1,3,4] x) => (float[3,1,4] y) { y = Transpose <perm = [1, 0, 2]> (x) }"))
    assert opcodes(module) == ["f.reshape"]


def test_ops_carry_the_node_and_constants_their_name() -> None:
    text = "(float[1,3] x) => (float[1,2] y) { [first] t = Transpose (w)  [second] m = MatMul (x, t)  y = Relu (m) }"
    module = import_model(model(text, w=values(2, 3)))
    assert [op.loc for op in module.main.ops] == ["second", "Relu_2"]
    (weight,) = module.main.constants()
    assert (weight.name, weight.shape) == ("w", (3, 2))


@pytest.mark.parametrize("kv_heads", [2, 4])
@pytest.mark.parametrize("causal", [0, 1])
@pytest.mark.parametrize("mask", ["boolean", "additive"])
def test_attention_equals_its_formula(kv_heads: int, causal: int, mask: str) -> None:
    heads, length, keys, width = 4, 3, 5, 8
    q, k, v = (
        values(1, heads, length, width),
        values(1, kv_heads, keys, width, seed=1),
        values(1, kv_heads, keys, width, seed=2),
    )
    seen = np.random.default_rng(3).random((length, keys)) < 0.7
    seen[:, 0] = True
    given = seen if mask == "boolean" else np.where(seen, 0.0, -1e9).astype(np.float32)
    text = f"""(float[1,4,3,8] q, float[1,{kv_heads},5,8] k, float[1,{kv_heads},5,8] v) => (float[1,4,3,8] y) {{
        y = Attention <is_causal = {causal}, scale = 0.3> (q, k, v, m) }}"""
    (y,) = run(model(text, 23, m=given), {"q": q, "k": k, "v": v})
    k, v = np.repeat(k, heads // kv_heads, 1), np.repeat(v, heads // kv_heads, 1)
    scores = np.where(
        seen & (np.tri(length, keys, dtype=bool) if causal else True), 0.3 * q @ k.swapaxes(-1, -2), -np.inf
    )
    e = np.exp(scores - scores.max(-1, keepdims=True))
    np.testing.assert_allclose(y, e / e.sum(-1, keepdims=True) @ v, atol=1e-5)


def recurrent_model(op: str, gates: int, extra: str = "") -> tuple[str, dict[str, object]]:
    """A model text of one recurrent node, both directions, with a state that comes in and goes out."""
    states = ["h", "c"] if op == "LSTM" else ["h"]
    ins = "".join(f", float[2,1,3] {s}" for s in states)
    outs = "".join(f", float[2,1,3] {s}_out" for s in states)
    made = "".join(f", {s}_out" for s in states)
    given = ", ".join(["x", "w", "r", "b", "", *states])
    text = f"""(float[4,1,5] x{ins}) => (float[4,2,1,3] y{outs}) {{
        y{made} = {op} <hidden_size = 3, direction = "bidirectional"{extra}> ({given}) }}"""
    weights = {"w": values(2, gates * 3, 5), "r": values(2, gates * 3, 3, seed=1), "b": values(2, gates * 6, seed=2)}
    return text, weights


@pytest.mark.parametrize(
    ("op", "gates", "extra"),
    [("LSTM", 4, ""), ("GRU", 3, ""), ("GRU", 3, ", linear_before_reset = 1"), ("RNN", 1, "")],
)
def test_recurrent(op: str, gates: int, extra: str) -> None:
    text, weights = recurrent_model(op, gates, extra)
    state = {s: values(2, 1, 3, seed=i) for i, s in enumerate(["h", "c"] if op == "LSTM" else ["h"], 3)}
    check_against_onnxruntime(model(text, **weights), {"x": values(4, 1, 5, seed=9), **state})


@pytest.mark.parametrize(
    ("node", "ids", "updates"),
    [
        ("ScatterND (x, i, u)", [[0, 2], [1, -1]], (2, 4)),
        ("ScatterElements <axis = 2> (x, i, u)", [[[3, 0], [-1, 1], [2, 3]]], (1, 3, 2)),
    ],
)
def test_scatter(node: str, ids: list[object], updates: tuple[int, ...]) -> None:
    given = ",".join(map(str, updates))
    proto = model(f"(float[2,3,4] x, float[{given}] u) => (float[2,3,4] y) {{ y = {node} }}", i=ids)
    check_against_onnxruntime(proto, {"x": values(2, 3, 4), "u": values(*updates, seed=1)})
