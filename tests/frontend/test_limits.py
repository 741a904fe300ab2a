"""A model file is untrusted input: what it may ask of the machine that compiles it is bounded, and refused by node."""

import resource

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import emberc
from emberc.errors import ModelError, UnsupportedError
from emberc.frontend import check_not_empty, import_model, limits
from emberc.quant.calibration import synthetic_calibration
from tests.frontend.models import model

#: name -> (nodes between x float[1, 1, 4, 4] and y, constants): each names far more than it holds
HUGE: dict[str, tuple[str, dict[str, object]]] = {
    "ConstantOfShape": ("c = ConstantOfShape(s)  y = Add(x, c)", {"s": [10**6, 10**6]}),
    "Range": ("c = Range(a, b, d)  y = Add(x, c)", {"a": 0.0, "b": 1e12, "d": 1.0}),
    "Tile": ("y = Tile(x, s)", {"s": [10**9, 1, 1, 1]}),
    "Expand": ("y = Expand(x, s)", {"s": [10**9, 1, 4, 4]}),
    "Pad": ("y = Pad(x, s)", {"s": [0, 0, 0, 0, 0, 0, 0, 2**40]}),
    "OneHot": ("i = Cast<to = 7>(x)  y = OneHot(i, d, v)", {"d": 10**12, "v": [0.0, 1.0]}),
    "HannWindow": ("h = HannWindow(n)  y = Mul(x, h)", {"n": 10**12}),
    "Resize": ('y = Resize<mode = "linear">(x, , s)', {"s": [1.0, 1.0, 1e5, 1e5]}),
    "Conv": ("y = Conv<pads = [0, 0, 1000000000, 0]>(x, w)", {"w": np.ones((1, 1, 3, 3))}),
    "ConvTranspose": ("y = ConvTranspose<strides = [1000000, 1000000]>(x, w)", {"w": np.ones((1, 1, 3, 3))}),
    "MaxPool": ("y = MaxPool<kernel_shape = [1, 800000000], pads = [0, 400000000, 0, 400000000]>(x)", {}),
    "Split": ("y = Split<axis = 3, num_outputs = 1000000000>(x)", {}),
}


@pytest.mark.parametrize("op", HUGE)
def test_a_huge_size_is_refused_before_anything_takes_memory(op: str) -> None:
    nodes, weights = HUGE[op]
    graph = f"(float[1,1,4,4] x) => (float[n,m,k,l] y) {{ {nodes} }}"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelError, match=r"more than the|num_outputs is 1000000000, it has 1 outputs") as e:
        import_model(model(graph, **weights))
    assert op in e.value.at
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "kilobytes"


def test_a_product_that_no_machine_finishes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = "(float[4,4] x) => (float[4,4] y) { a = MatMul(x, x)  b = MatMul(a, x)  y = MatMul(b, x) }"
    monkeypatch.setattr(limits, "WORK", 3 * 4**3)
    import_model(model(graph))
    monkeypatch.setattr(limits, "WORK", 3 * 4**3 - 1)
    with pytest.raises(ModelError, match="one run takes more than 191 operations") as e:
        import_model(model(graph))
    assert "MatMul_2" in e.value.at


def test_constants_of_all_nodes_together_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = "a = ConstantOfShape(s)  b = ConstantOfShape(s)  c = Add(x, a)  y = Add(c, b)"
    graph = f"(float[100] x) => (float[100] y) {{ {nodes} }}"
    monkeypatch.setattr(limits, "CONSTANTS", 200)
    import_model(model(graph, s=[100]))
    monkeypatch.setattr(limits, "CONSTANTS", 199)
    with pytest.raises(ModelError, match="its nodes make constants of more than 199 elements"):
        import_model(model(graph, s=[100]))


def _doubling(levels: int) -> onnx.ModelProto:
    """Functions of which each calls the one below twice: a few lines, 2^levels nodes."""
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("local", 1)]
    functions = [helper.make_function("local", "f0", ["x"], ["y"], [helper.make_node("Neg", ["x"], ["y"])], imports)]
    for i in range(1, levels + 1):
        calls = [helper.make_node(f"f{i - 1}", [a], [b], domain="local") for a, b in (("x", "t"), ("t", "y"))]
        functions.append(helper.make_function("local", f"f{i}", ["x"], ["y"], calls, imports))
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy")
    graph = helper.make_graph([helper.make_node(f"f{levels}", ["x"], ["y"], domain="local")], "g", [x], [y])
    return helper.make_model(graph, functions=functions, opset_imports=imports, ir_version=9)


def test_functions_that_double_the_nodes_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "NODES", 500)
    assert len(import_model(_doubling(6)).main.ops) == 64
    with pytest.raises(ModelError, match="more than 500 nodes, with functions entered and loops unrolled"):
        import_model(_doubling(40))


def test_loops_in_loops_end_though_they_leave_no_ops(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = "b2 (int64 j, bool cj, int64 q) => (bool cp, int64 q2) { cp = Identity(cj)  q2 = Add(q, j) }"
    steps = f"co = Identity(ci)  s2 = Loop(n, ci, s)<body = {inner}>"
    outer = f"b1 (int64 i, bool ci, int64 s) => (bool co, int64 s2) {{ {steps} }}"
    graph = f"(float[4] x) => (float[4] y) {{ k = Loop(n, c, z)<body = {outer}>  f = Cast<to = 1>(k)  y = Add(x, f) }}"
    monkeypatch.setattr(limits, "NODES", 500)
    import_model(model(graph, n=9, c=True, z=0))
    with pytest.raises(ModelError, match="more than 500 nodes"):
        import_model(model(graph, n=60_000, c=True, z=0))


@pytest.mark.parametrize(
    ("graph", "says"),
    [
        ("(float[5000000] x) => (float[1] y) { y = ReduceMax(x) }", "a tensor [5000000] has 5,000,000 elements"),
        ("(float[1] x) => (float[5000000] y) { y = Expand(x, s) }", "a tensor [5000000] has 5,000,000 elements"),
        (f"(float[{'1,' * 40}4] x) => (float[4] y) {{ y = Relu(x) }}", "a tensor has 41 axes, more than the 32"),
    ],
)
def test_ports_that_no_caller_can_hold_are_refused(graph: str, says: str) -> None:
    with pytest.raises(UnsupportedError) as e:
        import_model(model(graph, **({"s": [5_000_000]} if "Expand" in graph else {})))
    assert says in e.value.message
    assert "graph input 'x'" in e.value.at or "graph output 'y'" in e.value.at


@pytest.mark.parametrize("graph", ["(float[0,4] x) => (float[0,4] y) { y = Relu(x) }", "EMPTY"])
def test_tensors_without_elements_are_refused_as_firmware(graph: str) -> None:
    if graph == "EMPTY":
        graph = "(float[1,4] x) => (float[1,1] y) { e = Slice(x, four, four, one)  y = ReduceSum(e, one) }"
        module = import_model(model(graph, four=[4], one=[1]))
    else:
        module = import_model(model(graph))
    with pytest.raises(UnsupportedError, match="is empty"):
        check_not_empty(module)


def test_paths_through_integers_are_walked_once() -> None:
    """Made-up samples look for the tables behind an input: 2^40 paths lead there."""
    steps = "".join(
        f"a{k + 1} = Add(c{k}, one)  b{k + 1} = Sub(c{k}, one)  c{k + 1} = Min(a{k + 1}, b{k + 1})  " for k in range(40)
    )
    graph = f"(int64[1,4] i) => (float[1,4,3] y) {{ c0 = Identity(i)  {steps} y = Gather(t, c40) }}"
    function = import_model(model(graph, one=1, t=np.ones((100, 3)))).main
    assert int(synthetic_calibration(function).samples[0]["i"].max()) < 100


def test_a_model_that_contradicts_itself_is_no_defect_of_the_compiler() -> None:
    graph = "(float[4] x) => (float[4] y) { q = QuantizeLinear(x, s, z)  y = DequantizeLinear(q, s, z) }"
    with pytest.raises(ModelError, match=r"the scale 0.0 is not a positive number"):
        import_model(model(graph, s=0.0, z=np.int8(0)))


@pytest.mark.parametrize(
    ("graph", "weights", "says", "at"),
    [
        (
            "(int64[1,4] i) => (float[1,4,3] y) { e = Gather(t, i)  n = LayerNormalization(e, s)  y = MatMul(n, w) }",
            {"t": np.ones((9, 3)), "s": np.ones(3), "w": np.eye(3)},
            "constant 's' needs",
            "LayerNormalization_1",
        ),
        (
            "(uint16[4] i) => (bool[4] y) { y = Greater(i, one) }",
            {"one": np.uint16(1)},
            "q.compare has no kernel for elements of type u16",
            "Greater_0",
        ),
    ],
)
def test_what_has_no_integers_is_refused_by_node(graph: str, weights: dict[str, object], says: str, at: str) -> None:
    with np.errstate(all="ignore"), pytest.raises(UnsupportedError, match=says) as e:
        emberc.compile(model(graph, **weights))
    assert e.value.at == at
