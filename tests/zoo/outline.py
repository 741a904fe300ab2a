"""Local functions: parts of a flat model moved into model-local ONNX functions.

Exporters wrote such files for years (torch's `export_modules_as_functions`, dynamo before it inlined) and
tools still do. Three traits of theirs are kept: attributes handed through by reference, a function that
calls another, and inner value names that collide between calls.
"""

import onnx
from onnx import parser

_DOMAIN = "zoo.local"

_LAYER_NORM = """
<domain: "zoo.local", opset_import: ["": {opset}]>
LayerNormalization <epsilon>(x, gain, shift) => (y) {{
    axes = Constant <value_ints: ints = [-1]> ()
    mean = ReduceMean <keepdims: int = 1> (x, axes)
    d = Sub (x, mean)
    square = Mul (d, d)
    variance = ReduceMean <keepdims: int = 1> (square, axes)
    eps = Constant <value_float: float = @epsilon> ()
    sum = Add (variance, eps)
    root = Sqrt (sum)
    unit = Div (d, root)
    scaled = Mul (unit, gain)
    y = Add (scaled, shift)
}}
"""

_NORMAL_CDF = """
<domain: "zoo.local", opset_import: ["": {opset}]>
NormalCdf (x) => (y) {{
    root = Constant <value_float: float = 1.4142135623730951> ()
    one = Constant <value_float: float = 1.0> ()
    half = Constant <value_float: float = 0.5> ()
    d = Div (x, root)
    e = Erf (d)
    sum = Add (e, one)
    y = Mul (sum, half)
}}
"""

_GELU = """
<domain: "zoo.local", opset_import: ["": {opset}, "zoo.local": 1]>
Gelu (x) => (y) {{
    scaled = zoo.local.NormalCdf (x)
    y = Mul (x, scaled)
}}
"""

# Which attributes of the flat op the function takes; the others stand at the value the function is written for.
_PASSED = {"LayerNormalization": ("epsilon",), "Gelu": ()}


def outline(model: onnx.ModelProto) -> None:
    """Replace in place every LayerNormalization and every erf-form Gelu node by a call of a local function.

    Raises ValueError below opset 18, where ReduceMean takes its axes as an attribute.
    """
    opset = next(entry.version for entry in model.opset_import if entry.domain == "")
    if opset < 18:
        raise ValueError(f"local functions are written for opset 18 and newer, the model has {opset}")
    for node in model.graph.node:
        tanh_form = any(a.name == "approximate" and a.s == b"tanh" for a in node.attribute)
        if node.op_type in _PASSED and not tanh_form:
            node.domain = _DOMAIN
            kept = [a for a in node.attribute if a.name in _PASSED[node.op_type]]
            del node.attribute[:]
            node.attribute.extend(kept)
    sources = (_LAYER_NORM, _NORMAL_CDF, _GELU)
    model.functions.extend(parser.parse_function(source.format(opset=opset)) for source in sources)
    model.opset_import.append(onnx.helper.make_opsetid(_DOMAIN, 1))
